"""A run against a hostile target ends in bounded time, with findings on the right clauses or with one line."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.generate.keys import valid_key
from batch_conformance.reference.server import Asked
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.server_runner.probe import ProbeContext
from batch_conformance.server_runner.profile import PROFILES
from batch_conformance.server_runner.runner import ServerRunner
from batch_conformance.server_runner.session import judge_server
from batch_conformance.server_runner.target import Target
from batch_conformance.server_runner.transport import Transport
from tests.support import hostile
from tests.support.hostile import Choose, Fault, Hostile, after, always, redirect, serving_hostile
from tests.support.judging import verdicts

TIMEOUT = 0.5
#: Seconds that a busy machine may add to any duration.
SLACK = 5.0
IDS = ("batch_abc123", "batch_Def456")


def judged(
    server: Hostile,
    *,
    ids: Collection[str] = IDS,
    timeout: float = TIMEOUT,
    selected: Collection[str] | None = None,
    profile: str = "quick",
) -> RunResult:
    """Run against the server as from the command line."""
    target = Target("hostile", server.url, REFERENCE_KEY, batch_ids=tuple(ids))
    return judge_server(target, profile=profile, timeout=timeout, selected=selected, operations=("get",))


def red(run: RunResult) -> set[str]:
    """Return the clauses that failed."""
    return {result.clause.id for result in run.results if result.verdict == "fail"}


def with_key(asked: Asked) -> bool:
    """Whether a request carries the valid key."""
    return asked.header(b"x-api-key") == [REFERENCE_KEY.encode()]


def when(is_met: Callable[[Asked], bool], fault: Fault) -> Choose:
    """Return a function that applies the fault to some requests."""
    return lambda _, asked: fault if is_met(asked) else None


# Unresponsive targets.

_DEAD: dict[Fault, str] = {
    hostile.hang: "no whole answer within 0.5 s",
    hostile.hang_in_head: "no whole answer within 0.5 s",
    hostile.hang_in_body: "no whole answer within 0.5 s",
    hostile.drip_head: "no whole answer within 0.5 s",
    hostile.drip_body: "no whole answer within 0.5 s",
    hostile.reset: "the connection broke: Connection reset by peer",
    hostile.close: "the connection was closed without an answer",
    hostile.close_in_head: "the answer was cut off within its head",
    hostile.garbage: "the answer is not HTTP: illegal status line: ",
    hostile.http_09: "the answer is not HTTP: it begins with ",
    hostile.endless_line: "the head is longer than 32,768 bytes; the rest was not read",
    hostile.interim_flood: "more than 50 interim answers (1xx) came before the real one",
}


@pytest.mark.parametrize("ids", [IDS, ()], ids=["given", "discovered"])
@pytest.mark.parametrize("fault", _DEAD, ids=lambda fault: fault.__name__)
def test_a_target_that_never_answers_costs_two_timeouts(fault: Fault, ids: tuple[str, ...]) -> None:
    """These are 20 s by default; there are two requests, not two hundred."""
    with serving_hostile(always(fault)) as server:
        began = time.monotonic()
        run = judged(server, ids=ids)
        seconds = time.monotonic() - began
        assert len(server.asked) == run.requests == 2
    assert run.verdict == "error"
    assert run.error.startswith(f"{server.url} cannot be reached: {_DEAD[fault]}")
    assert len(run.error.splitlines()) == 1
    assert verdicts(run) == {"error"}
    assert seconds < 2 * TIMEOUT + SLACK


@pytest.mark.parametrize("fault", [hostile.hang, hostile.drip_body, hostile.reset, hostile.close])
@pytest.mark.parametrize("count", [1, 40], ids=["at the second request", "midway"])
def test_a_target_that_stops_answering_is_waited_for_but_not_for_long(fault: Fault, count: int) -> None:
    """The run ends after three timeouts, since half a run allows no verdict."""
    with serving_hostile(after(count, fault)) as server:
        began = time.monotonic()
        run = judged(server)
        seconds = time.monotonic() - began
        assert len(server.asked) <= count + 16
    assert run.verdict == "error"
    assert run.error.startswith(f"{server.url} stopped answering after {count} requests: ")
    assert verdicts(run) == {"error"}
    assert seconds < 6 * TIMEOUT + SLACK


def test_a_target_that_goes_away_midway() -> None:
    """Nothing listens any more."""
    listening: list[Hostile] = []

    def choose(number: int, _: Asked) -> Fault | None:
        if number == 30:
            listening[0].leave()
        return hostile.close if number >= 30 else None

    with serving_hostile(choose) as server:
        listening.append(server)
        run = judged(server)
    assert run.error.startswith(f"{server.url} stopped answering after 29 requests: ")


# Targets that do not respond to some requests.


@pytest.mark.parametrize("fault", [hostile.reset, hostile.garbage, hostile.hang], ids=lambda fault: fault.__name__)
def test_ignored_requests_without_a_key_do_not_end_the_run(fault: Fault) -> None:
    """The very first request has no key: the run must not end there."""
    with serving_hostile(when(lambda asked: not with_key(asked), fault)) as server:
        run = judged(server, timeout=1.0)
    assert run.error == ""
    assert red(run) >= {f"server.auth.{name}-key" for name in ("missing", "empty", "invalid")}
    assert not any(clause.startswith(("server.ok", "server.body", "server.poll")) for clause in red(run))


@pytest.mark.parametrize("fault", [hostile.reset, hostile.hang], ids=lambda fault: fault.__name__)
def test_reads_that_are_ignored_are_failed_reads(fault: Fault) -> None:
    """While unauthenticated requests are refused properly."""
    with serving_hostile(when(lambda asked: with_key(asked) and asked.segment == b"batch_abc123", fault)) as server:
        run = judged(server, ids=IDS[:1], timeout=1.0)
    assert run.error == ""
    assert red(run) >= {"server.ok.status"}
    assert not any(clause.startswith(("server.auth.m", "server.auth.e", "server.auth.i")) for clause in red(run))


def test_hostile_ids_that_break_the_connection_do_not_end_the_run() -> None:
    """Many in a row, and yet the target is up."""

    def is_odd(asked: Asked) -> bool:
        return asked.segment is not None and with_key(asked) and not asked.segment.replace(b"_", b"").isalnum()

    with serving_hostile(when(is_odd, hostile.reset)) as server:
        run = judged(server, profile="default")
        assert len(server.asked) <= 300
    assert run.error == ""
    assert red(run) == {"server.notfound.hostile-id", "server.notfound.near-id"}


def test_every_third_request_dropped_is_reported_by_some_clauses() -> None:
    """Occasional broken connections are reported, but not by every clause."""
    with serving_hostile(lambda number, _: hostile.close if number % 3 == 0 else None) as server:
        run = judged(server)
    assert run.error == ""
    assert red(run)


def test_hangs_are_waited_for_a_few_times_not_hundreds() -> None:
    """Otherwise each of 250 requests could cost its timeout."""
    with serving_hostile(when(lambda asked: asked.segment not in (None, b"batch_abc123"), hostile.hang)) as server:
        began = time.monotonic()
        run = judged(server, ids=IDS[:1], timeout=0.3, profile="default")
        seconds = time.monotonic() - began
        hung = [asked for asked in server.asked if asked.segment not in (None, b"batch_abc123")]
    assert run.error == ""
    assert len(hung) <= 12
    assert seconds < 12 * 0.3 + 10
    assert "server.notfound.unknown-id" in red(run)
    reasons = {result.reason for result in run.results if result.verdict == "not-exercised"}
    assert any("left unanswered, and not sent again" in reason for reason in reasons), reasons


# Broken responses get a verdict at once.


@pytest.mark.parametrize(
    "fault",
    [
        hostile.half_body,
        hostile.half_chunk,
        hostile.reset_in_body,
        hostile.surplus,
        hostile.three_gigabytes,
        hostile.bomb,
        hostile.broken_gzip,
        hostile.half_gzip,
        hostile.layers,
        hostile.many_fields,
    ],
    ids=lambda fault: fault.__name__,
)
def test_broken_bodies_of_batches_fail_the_clause_about_bodies(fault: Fault) -> None:
    """The clause on the status, which was received, is not broken."""
    with serving_hostile(when(lambda asked: with_key(asked) and asked.segment == b"batch_abc123", fault)) as server:
        run = judged(server, ids=IDS[:1], timeout=20, selected=["server.ok.status", "server.ok.json"])
    assert (run.error, run.verdict, red(run)) == ("", "fail", {"server.ok.json"})


def test_redirects_are_not_followed() -> None:
    """Redirect loops and other hosts are not followed: the key is only sent to the target."""
    with (
        serving_hostile(hostile.never) as elsewhere,
        serving_hostile(always(redirect("/v2/batch/x"))) as server,
    ):
        server.choose = always(redirect(f"{elsewhere.url}/v2/batch/batch_abc123"))
        away = judged(server)
        assert elsewhere.connections == 0
        assert len(server.asked) == away.requests
        server.choose = always(redirect("/v2/batch/batch_abc123"))
        server.asked.clear()
        loop = judged(server)
        assert len(server.asked) == loop.requests
    for run in (away, loop):
        assert (run.error, run.verdict) == ("", "fail")
        assert red(run) >= {"server.ok.status", "server.auth.missing-key", "server.error.documented-status"}


def test_a_server_that_closes_after_each_answer_conforms() -> None:
    """It need not announce it."""
    with serving_hostile(hostile.never, close_after=1) as server:
        run = judged(server, timeout=20)
        assert server.connections >= run.requests
    assert (run.error, red(run)) == ("", set())


def test_notes_are_put_on_the_request_they_are_about() -> None:
    """The request may have got no response, with a liveness check in between."""
    known = {value.encode() for value in IDS}
    with serving_hostile(when(lambda asked: asked.segment not in known, hostile.reset)) as server:
        world = ProbeContext(valid_key(REFERENCE_KEY, "K"), "K", list(IDS), PROFILES["quick"], 0)
        wire = Transport(server.url, timeout=20)
        runner = ServerRunner(Target("hostile", server.url, REFERENCE_KEY), world, wire)
        runner.preflight(IDS, ())
        runner.run({"generated-ids"})
        wire.close()
    assert {"generated-ids", "alive"} <= {exchange.intent.probe for exchange in runner.exchanges}
    assert len({exchange.number for exchange in runner.exchanges}) == runner.requests
