"""Client checks on hand-made results: single members, keys within an origin, waits, breakdowns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.client import CLIENT_CHECKS, CallResult, CaseResult, ClientRunRecord
from batch_conformance.checks.client.record import (
    HttpError,
    InvalidSuccess,
    TransportFault,
    Unconstrained,
    ValidBatch,
)
from batch_conformance.checks.verdict import clause_result
from batch_conformance.client_runner.call import Reply
from batch_conformance.contract import load_contract
from batch_conformance.http import Exchange, Intent, Request, Response
from tests.support.client_results import BASE, BATCH, KEY
from tests.support.client_results import batch_reply as _batch
from tests.support.client_results import call_result as _call
from tests.support.client_results import case_result as _case
from tests.support.client_results import checked as _checked
from tests.support.client_results import error_reply as _error
from tests.support.client_results import exchange_to as _exchange
from tests.support.overlays import BATCH as BATCH_SCHEMA
from tests.support.overlays import update, using

_OTHER = ValidBatch(BATCH | {"id": "batch_2"}, refusable=True)


@pytest.mark.parametrize(
    ("reply", "fine"),
    [
        (_batch(id="batch_2"), True),
        (_batch(id="batch_1"), False),
        (_batch(id="BATCH_2"), False),
        (_batch(id=None), False),
        (_error("decode"), True),
        (_error("other"), True),
        (_error("not_found", 404), False),
        (_error("http"), False),
    ],
    ids=str,
)
def test_another_id_than_the_requested_one(reply: Reply, fine: bool) -> None:
    """The id is reported unchanged, or the batch is refused."""
    checked = _checked("client.decode.id", _call(_OTHER, reply))
    assert checked.observations == 1
    assert (not checked.findings) is fine


def test_a_client_that_changes_every_id_is_reported_once() -> None:
    """Only client.decode.fields is broken."""
    checked = _checked("client.decode.id", _call(_OTHER, _batch(id="2")), plain=_batch(id="1"))
    assert (checked.observations, checked.findings) == (0, [])
    assert checked.explained == {"client.decode.fields": 1}


@pytest.mark.parametrize(
    ("clause", "reply", "blamed"),
    [
        ("client.decode.created_at-letters", _batch(), ""),
        ("client.decode.created_at-letters", _error("decode"), "client.decode.created_at-letters"),
        (
            "client.decode.created_at-letters",
            _batch(created_at="2024-01-15T10:30:00+01:00"),
            "client.decode.created_at",
        ),
        ("client.decode.counts-fraction", _batch(), ""),
        (
            "client.decode.counts-fraction",
            _batch(metrics={name: float(value) for name, value in BATCH["metrics"].items()}),
            "",
        ),
        ("client.decode.counts-fraction", _error("decode"), "client.decode.counts-fraction"),
        (
            "client.decode.counts-fraction",
            _batch(metrics=BATCH["metrics"] | {"success_count": 310}),
            "client.decode.counts",
        ),
        (
            "client.decode.counts-fraction",
            _batch(metrics=BATCH["metrics"] | {"success_count": "31.0"}),
            "client.decode.counts",
        ),
    ],
    ids=str,
)
def test_odd_spellings_may_be_refused_but_not_misread(clause: str, reply: Reply, blamed: str) -> None:
    """A refusal breaks the should clause, a different value the must clause of the member."""
    case_result = _case(clause, _call(ValidBatch(BATCH, refusable=True), reply))
    ordinary = _case("client.decode.fields", _call(ValidBatch(BATCH), _batch()), ordinary=True)
    record = ClientRunRecord((ordinary, case_result))
    assert {name for name, judge in CLIENT_CHECKS.checks.items() if judge(record).findings} == {blamed} - {""}


@pytest.mark.parametrize(
    "reported",
    [{}, {"id": "batch_1"}, BATCH | {"status": None, "created_at": None, "metrics": None}],
    ids=["nothing", "the id alone", "half of it"],
)
@pytest.mark.parametrize("shown_by_itself", [True, False])
def test_a_batch_lost_as_a_whole_is_not_reported_for_every_member(
    reported: dict[str, Any], shown_by_itself: bool
) -> None:
    """It does not matter whether a case of its own shows the way in which it is lost."""
    ordinary = _case("client.decode.fields", _call(ValidBatch(BATCH), _batch()), ordinary=True)
    lost = _call(ValidBatch(BATCH), Reply(batch=reported))
    plays = [ordinary, _case("client.decode.fields", lost)]
    plays += [_case("client.decode.transfer", lost)] if shown_by_itself else []
    record = ClientRunRecord(plays)
    red = {name for name, judge in CLIENT_CHECKS.checks.items() if judge(record).findings}
    assert red == {"client.decode.transfer" if shown_by_itself else "client.decode.fields"}


@pytest.mark.parametrize(("key", "fine"), [(KEY, True), ("", False), ("x", False)])
def test_the_key_stays_within_the_origin(key: str, fine: bool) -> None:
    """A redirect to the same origin carries the key."""
    first, second = _exchange(status=302), _exchange("/moved")
    headers = [header for header in second.request.headers if header[0] != "x-api-key"] + [("x-api-key", key)] * bool(
        key
    )
    request = Request("GET", second.request.url, tuple(headers))
    call_result = _call(
        InvalidSuccess("a 302"), _error("http", 410), first, Exchange(2, second.intent, request, second.response)
    )
    assert (not _checked("client.auth.header", call_result).findings) is fine


def test_after_a_redirect_elsewhere_the_key_header_is_not_checked() -> None:
    """After a redirect to another origin, the key may be missing."""
    ordinary = _case("client.decode.fields", _call(ValidBatch(BATCH), _batch()), ordinary=True)
    back = Exchange(2, Intent("", "", "known", "valid"), Request("GET", f"{BASE}/back", ()), Response(200, ()))
    call_result = _call(Unconstrained(), _error("http"), _exchange(status=302), back)
    result = CaseResult("made by hand", ("client.auth.redirect",), (call_result,), elsewhere=(back,))
    assert not CLIENT_CHECKS.checks["client.auth.header"](ClientRunRecord((ordinary, result), {KEY: "[key]"})).findings


_WAITING = ("client.retry.waits", "client.retry.bounded")


@pytest.mark.parametrize(("expected", "first"), [(HttpError(503, retry_after=2.0), 0), (HttpError(429), 1)], ids=str)
def test_a_client_that_breaks_down_over_a_retry_after_is_reported_once(expected: HttpError, first: int) -> None:
    """It crashes on a date, or sleeps for an hour: only the case's own clause is broken."""
    broken = _call(expected, Reply(broken="no answer within 6 s"), _exchange(status=expected.status))
    clauses = (_WAITING[first], _WAITING[1 - first])
    ordinary = _case("client.decode.fields", _call(ValidBatch(BATCH), _batch()), ordinary=True)
    record = ClientRunRecord((ordinary, CaseResult("made by hand", clauses, (broken,))))
    assert {name for name, judge in CLIENT_CHECKS.checks.items() if judge(record).findings} == {clauses[0]}


