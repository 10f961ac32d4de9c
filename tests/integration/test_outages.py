"""A target that goes down, is overloaded, or is elsewhere: the cause, a hint, or one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseResult
from batch_conformance.http import Exchange, Intent, Request, Response
from batch_conformance.mutants.server import server_mutants
from batch_conformance.reference.server import Asked, ReferenceServer
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.server_runner import overload
from batch_conformance.server_runner.liveness import is_from_gateway
from batch_conformance.server_runner.session import judge_server
from batch_conformance.server_runner.target import Target
from tests.support import hostile
from tests.support.hostile import Choose, Fault, Peer, always, serving_hostile
from tests.support.judging import verdicts
from tests.support.overlays import LIST, remove, update, using

IDS = ("batch_abc123", "batch_Def456")


#: Seconds to wait for a response that always comes, however busy the machine is.
_PATIENT = 10.0


def judged(
    choose: Choose,
    *,
    app: ReferenceServer | None = None,
    path: str = "",
    rate: float | None = None,
    profile: str = "quick",
    timeout: float = 1.0,
) -> RunResult:
    """Run against the reference server with some faults."""
    with serving_hostile(choose, app=app) as server:
        target = Target("outage", server.url + path, REFERENCE_KEY, batch_ids=IDS, rate=rate)
        return judge_server(target, profile=profile, timeout=timeout, operations=("get",))


def failed(run: RunResult) -> dict[str, ClauseResult]:
    """Return the clauses that failed."""
    return {result.clause.id: result for result in run.results if result.verdict == "fail"}


def page(status: str, *headers: str) -> Fault:
    """Return a fault that responds with a gateway's error page."""

    def fault(peer: Peer) -> None:
        head = [
            f"HTTP/1.1 {status}",
            "Content-Type: text/html",
            "Content-Length: 13",
            "Connection: close",
            *headers,
        ]
        peer.send("\r\n".join([*head, "", "<h1>Oops</h1>"]).encode())

    return fault


def down_after(
    kills: Callable[[Asked], bool], requests: int = 8, say: Fault = hostile.close, times: int = 99
) -> Choose:
    """Choose ``say`` for a request that ``kills`` the target, and for the next ones: ``requests`` in all.

    Counted, not timed: a busy machine is late for a short outage. It outlasts the requests that ask for life.
    """
    state = {"down": 0, "left": times}

    def choose(_: int, asked: Asked) -> Fault | None:
        if not state["down"] and state["left"] and kills(asked):
            state.update(down=requests, left=state["left"] - 1)
        if not state["down"]:
            return None
        state["down"] -= 1
        return say

    return choose


def with_key(asked: Asked) -> bool:
    """Whether a request carries the valid key."""
    return asked.header(b"x-api-key") == [REFERENCE_KEY.encode()]


def is_undecodable(asked: Asked) -> bool:
    """Whether a request has an id that is not UTF-8, and a valid key."""
    return b"%FF" in asked.path.upper() and with_key(asked)


@pytest.mark.parametrize("say", [hostile.close, page("502 Bad Gateway"), page("504 Gateway Timeout")])
def test_a_request_that_brings_the_target_down_breaks_its_own_clause(say: Fault) -> None:
    """Confirmed by a second time; the rest is tested after recovery. Also behind a gateway."""
    run = judged(down_after(is_undecodable, say=say), profile="default", timeout=_PATIENT)
    assert run.error == ""
    assert set(failed(run)) == {"server.notfound.hostile-id"}
    exchanges = [finding.exchange for finding in failed(run)["server.notfound.hostile-id"].findings]
    assert all(exchange is not None and "%FF" in exchange.request.url.upper() for exchange in exchanges)
    outcomes = [exchange.outcome() for exchange in exchanges if exchange is not None]
    assert all("went down, and again when the request was repeated" in outcome for outcome in outcomes)


@pytest.mark.parametrize(
    "kills",
    [
        lambda asked: asked.method == "POST" and not asked.header(b"x-api-key"),
        lambda asked: asked.header(b"accept") == [b"text/html"],
    ],
    ids=["another method", "an odd header"],
)
def test_a_request_without_a_must_clause_that_brings_the_target_down_is_a_failure(
    kills: Callable[[Asked], bool],
) -> None:
    """Going down is worse than a 500, so the clause on 5xx is broken."""
    run = judged(down_after(kills), profile="default", timeout=_PATIENT)
    assert run.error == ""
    assert set(failed(run)) == {"server.error.documented-status"}


def test_a_target_that_was_down_once_does_not_fail() -> None:
    """It goes down during a deployment, and no request brings it down again."""
    run = judged(down_after(lambda asked: asked.method == "PUT", times=1))
    assert (run.error, set(failed(run))) == ("", set())


