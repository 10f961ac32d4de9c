"""Checks of ``client.retry.*``: retries are allowed within limits."""

from __future__ import annotations

from collections.abc import Iterator

from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    MOST_REQUESTS,
    TARGET,
    CallResult,
    CaseResult,
    ClientRunRecord,
    HttpError,
    TransportFault,
    fail_broken_call,
    may_be_retried,
)
from batch_conformance.checks.finding import CheckResult
from batch_conformance.http import Exchange

#: A retry sooner than this, in seconds, did not wait; an immediate retry takes much less.
BURST_SECONDS = 0.04
#: Seconds before the end of Retry-After at which a retry is accepted, as clocks differ.
TOLERANCE = 0.05
_NO_RETRIES = "the client does not retry"


@CLIENT_CHECKS.check("client.retry.never-401-404", needs=["client.request.single"])
def never_401_404(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a 401 or 404 is never retried, whatever the client does on other statuses."""
    for play in record.plays:
        for turn in play.turns:
            if not isinstance(turn.expected, HttpError) or turn.expected.status not in (401, 404):
                continue
            if turn.unasked:
                result.set_aside(TARGET)
                continue
            result.observe()
            if record.retried(turn):
                result.fail(
                    turn.gets[1],
                    f"a {turn.expected.status} is retried: {play.title}",
                    code="retried",
                    expected="1 request",
                    actual=f"{turn.requests} requests",
                )


@CLIENT_CHECKS.check("client.retry.bounded")
def bounded(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a call makes at most ten requests, and ends within the deadline and its grace."""
    most = _after_faults(record, result)
    for play, turn in _retryable(record, result):
        if turn.reply.broken is not None and not record.retries_without_end(turn):
            cause = record.explained(turn, result.clause)
            if cause or play.clauses[0] != result.clause:
                # A breakdown counts against the clause that the case is for.
                result.set_aside(cause or play.clauses[0])
                continue
        result.observe()
        most = max(most, turn.requests)
        if _judge_number(play, turn, result) and turn.reply.broken is not None:
            result.fail(
                turn.last,
                f"no end by the deadline and its grace: {play.title}",
                code="timeout",
                expected="an answer to the caller, within the deadline plus its grace",
                actual=f"{turn.said()}, after {turn.requests} requests",
            )
    if result.observations:
        result.note(f"at most {most} request{'s' if most != 1 else ''} were seen for one call")
    if most == 1:
        result.limit(_NO_RETRIES)


def _after_faults(record: ClientRunRecord, result: CheckResult) -> int:
    """Judge calls whose connection broke; return the most requests of one.

    The clauses about faults report calls that do not end.
    """
    most = 0
    for play in record.plays:
        for turn in play.turns:
            told = turn.expected
            if not isinstance(told, TransportFault) or told.kind == "redirect-loop" or not turn.requests:
                continue
            if turn.reply.broken is not None:
                # A call that does not end makes requests without end.
                result.set_aside(f"client.fault.{told.kind}")
                continue
            result.observe()
            most = max(most, turn.requests)
            _judge_number(play, turn, result)
    return most


def _judge_number(play: CaseResult, turn: CallResult, result: CheckResult) -> bool:
    if turn.requests <= MOST_REQUESTS:
        return True
    result.fail(
        turn.gets[MOST_REQUESTS] if len(turn.gets) > MOST_REQUESTS else turn.last,
        f"retried too often: {play.title}",
        code="retried",
        expected=f"at most {MOST_REQUESTS} requests a call",
        actual=f"{turn.requests} requests or more in {turn.reply.seconds:.1f} s",
    )
    return False


@CLIENT_CHECKS.check("client.retry.waits", needs=["client.retry.bounded", "client.request.single"])
def waits(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that retries wait, and at least as long as Retry-After says.

    Clients may draw waits at random, so a few short ones are allowed: most must be short to count as a burst.
    """
    gaps: dict[str, list[tuple[float, CaseResult, Exchange]]] = {"4xx": [], "5xx": []}
    for play, turn in _retryable(record, result):
        if turn.reply.broken is not None and not record.retries_without_end(turn):
            cause = record.explained(turn, result.clause)
            if not cause and record.is_broken("client.retry.bounded"):
                cause = "client.retry.bounded"
            if cause:
                result.set_aside(cause)
            else:
                fail_broken_call(play, turn, result)
            continue
        result.observe()
        told = turn.expected
        assert isinstance(told, HttpError)
        for before, after in zip(turn.gets, turn.gets[1:], strict=False):
            if not record.retried(turn) or before.status != told.status:
                continue
            gap = after.started - before.ended
            if told.retry_after is None:
                gaps["4xx" if told.status < 500 else "5xx"].append((gap, play, after))
            elif gap < told.retry_after - TOLERANCE:
                result.fail(
                    after,
                    f"the retry came before Retry-After was over: {play.title}",
                    code="too-soon",
                    expected=f"a wait of at least {told.retry_after:g} s",
                    actual=f"{gap:.3f} s",
                )
    for statuses, rows in gaps.items():
        short = [row for row in rows if row[0] < BURST_SECONDS]
        if len(short) * 2 > len(rows):
            gap, play, after = short[0]
            result.fail(
                after,
                f"retries on {statuses} come in a burst: {play.title}",
                code="too-soon",
                expected=f"a wait of at least {BURST_SECONDS * 1000:g} ms before asking again",
                actual=f"{gap * 1000:.0f} ms; {len(short)} of {len(rows)} retries waited less",
            )
    if result.observations and not any(
        record.retried(turn) for play in record.plays for turn in play.turns if _is_retryable(turn)
    ):
        result.limit(_NO_RETRIES)


def _retryable(record: ClientRunRecord, result: CheckResult) -> Iterator[tuple[CaseResult, CallResult]]:
    for play in record.plays:
        for turn in play.turns:
            if not _is_retryable(turn):
                continue
            if turn.unasked:
                result.set_aside(TARGET)
            else:
                yield play, turn


def _is_retryable(turn: CallResult) -> bool:
    return isinstance(turn.expected, HttpError) and may_be_retried(turn.expected.status)
