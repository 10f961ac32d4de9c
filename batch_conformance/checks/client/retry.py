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
    for case_result in record.plays:
        for call_result in case_result.turns:
            if not isinstance(call_result.expected, HttpError) or call_result.expected.status not in (
                401,
                404,
            ):
                continue
            if call_result.unasked:
                result.set_aside(TARGET)
                continue
            result.observe()
            if record.retried(call_result):
                result.fail(
                    call_result.gets[1],
                    f"a {call_result.expected.status} is retried: {case_result.title}",
                    code="retried",
                    expected="1 request",
                    actual=f"{call_result.requests} requests",
                )


@CLIENT_CHECKS.check("client.retry.bounded")
def bounded(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a call makes at most ten requests, and ends within the deadline and its grace."""
    most = _after_faults(record, result)
    for case_result, call_result in _retryable(record, result):
        if call_result.reply.broken is not None and not record.retries_without_end(call_result):
            cause = record.explained(call_result, result.clause)
            if cause or case_result.clauses[0] != result.clause:
                # A breakdown counts against the clause that the case is for.
                result.set_aside(cause or case_result.clauses[0])
                continue
        result.observe()
        most = max(most, call_result.requests)
        if _check_number(case_result, call_result, result) and call_result.reply.broken is not None:
            result.fail(
                call_result.last,
                f"no end by the deadline and its grace: {case_result.title}",
                code="timeout",
                expected="an answer to the caller, within the deadline plus its grace",
                actual=f"{call_result.said()}, after {call_result.requests} requests",
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
    for case_result in record.plays:
        for call_result in case_result.turns:
            expected = call_result.expected
            if not isinstance(expected, TransportFault) or expected.kind == "redirect-loop" or not call_result.requests:
                continue
            if call_result.reply.broken is not None:
                # A call that does not end makes requests without end.
                result.set_aside(f"client.fault.{expected.kind}")
                continue
            result.observe()
            most = max(most, call_result.requests)
            _check_number(case_result, call_result, result)
    return most


def _check_number(case_result: CaseResult, call_result: CallResult, result: CheckResult) -> bool:
    if call_result.requests <= MOST_REQUESTS:
        return True
    result.fail(
        call_result.gets[MOST_REQUESTS] if len(call_result.gets) > MOST_REQUESTS else call_result.last,
        f"retried too often: {case_result.title}",
        code="retried",
        expected=f"at most {MOST_REQUESTS} requests a call",
        actual=f"{call_result.requests} requests or more in {call_result.reply.seconds:.1f} s",
    )
    return False


@CLIENT_CHECKS.check("client.retry.waits", needs=["client.retry.bounded", "client.request.single"])
def waits(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that retries wait, and at least as long as Retry-After says.

    Clients may draw waits at random, so a few short ones are allowed: most must be short to count as a burst.
    """
    gaps: dict[str, list[tuple[float, CaseResult, Exchange]]] = {"4xx": [], "5xx": []}
    for case_result, call_result in _retryable(record, result):
        if call_result.reply.broken is not None and not record.retries_without_end(call_result):
            cause = record.explained(call_result, result.clause)
            if not cause and record.is_broken("client.retry.bounded"):
                cause = "client.retry.bounded"
            if cause:
                result.set_aside(cause)
            else:
                fail_broken_call(case_result, call_result, result)
            continue
        result.observe()
        expected = call_result.expected
        assert isinstance(expected, HttpError)
        for before, after in zip(call_result.gets, call_result.gets[1:], strict=False):
            if not record.retried(call_result) or before.status != expected.status:
                continue
            gap = after.started - before.ended
            if expected.retry_after is None:
                gaps["4xx" if expected.status < 500 else "5xx"].append((gap, case_result, after))
            elif gap < expected.retry_after - TOLERANCE:
                result.fail(
                    after,
                    f"the retry came before Retry-After was over: {case_result.title}",
                    code="too-soon",
                    expected=f"a wait of at least {expected.retry_after:g} s",
                    actual=f"{gap:.3f} s",
                )
    for statuses, rows in gaps.items():
        short = [row for row in rows if row[0] < BURST_SECONDS]
        if len(short) * 2 > len(rows):
            gap, case_result, after = short[0]
            result.fail(
                after,
                f"retries on {statuses} come in a burst: {case_result.title}",
                code="too-soon",
                expected=f"a wait of at least {BURST_SECONDS * 1000:g} ms before asking again",
                actual=f"{gap * 1000:.0f} ms; {len(short)} of {len(rows)} retries waited less",
            )
    if result.observations and not any(
        record.retried(call_result)
        for case_result in record.plays
        for call_result in case_result.turns
        if _is_retryable(call_result)
    ):
        result.limit(_NO_RETRIES)


def _retryable(record: ClientRunRecord, result: CheckResult) -> Iterator[tuple[CaseResult, CallResult]]:
    for case_result in record.plays:
        for call_result in case_result.turns:
            if not _is_retryable(call_result):
                continue
            if call_result.unasked:
                result.set_aside(TARGET)
            else:
                yield case_result, call_result


def _is_retryable(call_result: CallResult) -> bool:
    return isinstance(call_result.expected, HttpError) and may_be_retried(call_result.expected.status)