def test_a_target_that_stays_down() -> None:
    """There is no verdict; the line has the last request, and earlier findings are kept."""
    wrong = server_mutants()["id-number"]
    run = judged(down_after(is_undecodable, requests=10_000), app=wrong.build(), profile="default", timeout=0.3)
    assert run.verdict == "error"
    assert "; the last request was GET /v2/batch/" in run.error
    assert "%FF" in run.error.upper()
    assert len(run.error.splitlines()) == 1
    assert wrong.clause in failed(run)
    assert verdicts(run) == {"error", "fail"}
    assert "server.notfound.hostile-id" not in failed(run)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits and rates scaled down to hundredths of a second."""
    monkeypatch.setattr(overload, "_PAUSES", (0.3, 0.4, 0.5))
    monkeypatch.setattr(overload, "_RATES", (10.0, 5.0, 2.5))


def limiting(count: int, seconds: float, say: Fault) -> Choose:
    """Choose ``say`` for requests beyond ``count`` in ``seconds`` seconds."""
    seen: list[float] = []

    def choose(_: int, __: Asked) -> Fault | None:
        now = time.monotonic()
        seen[:] = [then for then in seen if now - then < seconds]
        if len(seen) >= count:
            return say
        seen.append(now)
        return None

    return choose


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("headers", [(), ("Retry-After: 1",)], ids=["bare", "with Retry-After"])
def test_a_limiter_that_answers_503_is_recognised(headers: tuple[str, ...]) -> None:
    """The run slows down, gets a verdict, and one hint names the option."""
    run = judged(limiting(4, 0.25, page("503 Service Temporarily Unavailable", *headers)))
    assert (run.error, set(failed(run))) == ("", set())
    assert len(run.hints) == 1
    assert "answered 503 above its rate" in run.hints[0]
    assert "--batch-rate 10/s" in run.hints[0]


@pytest.mark.usefixtures("hurried")
def test_a_server_that_always_returns_503_is_red() -> None:
    """It returns 503 at whatever rate, so that waiting is pointless."""
    run = judged(always(page("503 Service Unavailable")))
    assert run.error == ""
    assert {"server.ok.status", "server.auth.missing-key"} <= set(failed(run))
    assert run.hints == []


@pytest.mark.usefixtures("hurried")
def test_a_server_that_fails_now_and_then_is_red() -> None:
    """A 503 that disappears at once is not from a rate limiter."""
    failing = page("503 Service Unavailable")
    run = judged(lambda number, _: failing if number % 7 == 0 else None)
    assert run.error == ""
    assert "server.error.documented-status" in failed(run)
    assert run.hints == []


@pytest.mark.usefixtures("hurried")
def test_requests_that_always_get_503_are_red() -> None:
    """While other requests get a response."""
    failing = page("503 Service Unavailable")
    run = judged(lambda _, asked: failing if is_undecodable(asked) else None, profile="default")
    assert run.error == ""
    assert "server.notfound.hostile-id" in failed(run)


@pytest.mark.parametrize("wait", [30, 60, 5, 1])
def test_a_target_that_always_returns_429_ends_within_a_minute(wait: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may ask to wait for longer."""
    slept: list[float] = []
    monkeypatch.setattr("batch_conformance.server_runner.rate_limit.time.sleep", slept.append)
    run = judged(always(page("429 Too Many Requests", f"Retry-After: {wait}")))
    assert "keeps answering 429" in run.error
    assert sum(slept) <= 60


@pytest.mark.parametrize("status", ["301 Moved Permanently", "308 Permanent Redirect"])
def test_a_base_url_that_moved_is_reported(status: str) -> None:
    """The redirect has the same path below another base: the line names it, and it is not followed."""

    def choose(_: int, asked: Asked) -> Fault:
        return page(status, f"Location: https://api.example/base{asked.path.decode()}")

    run = judged(choose)
    assert run.verdict == "error"
    assert "redirects every read to https://api.example/base" in run.error
    assert run.error.endswith("--batch-target https://api.example/base")


def test_redirects_to_elsewhere_are_responses() -> None:
    """A redirect to a log-in page is the server's fault, not the user's."""
    run = judged(always(page("302 Found", "Location: /login")))
    assert run.error == ""
    assert "server.ok.status" in failed(run)


@pytest.mark.parametrize("path", ["/v2", "/v2/batch"])
def test_a_base_url_with_the_path_of_the_api_is_reported(path: str) -> None:
    """Otherwise every read would be a 404."""

    def choose(_: int, asked: Asked) -> Fault | None:
        return page("404 Not Found") if asked.path.count(b"/v2") > 1 and with_key(asked) else None

    run = judged(choose, path=path)
    assert run.verdict == "error"
    assert "every read is a 404" in run.error
    assert f"if {path} is no prefix of its own: --batch-target http://127.0.0.1:" in run.error


def test_a_gateway_is_told_from_the_operation_by_its_own_error_body(tmp_path: Path) -> None:
    """A 503 of List Batches may have another body than one of Get Batch."""
    schema = {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}}}
    documented = {"description": "busy", "content": {"application/json": {"schema": schema}}}
    replaced = [remove(f"{LIST}.responses['{key}']") for key in ("401", "429", "500")]

    def is_foreign(operation: str, body: str) -> bool:
        intent = Intent("reads", "", "known", "valid", operation=operation)
        answer = Response(503, (("content-type", "application/json"),), body.encode())
        return is_from_gateway(Exchange(1, intent, Request("GET", "http://127.0.0.1/v2/batch", ()), answer))

    with using(tmp_path, *replaced, update(f"{LIST}.responses", {"503": documented})):
        own, gets = '{"reason": "busy"}', '{"message": "busy", "statusCode": 503}'
        found = {(name, body): is_foreign(name, body) for name in ("get", "list") for body in (own, gets)}
    assert found == {("get", own): True, ("get", gets): False, ("list", own): False, ("list", gets): True}
