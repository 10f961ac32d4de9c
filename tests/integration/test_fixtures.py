"""The fixtures for clients' own tests: the stub's responses, the assertion, and the documentation page."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from batch_conformance.contract import contract_root, load_contract
from batch_conformance.http import Exchange, Failure, Intent, Request, Response
from batch_conformance.recorded import recorded_needs
from batch_conformance.testing import BatchStub, assert_conforms
from batch_conformance.testing.stub import BATCH_ID
from tests.support.recordings import BATCH, KEY, NOT_FOUND, RED, RecordedExchange, batch, without

Get = Callable[..., httpx.Response]


@pytest.fixture
def get(batch_stub: BatchStub) -> Iterator[Get]:
    """Return a function that requests a batch from the stub."""
    with httpx.Client(base_url=batch_stub.url, timeout=5, trust_env=False) as client:

        def get(batch_id: str = BATCH_ID, *, method: str = "GET", **headers: str) -> httpx.Response:
            sent = {"x-api-key": KEY} | {name.replace("_", "-"): value for name, value in headers.items()}
            return client.request(method, f"/v2/batch/{batch_id}", headers=sent)

        yield get


# The stub.

_STATUSES = {
    "pending": "PENDING",
    "jobs_created": "JOBS_CREATED",
    "processing": "PROCESSING",
    "completed": "COMPLETED",
    "failed": "FAILED",
}
_ERRORS = {"unauthorized": 401, "not_found": 404, "rate_limited": 429, "server_error": 500}


@pytest.mark.parametrize("name", _STATUSES)
def test_each_staged_batch_conforms(batch_stub: BatchStub, get: Get, name: str) -> None:
    """It conforms to all should clauses too, and has the state of its name."""
    response = get(getattr(batch_stub, name)(id="batch_x"))
    assert_conforms(response, id="batch_x", strict=True)
    assert response.json()["status"] == _STATUSES[name]


@pytest.mark.parametrize("name", _ERRORS)
def test_each_staged_error_conforms(batch_stub: BatchStub, get: Get, name: str) -> None:
    """It conforms to all should clauses too, and has the status of its name."""
    response = get(getattr(batch_stub, name)())
    assert_conforms(response, strict=True)
    assert response.status_code == _ERRORS[name]


def test_responses_come_in_order_and_the_last_one_repeats(batch_stub: BatchStub, get: Get) -> None:
    """One a request, ``times`` times, for each id separately."""
    assert batch_stub.rate_limited(retry_after=7, times=2) == BATCH_ID
    other = batch_stub.processing_then_completed(id="other", reads=2)
    batch_stub.completed()
    assert [get().status_code for _ in range(4)] == [429, 429, 200, 200]
    assert [get(other).json()["status"] for _ in range(4)] == [
        "PROCESSING",
        "PROCESSING",
        "COMPLETED",
        "COMPLETED",
    ]
    with pytest.raises(ValueError, match="times=0"):
        batch_stub.completed(times=0)


def test_unstaged_requests_are_answered_as_by_the_reference_server(batch_stub: BatchStub, get: Get) -> None:
    """Staged batches, too, need exactly one key."""
    assert_conforms(get(), strict=True)
    assert get("batch_none").status_code == 404
    assert get(BATCH_ID, method="POST").status_code == 405
    batch_stub.failed(id="batch_x")
    response = get("batch_x", x_api_key="")
    assert response.status_code == 401
    assert_conforms(response, strict=True)
    two = httpx.get(f"{batch_stub.url}/v2/batch/batch_x", headers=[("x-api-key", "a"), ("x-api-key", "b")])
    assert two.status_code == 401
    assert httpx.get(f"{batch_stub.url}/elsewhere", headers={"x-api-key": "a"}).status_code == 404
    assert get("batch_x", method="HEAD").status_code == 404, "only a GET takes what is staged"
    assert get("batch_x").json()["status"] == "FAILED"


def test_errors_and_faults_need_no_key(batch_stub: BatchStub, get: Get) -> None:
    """A client without a key gets what was staged."""
    assert get(batch_stub.server_error(), x_api_key="").status_code == 500


def test_retry_after_as_requested(batch_stub: BatchStub, get: Get) -> None:
    """Seconds, a date, or none."""
    for value in (3, "Wed, 21 Oct 2026 07:28:00 GMT", None):
        batch_stub.rate_limited(retry_after=value)
    seen = [get().headers.get("retry-after") for _ in range(3)]
    assert seen == ["3", "Wed, 21 Oct 2026 07:28:00 GMT", None]


def test_members_can_be_chosen(batch_stub: BatchStub, get: Get) -> None:
    """Single counts, unknown statuses, errors with additional members."""
    batch_stub.batch(metrics={"failed_count": 0}, webhookUrl=None, extra=1)
    batch_stub.batch(status="CANCELED", metrics=None)
    batch_stub.error(402, ["no", "money"], errorCode="payment_required")
    first, second, third = (get().json() for _ in range(3))
    assert (first["metrics"]["failed_count"], first["metrics"]["total_generations"]) == (0, 5)
    assert (first["webhookUrl"], first["extra"]) == (None, 1)
    assert (second["status"], second["metrics"]) == ("CANCELED", None)
    assert third == {"message": ["no", "money"], "statusCode": 402, "errorCode": "payment_required"}


def test_faults_are_faults(batch_stub: BatchStub, get: Get) -> None:
    """Truncated, reset, silent, and HTML instead of JSON."""
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
        get(batch_stub.cut_off(id="a"))
    with pytest.raises(httpx.NetworkError):
        get(batch_stub.resets(id="b"))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{batch_stub.url}/v2/batch/{batch_stub.hangs(id='c')}", timeout=0.2)
    assert get(batch_stub.html(502, id="d")).headers["content-type"].startswith("text/html")
    answer = batch_stub.answer(b'{"cut', 201, headers={"Content-Type": "text/plain", "X-A": "b"}, id="e")
    response = get(answer)
    assert (response.status_code, response.content, response.headers["x-a"]) == (201, b'{"cut', "b")
    assert response.headers.get_list("content-type") == ["text/plain"]
    assert get(batch_stub.answer([1], id="f")).json() == [1]


@pytest.mark.parametrize("batch_id", ["a/b", "ü?#%", "a b", "..x"])
def test_any_id_can_be_staged(batch_stub: BatchStub, batch_id: str) -> None:
    """Ids are compared as sent: percent-encoded, below a path prefix, with a query."""
    from urllib.parse import quote

    url = f"{batch_stub.url}/prefix/v2/batch/{quote(batch_stub.completed(id=batch_id), safe='')}?x=1"
    assert httpx.get(url, headers={"x-api-key": KEY}).json()["id"] == batch_id


def test_requests_can_be_inspected(batch_stub: BatchStub, get: Get) -> None:
    """They are in order and as received; the repr does not contain the key."""
    get("a%2Fb", Authorization="Bearer x")
    httpx.post(f"{batch_stub.url}/other", content=b"body")
    first, second = batch_stub.requests
    assert (first.method, first.target, first.key) == ("GET", "/v2/batch/a%2Fb", KEY)
    assert first.header("AUTHORIZATION") == "Bearer x"
    assert (second.method, second.target, second.body, second.key) == ("POST", "/other", b"body", None)
    assert KEY not in repr(batch_stub.requests)


def test_the_stub_can_be_closed() -> None:
    """A client that hangs does not prevent it."""
    with BatchStub() as stub:
        stub.hangs()
    with pytest.raises(httpx.TransportError):
        httpx.get(stub.url, timeout=2)


# The assertion.


def _httpx(recorded: RecordedExchange) -> httpx.Response:
    request = httpx.Request(recorded.method, recorded.url, headers=dict(recorded.sent))
    return httpx.Response(
        recorded.status, headers=dict(recorded.headers), content=recorded.text.encode(), request=request
    )


def _requests(recorded: RecordedExchange) -> Any:
    """Return the attributes of a response of requests that are used."""
    request = SimpleNamespace(method=recorded.method, url=recorded.url, headers=recorded.sent)
    return SimpleNamespace(
        status_code=recorded.status,
        headers=recorded.headers,
        content=recorded.text.encode(),
        request=request,
        url=recorded.url,
    )


def _urllib3(recorded: RecordedExchange) -> Any:
    """A response without a request."""
    return SimpleNamespace(status=recorded.status, headers=recorded.headers, data=recorded.text.encode())


def _exchange(recorded: RecordedExchange) -> Exchange:
    return Exchange(
        1,
        Intent("test", "", "known", "valid"),
        Request(recorded.method, recorded.url, tuple(recorded.sent.items())),
        Response(recorded.status, tuple(recorded.headers.items()), recorded.text.encode()),
    )


@pytest.mark.parametrize("made", [_httpx, _requests, _urllib3, _exchange])
def test_responses_of_any_library_are_checked_whole(made: Callable[[RecordedExchange], Any]) -> None:
    """Status, headers and body."""
    assert_conforms(made(RecordedExchange()))
    assert_conforms(made(RecordedExchange(NOT_FOUND, 404)), strict=True)
    with pytest.raises(AssertionError) as failure:
        assert_conforms(made(RecordedExchange(batch(status="done"), headers={"Content-Type": "text/plain"})))
    assert "2 clauses are broken" in str(failure.value)
    assert "server.ok.media-type (must): A batch is sent as application/json" in str(failure.value)
    assert (
        '    expected  one of "PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED"\n    actual    "done"'
        in str(failure.value)
    )
    assert "    source    page; docs; sdk" in str(failure.value)


@pytest.mark.parametrize("clause", [clause for clause in RED if len(RED[clause]) == 1])
def test_each_check_is_seen_red(clause: str) -> None:
    """Each clause that one exchange can break is broken here, and named in the message."""
    with pytest.raises(AssertionError, match=re.escape(clause)):
        assert_conforms(_httpx(RED[clause][0]), strict=True)


@pytest.mark.parametrize(
    "body", [BATCH, json.dumps(BATCH), json.dumps(BATCH).encode(), NOT_FOUND, json.dumps(NOT_FOUND)]
)
def test_bodies_alone_are_checked(body: Any) -> None:
    """Headers that were not given are not checked."""
    assert_conforms(body, strict=True)


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        ({}, "server.body.object"),
        ([BATCH], "server.body.object"),
        (None, "server.body.object"),
        (without("metrics"), "server.body.metrics"),
        (batch(id=7), "server.body.id"),
        ({"statusCode": 404, "error": "x"}, "server.error.body"),
        ("", "server.ok.json"),
        ("<html>", "server.ok.json"),
        (b"\xff", "server.ok.json"),
        ({"id": float("nan")}, "server.ok.json"),
        ("\ud800", "server.ok.json"),
    ],
)
def test_bad_bodies_fail(body: Any, clause: str) -> None:
    """A body that is not a batch fails."""
    with pytest.raises(AssertionError, match=re.escape(clause)):
        assert_conforms(body)


def test_id_and_status_can_be_given() -> None:
    """They are needed if the response does not tell them."""
    assert_conforms(BATCH, id=BATCH_ID, status=200)
    with pytest.raises(AssertionError, match='expected  the id asked for, "batch_x"'):
        assert_conforms(BATCH, id="batch_x")
    with pytest.raises(AssertionError, match=r"server\.error\.status-agrees"):
        assert_conforms(NOT_FOUND, status=401)
    with pytest.raises(AssertionError, match=r"server\.ok\.status"):
        assert_conforms(BATCH, status=201)
    assert_conforms({"message": "no", "statusCode": 401}, status=401, strict=True)


def test_should_clauses_count_when_strict() -> None:
    """A 401 without a challenge."""
    response = httpx.Response(401, json={"message": "no", "statusCode": 401})
    assert_conforms(response)
    with pytest.raises(AssertionError, match=r"server\.auth\.challenge \(should\)"):
        assert_conforms(response, strict=True)


def test_the_message_is_safe_to_show() -> None:
    """The message has no key, no cookie, no control characters, and a bounded length."""
    recorded = RecordedExchange(
        batch(status=f"{KEY}\x1b[31m" + "x" * 10_000, id="s3cret-session"),
        sent={"x-api-key": KEY, "cookie": "sid=s3cret-session"},
    )
    with pytest.raises(AssertionError) as failure:
        assert_conforms(_httpx(recorded))
    text = str(failure.value)
    assert KEY not in text
    assert "s3cret-session" not in text
    assert "\x1b" not in text
    assert len(text) < 3000
    many = dict.fromkeys(BATCH["metrics"], "x")
    with pytest.raises(AssertionError) as failure:
        assert_conforms(batch(metrics=many))
    assert str(failure.value).count("    actual    ") == len(many)


@pytest.mark.parametrize(
    "thing",
    [
        7,
        object(),
        {"a": datetime.datetime.now(datetime.UTC)},
        {"a": {1}},
        Mock(),
        SimpleNamespace(status_code=200, content=None),
    ],
)
def test_anything_but_a_response_is_a_type_error(thing: Any) -> None:
    """The message says what to pass instead."""
    with pytest.raises(TypeError, match=r"assert_conforms takes|was not read"):
        assert_conforms(thing)


def test_responses_that_show_nothing_do_not_pass() -> None:
    """A 304 is not a response of the API, and a failed exchange has none."""
    with pytest.raises(AssertionError, match="nothing in this answer can be judged"):
        assert_conforms(httpx.Response(304))
    failed = Exchange(1, Intent("x", "", "known", "valid"), Request("GET", "/", ()), None, Failure("reset", "reset"))
    with pytest.raises(TypeError, match="no response"):
        assert_conforms(failed)


# Cost, and the documentation page.


def _python(code: str, folder: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(contract_root())}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout


def test_nothing_is_imported_before_a_test_uses_a_fixture(tmp_path: Path) -> None:
    """The same holds for the server's extras in a repository that uses the fixtures."""
    loaded = "print(*sorted({name for name in sys.modules if name.startswith('batch_conformance')}))"
    assert "testing" not in _python(f"import sys, batch_conformance.plugin; {loaded}", tmp_path)
    assert "recorded" not in _python(f"import sys, batch_conformance.plugin; {loaded}", tmp_path)
    heavy = "print([name for name in ('schemathesis', 'uvicorn', 'httpcore', 'hypothesis') if name in sys.modules])"
    assert _python(f"import sys, batch_conformance.testing; {heavy}", tmp_path) == "[]\n"


PAGE = contract_root() / "docs" / "fixtures.md"


def blocks(language: str) -> list[str]:
    """Return the page's code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.skipif(not PAGE.exists(), reason="an installed package has no docs")
def test_the_examples_of_the_page_run(tmp_path: Path) -> None:
    """They run as one test module, in a folder of its own; the output is what the page shows."""
    (tmp_path / "test_page.py").write_text("\n\n".join(blocks("python")), "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(contract_root())}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "-p",
        "batch_conformance.plugin",
        "-p",
        "no:cacheprovider",
    ]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout
    assert "8 passed" in ended.stdout
    for text in blocks("text"):
        assert text in ended.stdout
    assert not list(tmp_path.glob("reports"))


@pytest.mark.skipif(not PAGE.exists(), reason="an installed package has no docs")
def test_the_page_lists_everything_that_can_be_staged() -> None:
    """It lists nothing else."""
    public = {name for name in vars(BatchStub) if not name.startswith("_")}
    listed = set(
        re.findall(r"`(\w+)\(", "".join(line for line in PAGE.read_text("utf-8").splitlines() if line[:2] == "| "))
    )
    assert listed == public - {"close", "url", "requests"}
    assert set(recorded_needs()) < set(load_contract().clauses)