def _record(*plays: CaseResult, plain: Reply | None = None) -> ClientRunRecord:
    ordinary = _case("client.decode.fields", _call(ValidBatch(BATCH), plain or _batch()), ordinary=True)
    return ClientRunRecord((ordinary, *plays), {KEY: "[key]", "sk-other-key": "[other]"})


@pytest.mark.parametrize(
    ("clause", "cause", "plays"),
    [
        (
            "client.error.odd-body",
            "client.error.404",
            [
                _case("client.error.404", _call(HttpError(404), _error("http", 404), _exchange(status=404))),
                _case(
                    "client.error.odd-body",
                    _call(HttpError(404, body="null"), _error("http", 404), _exchange(status=404)),
                ),
            ],
        ),
        (
            "client.error.message",
            "client.error.404",
            [_case("client.error.message", _call(HttpError(404, ("no",)), _error("http", 404)))],
        ),
        (
            "client.decode.unknown-status",
            "client.decode.status",
            [
                _case("client.decode.status", _call(ValidBatch(BATCH), _batch(status="completed"))),
                _case(
                    "client.decode.unknown-status",
                    _call(ValidBatch(BATCH | {"status": "ARCHIVED"}, refusable=True), _batch(status="archived")),
                ),
            ],
        ),
        (
            "client.decode.created_at-precision",
            "client.decode.created_at",
            [
                CaseResult(
                    "made by hand",
                    ("client.decode.created_at", "client.decode.created_at-precision"),
                    (_call(ValidBatch(BATCH | {"created_at": "2024-01-15T10:30:00.1234Z"}), _batch()),),
                )
            ],
        ),
        (
            "client.fault.redirect-loop",
            "client.reject.other-status",
            [
                _case("client.reject.other-status", _call(InvalidSuccess("a 302"), _batch(), _exchange(status=302))),
                _case(
                    "client.fault.redirect-loop",
                    _call(TransportFault("redirect-loop", "in circles"), _batch(), _exchange(status=302)),
                ),
            ],
        ),
        (
            "client.fault.drip-head",
            "client.fault.drip",
            [
                _case("client.fault.drip", _call(TransportFault("drip", "a drip"), Reply(broken="no answer"))),
                _case(
                    "client.fault.drip-head",
                    _call(
                        TransportFault("drip-head", "a drip", plainly=("client.fault.drip",)),
                        Reply(broken="no answer"),
                    ),
                ),
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_check_without_observations_names_the_cause(clause: str, cause: str, plays: list[CaseResult]) -> None:
    """The clause is not exercised, and never passes."""
    record = _record(*plays)
    checked = CLIENT_CHECKS.checks[clause](record)
    assert (checked.observations, checked.findings) == (0, [])
    assert checked.explained == {cause: 1}
    result = clause_result(load_contract().clauses[clause], checked, strict=False)
    assert result.verdict == "not-exercised"
    assert cause in result.reason


def test_extra_members_that_arrive_are_a_pass_whatever_the_transfer() -> None:
    """Only failures are left to the other clause."""
    lost = _case("client.decode.transfer", _call(ValidBatch(BATCH), _batch(status="no")))
    fine = _case(
        "client.decode.unknown-fields", _call(ValidBatch(BATCH), _batch()), _call(ValidBatch(BATCH), _error("decode"))
    )
    checked = CLIENT_CHECKS.checks["client.decode.unknown-fields"](_record(lost, fine))
    assert (checked.observations, checked.findings) == (1, [])
    assert checked.explained == {"client.decode.transfer": 1}


@pytest.mark.parametrize(
    ("clause", "call_result", "limit"),
    [
        (
            "client.fault.redirect-loop",
            _call(TransportFault("redirect-loop", "in circles"), _error("http", 302), _exchange(status=302)),
            "the client did not follow the redirects",
        ),
        ("client.retry.waits", _call(HttpError(503), _error("http", 503)), "the client does not retry"),
        ("client.retry.bounded", _call(HttpError(503), _error("http", 503)), "the client does not retry"),
        (
            "client.auth.redirect",
            _call(Unconstrained(), _error("http", 302), _exchange(status=302)),
            "the client followed 0 of 1 redirects to another origin",
        ),
        (
            "client.decode.id",
            _call(_OTHER, _error("decode")),
            "a batch with another id than the one asked for is refused",
        ),
    ],
)
def test_a_pass_says_what_it_did_not_see(clause: str, call_result: CallResult, limit: str) -> None:
    """A pass does not cover what the client never did."""
    checked = CLIENT_CHECKS.checks[clause](_record(_case(clause, call_result)))
    assert checked.observations
    assert not checked.findings
    assert limit in checked.limits


def test_without_requests_redirects_are_not_exercised() -> None:
    """A client that never sends a request shows nothing about redirects."""
    unasked = CallResult(_call(Unconstrained(), _error("transport")).call, Unconstrained(), _error("transport"))
    assert (
        CLIENT_CHECKS.checks["client.auth.redirect"](_record(_case("client.auth.redirect", unasked))).observations == 0
    )


_TUPLE = {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}, {"type": "string"}]}
_NUMBERS = {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    ("schema", "sent", "reported"),
    [
        (_TUPLE, [1, 2, "px"], [1, 2]),
        (_NUMBERS, [1, 2], [1, 2, 3]),
        (_NUMBERS, [1, 2], [1]),
        (_NUMBERS, [1, 2], [2, 1]),
        (_NUMBERS, [1, 2], None),
    ],
)
def test_lists_that_hold_integers_arrive_whole(tmp_path: Path, schema: Any, sent: Any, reported: Any) -> None:
    """Exactly one clause reports a loss."""
    with using(tmp_path, update(f"{BATCH_SCHEMA}.properties", {"dims": schema})):
        expected = ValidBatch(BATCH | {"dims": sent})
        both = ("client.decode.fields", "client.decode.counts")
        assert not any(_red_on(clause, expected, _batch(dims=sent)) for clause in both)
        assert sum(_red_on(clause, expected, _batch(dims=reported)) for clause in both) == 1


def _red_on(clause: str, expected: ValidBatch, reply: Reply) -> bool:
    call_result = _call(expected, reply)
    plays = [_case("client.decode.fields", call_result, ordinary=True), _case(clause, call_result)]
    return bool(CLIENT_CHECKS.checks[clause](ClientRunRecord(plays, {KEY: "[api-key]"})).findings)


def test_members_of_another_branch_arrive(tmp_path: Path) -> None:
    """Members of failed batches are in no ordinary batch."""
    failure = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}
    branch = {"properties": {"status": {"const": "FAILED"}, "failure": failure}, "required": ["failure"]}
    other = {"properties": {"status": {"not": {"const": "FAILED"}}}}
    sent = BATCH | {"status": "FAILED", "failure": {"code": "quota"}}
    plain = _case("client.decode.fields", _call(ValidBatch(BATCH), _batch()), ordinary=True)

    def faults(reported: Any) -> list[str]:
        case_result = _case("client.decode.status", _call(ValidBatch(sent), Reply(batch=reported)))
        found = CLIENT_CHECKS.checks["client.decode.fields"](ClientRunRecord((plain, case_result), {KEY: "[api-key]"}))
        return [one.pointer for one in found.findings]

    with using(tmp_path, update(BATCH_SCHEMA, {"oneOf": [branch, other]})):
        assert faults(sent) == []
        assert faults({name: item for name, item in sent.items() if name != "failure"}) == ["/failure"]
        assert faults(sent | {"failure": {"code": "other"}}) == ["/failure/code"]
