"""Client checks on hand-made case results: the cases in which a verdict could go either way."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest

from batch_conformance.checks.client import CLIENT_CHECKS, CallResult, CaseResult, ClientRunRecord
from batch_conformance.checks.client.auth import holds_key
from batch_conformance.checks.client.compare import MICROSECOND, instant_problem
from batch_conformance.checks.client.error import kinds_of
from batch_conformance.checks.client.record import (
    HttpError,
    InvalidSuccess,
    TransportFault,
    Unconstrained,
    ValidBatch,
)
from batch_conformance.checks.client.request import encoding_problem
from batch_conformance.client_runner.call import Call, ErrorKind, NoObject, Reply, Several
from batch_conformance.contract import load_contract
from tests.support.client_results import BASE, BATCH, KEY
from tests.support.client_results import batch_reply as _batch
from tests.support.client_results import call_result as _call
from tests.support.client_results import case_result as _case
from tests.support.client_results import checked as _checked
from tests.support.client_results import error_reply as _error
from tests.support.client_results import exchange_to as _exchange


def test_every_clause_has_a_check_and_every_check_a_clause() -> None:
    """The registry and the contract have the same clauses."""
    assert CLIENT_CHECKS.checks.keys() == {clause.id for clause in load_contract().of_side("client")}
    for judge in CLIENT_CHECKS.checks.values():
        assert judge.needs <= CLIENT_CHECKS.checks.keys()


def test_without_results_nothing_is_exercised() -> None:
    """Without any case result, every clause is not exercised."""
    for clause, judge in CLIENT_CHECKS.checks.items():
        result = judge(ClientRunRecord(()))
        assert (result.observations, result.findings) == (0, []), clause


@pytest.mark.parametrize(
    ("reported", "text"),
    [
        ({"id": "x"}, 'a batch: {"id": "x"}'),
        (Several([{"id": "x"}]), 'a list: [{"id": "x"}]'),
        (NoObject(None), "handed over: null"),
    ],
)
def test_evidence_shows_the_reported_value(reported: dict[str, Any], text: str) -> None:
    """A list is not called a batch, nor is any other value."""
    assert CallResult(Call(BASE, KEY, "x", 5.0), Unconstrained(), Reply(batch=reported)).said() == text


@pytest.mark.parametrize(
    ("batch_id", "segment", "fine"),
    [
        ("a/b", "a%2Fb", True),
        ("a/b", "a%2fb", True),
        ("a/b", "a/b", False),
        ("a b", "a%20b", True),
        ("a b", "a+b", False),
        ("a+b", "a+b", True),
        ("a+b", "a%2Bb", True),
        ("a%2Fb", "a%252Fb", True),
        ("a%2Fb", "a%2Fb", False),
        ("%", "%25", True),
        ("%", "%", False),
        ("ä", "%C3%A4", True),
        ("ä", "%E4", False),
        ("ä", "\u00c3\u00a4", False),
        ("abc", "%61%62%63", True),
        ("a:b@c", "a:b@c", True),
        ("a;b=c&d,e", "a;b=c&d,e", True),
        ("a~b", "a~b", True),
        ("a?b", "a?b", False),
        ("a?b", "a%3Fb", True),
        ("a#b", "a", False),
        ("<>", "<>", False),
        ("e\u0301", "%C3%A9", False),
    ],
)
def test_id_encoding(batch_id: str, segment: str, fine: bool) -> None:
    """The decoded path segment is the id; characters may be raw only where RFC 3986 allows it."""
    problem = encoding_problem(f"{BASE}/p/v2/batch/{segment}", f"{BASE}/p", batch_id)
    assert (problem == "") is fine, problem


@pytest.mark.parametrize(
    ("sent", "reported", "fine"),
    [
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00+00:00", True),
        ("2024-01-15T10:30:00Z", "2024-01-15T16:00:00+05:30", True),
        ("2024-01-15T10:30:00Z", "2024-01-15 10:30:00+00:00", True),
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00", False),
        ("2024-01-15T10:30:00Z", "2024-01-15 10:30:00", False),
        ("2024-01-15T10:30:00Z", 1705314600, False),
        ("2024-01-15T10:30:00Z", None, False),
        ("2024-01-15T10:30:00.123456789Z", "2024-01-15T10:30:00.123456Z", True),
        ("2024-01-15T10:30:00.123456789Z", "2024-01-15T10:30:00.123457Z", True),
        ("2024-01-15T10:30:00.123456789Z", "2024-01-15T10:30:00.123456789Z", True),
        ("2024-01-15T10:30:00.123456789Z", "2024-01-15T10:30:00.123455Z", False),
        ("2024-01-15T10:30:00.123456Z", "2024-01-15T10:30:00.123Z", False),
        ("2024-01-15T10:30:00.000001Z", "2024-01-15T10:30:00Z", False),
        ("2024-01-15T10:30:00.1Z", "2024-01-15T10:30:00.100Z", True),
        ("2024-01-15t10:30:00z", "2024-01-15T10:30:00Z", True),
    ],
)
def test_instants(sent: str, reported: Any, fine: bool) -> None:
    """The instant is the same to the microsecond, truncated or rounded, with any offset."""
    problem = instant_problem(sent, reported, MICROSECOND)
    assert (problem == "") is fine, problem


@pytest.mark.parametrize(
    ("reported", "fine"),
    [
        ("2024-01-15T10:30:00.123Z", True),
        ("2024-01-15T10:30:00.124Z", True),
        ("2024-01-15T10:30:00.1237Z", True),
        ("2024-01-15T10:30:00.122Z", False),
        ("2024-01-15T10:30:00.12Z", False),
        ("2024-01-15T10:30:00Z", False),
        ("2024-01-15T10:30:00.123", False),
    ],
)
def test_instants_to_the_millisecond(reported: str, fine: bool) -> None:
    """A client must keep milliseconds, truncated or rounded (decision 19)."""
    assert (instant_problem("2024-01-15T10:30:00.1236Z", reported) == "") is fine


@pytest.mark.parametrize(
    "text",
    [
        f"x {KEY}",
        f"?key={quote(KEY, safe='')}",
        "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode(),
        "Basic " + base64.b64encode(f"{KEY}:".encode()).decode(),
        base64.urlsafe_b64encode(f"key is {KEY}!".encode()).decode().rstrip("="),
        "token-" + base64.b64encode(KEY.encode()).decode(),
    ],
)
def test_the_key_is_recognised(text: str) -> None:
    """The key is found as it is, percent-encoded, and within base64."""
    assert holds_key(text, KEY)


@pytest.mark.parametrize("text", ["", "sk-AbC…", "Basic YXBpOmFwaQ==", KEY[:-1], "sk-other"])
def test_other_texts_are_not_the_key(text: str) -> None:
    """A part of the key does not count as the key."""
    assert not holds_key(text, KEY)


@pytest.mark.parametrize(
    ("status", "kind", "fine"),
    [
        (401, "unauthorized", True),
        (401, "http", False),
        (403, "http", True),
        (403, "unauthorized", False),
        (429, "rate_limited", True),
        (429, "http", False),
        (500, "server_error", True),
        (500, "http", False),
        (503, "server_error", True),
        (503, "http", True),
        (503, "rate_limited", False),
        (418, "server_error", False),
        (504, "timeout", True),
        (410, "not_found", False),
    ],
)
def test_kinds(status: int, kind: str, fine: bool) -> None:
    """Each documented status has its own kind, which no other status may have."""
    assert (kind in kinds_of(status)) is fine


def _retries(status: int, *gaps: float, retry_after: float | None = None) -> CallResult:
    times = [0.0]
    for gap in gaps:
        times.append(times[-1] + gap)
    rows = [_exchange(status=status, at=at) for at in times]
    return _call(HttpError(status, retry_after=retry_after), _error("server_error", status), *rows)


@pytest.mark.parametrize(
    ("turns", "fine"),
    [
        ([_retries(500)], True),
        ([_retries(500, 0.2)], True),
        ([_retries(500, 0.001)], False),
        ([_retries(500, 0.001, 0.4), _retries(503, 0.0, 0.4)], True),
        ([_retries(500, 0.3, 0.001, 0.001)], False),
        ([_retries(500, 0.3, 0.4), _retries(429, 0.001, 0.001)], False),
        ([_retries(429, 1.01, retry_after=1.0)], True),
        ([_retries(429, 0.97, retry_after=1.0)], True),
        ([_retries(429, 0.5, retry_after=1.0)], False),
        ([_retries(503, 0.1, retry_after=1.0)], False),
    ],
    ids=str,
)
def test_waits(turns: list[CallResult], fine: bool) -> None:
    """Mostly short waits are a burst, a single one is not; Retry-After is exact."""
    assert (not _checked("client.retry.waits", *turns).findings) is fine


@pytest.mark.parametrize(("requests", "fine"), [(1, True), (10, True), (11, False)])
def test_bounded(requests: int, fine: bool) -> None:
    """Ten requests are allowed."""
    result = _checked("client.retry.bounded", _retries(500, *[0.1] * (requests - 1)))
    assert (not result.findings) is fine
    assert f"at most {requests} request" in result.reason


def test_a_call_that_retries_without_end_is_reported_once() -> None:
    """It shows nothing about the status that it never reported."""
    hung = _call(HttpError(500), Reply(broken="the driver gave no answer within 10 s"), *[_exchange(status=500)] * 4)
    assert _checked("client.retry.bounded", hung).findings
    other = _checked("client.error.500", hung)
    assert not other.findings
    assert other.explained == {"client.retry.bounded": 1}
    assert not other.observations


def test_a_client_that_sends_everything_twice_does_not_retry() -> None:
    """Two requests for one batch are reported by client.request.single alone."""
    twice = _call(ValidBatch(BATCH), _batch(), _exchange(), _exchange())
    record = ClientRunRecord(
        (
            _case("client.decode.fields", twice, ordinary=True),
            _case(
                "client.error.404",
                _call(HttpError(404), _error("not_found", 404), *[_exchange(status=404)] * 2),
            ),
            _case(
                "client.error.500",
                _call(HttpError(500), _error("server_error", 500), *[_exchange(status=500)] * 2),
            ),
        )
    )
    red = {clause for clause, judge in CLIENT_CHECKS.checks.items() if judge(record).findings}
    assert red == {"client.request.single"}


@pytest.mark.parametrize("clause", [clause for clause in CLIENT_CHECKS.checks if clause.startswith("client.decode.")])
def test_a_client_that_decodes_nothing_is_reported_once(clause: str) -> None:
    """The other clauses are not exercised, and say why."""
    refused = _error("decode")
    result = _checked(clause, _call(ValidBatch(BATCH), refused), _call(ValidBatch(BATCH), refused), plain=refused)
    if clause == "client.decode.fields":
        assert result.findings
    else:
        assert not result.findings
        assert not result.observations
        assert "client.decode.fields" in [*result.explained, *result.reason.split()]


@pytest.mark.parametrize("clause", ["client.reject.not-json", "client.reject.not-object", "client.reject.wrong-types"])
def test_refusals_mean_nothing_where_nothing_is_accepted(clause: str) -> None:
    """A client that refuses everything has not shown that it refuses this."""
    result = _checked(clause, _call(InvalidSuccess("null"), _error("decode")), plain=_error("decode"))
    assert result.observations == 0
    assert result.explained == {"client.decode.fields": 1}


@pytest.mark.parametrize(
    ("reported", "clause"),
    [
        ({**BATCH["metrics"], "success_count": 16, "failed_count": 31}, "client.decode.fields"),
        ({**BATCH["metrics"], "total_generations": 31}, "client.decode.fields"),
        ({**BATCH["metrics"], "total_generations": 47.0}, "client.decode.counts"),
        ({**BATCH["metrics"], "total_generations": "47"}, "client.decode.counts"),
        ({**BATCH["metrics"], "pending_count": True}, "client.decode.counts"),
        ({**BATCH["metrics"], "total_generations": 48}, "client.decode.counts"),
    ],
    ids=str,
)
def test_wrong_counts_break_one_clause(reported: dict[str, Any], clause: str) -> None:
    """Counts in the wrong place, or changed in transit."""
    for judged in ("client.decode.fields", "client.decode.counts"):
        reply = _batch(metrics=reported)
        result = _checked(judged, _call(ValidBatch(BATCH), reply), plain=reply)
        assert bool(result.findings) is (judged == clause), judged


def test_another_clients_key_is_not_a_wrong_key() -> None:
    """The mix-up is reported by its own clause only."""
    call_result = _call(ValidBatch(BATCH), _batch(), _exchange(x_api_key="sk-other-key"))
    assert _checked("client.auth.per-call", call_result).findings
    assert not _checked("client.auth.header", call_result).findings


def test_a_query_of_nothing_but_the_key_is_about_the_key() -> None:
    """Only client.auth.only-there is broken."""
    call_result = _call(ValidBatch(BATCH), _batch(), _exchange(f"/v2/batch/batch_1?api_key={quote(KEY, safe='')}"))
    assert _checked("client.auth.only-there", call_result).findings
    assert not _checked("client.request.target", call_result).findings


@pytest.mark.parametrize(
    ("batch_id", "path", "fine"),
    [
        ("..", "/v2/", False),
        ("..", "/v2/batch/..", False),
        ("..", "/v2/batch/%2E%2e", True),
        (".", "/v2/batch/", False),
        (".", "/v2/batch/%2E", True),
        ("", "/v2/batch/", False),
        ("", "/v2/batch", False),
        ("..", "", True),
    ],
)
def test_dot_ids(batch_id: str, path: str, fine: bool) -> None:
    """The id is refused, or sent with encoded dots; never resolved to another path."""
    seen = (_exchange(path),) if path else ()
    call = Call(BASE, KEY, batch_id, 5.0)
    call_result = CallResult(call, Unconstrained(), _error("invalid_argument"), seen, len(seen))
    assert (not _checked("client.request.dot-id", call_result).findings) is fine


@pytest.mark.parametrize(
    ("reply", "fine"),
    [
        (_batch(status="ARCHIVED"), True),
        (_error("decode"), True),
        (_error("decode", 200), True),
        (_batch(status="PENDING"), False),
        (_batch(status="UNKNOWN"), False),
        (_batch(status=None), False),
        (_error("server_error", 500), False),
        (_error("other"), False),
    ],
)
def test_unknown_statuses(reply: Reply, fine: bool) -> None:
    """An unknown status is reported, or refused as not decodable."""
    result = _checked("client.decode.unknown-status", _call(ValidBatch({**BATCH, "status": "ARCHIVED"}), reply))
    assert (not result.findings) is fine


@pytest.mark.parametrize(
    ("kind", "reported", "fine"),
    [
        ("refused", "transport", True),
        ("refused", "timeout", True),
        ("refused", "other", False),
        ("reset", "decode", False),
        ("truncated", "decode", False),
        ("truncated", "transport", True),
        ("truncated", "server_error", False),
        ("timeout", "timeout", True),
        ("timeout", "http", False),
        ("drip", "decode", True),
        ("redirect-loop", "http", True),
        ("redirect-loop", "not_found", False),
    ],
)
def test_faults(kind: Any, reported: ErrorKind, fine: bool) -> None:
    """Valid error kinds for a fault before any part of a response."""
    result = _checked(f"client.fault.{kind}", _call(TransportFault(kind, "made by hand"), _error(reported)))
    assert (not result.findings) is fine


@pytest.mark.parametrize(
    ("reported", "fine"), [("decode", True), ("transport", True), ("other", False), ("http", False)]
)
def test_faults_within_an_answer(reported: ErrorKind, fine: bool) -> None:
    """A client that decodes while it reads may report a truncated body as malformed."""
    expected = TransportFault("truncated", "made by hand", begun=True)
    assert (not _checked("client.fault.truncated", _call(expected, _error(reported))).findings) is fine


def test_a_breakdown_counts_against_the_first_clause_only() -> None:
    """The case's other clauses are not affected."""
    broken = CaseResult(
        "made by hand",
        ("client.error.401", "client.error.message"),
        (_call(HttpError(401), Reply(broken="it died")),),
    )
    record = ClientRunRecord((broken,))
    assert CLIENT_CHECKS.checks["client.error.401"](record).findings
    assert not CLIENT_CHECKS.checks["client.error.message"](record).findings
