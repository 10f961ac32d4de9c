"""Checks of ``client.error.*``: each error status is reported as the right error."""

from __future__ import annotations

from collections.abc import Iterator

from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    CallResult,
    CaseResult,
    ClientRunRecord,
    HttpError,
    InvalidSuccess,
    ValidBatch,
    clause_of_status,
)
from batch_conformance.checks.client.reject import FALSE_KINDS
from batch_conformance.checks.finding import CheckResult
from batch_conformance.contract import load_contract

#: Statuses that have a clause and a kind of error of their own.
_OWN_KIND = tuple(
    int(name) for clause in load_contract().of_side("client") if (name := clause.id.rpartition(".")[2]).isdecimal()
)
#: Statuses about waiting too long: a client may report them as a timeout.
_LATE = frozenset({408, 504})


def kinds_of(status: int) -> frozenset[str]:
    """Return the kinds under which an error status may be reported."""
    clause = clause_of_status(status)
    if status in _OWN_KIND:
        return accepted_kinds(clause)
    return accepted_kinds(clause, "5xx" if status >= 500 else "4xx", *(["late"] if status in _LATE else []))


def _check_status(record: ClientRunRecord, result: CheckResult) -> None:
    for case_result, call_result, expected in _error_calls(record, result):
        if expected.status in _OWN_KIND and result.clause != f"client.error.{expected.status}":
            continue
        result.observe()
        problem = status_problem(call_result, expected)
        if problem:
            _blame(result, case_result, call_result, expected, problem)


for _status in _OWN_KIND:
    CLIENT_CHECKS.check(f"client.error.{_status}")(_check_status)
CLIENT_CHECKS.check("client.error.other-status")(_check_status)


def status_problem(call_result: CallResult, expected: HttpError) -> str:
    """Describe what is wrong with the report of an error status; empty if nothing is."""
    error = call_result.reply.error
    if error is None:
        return "is taken for a batch"
    if error.kind not in kinds_of(expected.status):
        return "is reported as another kind of error"
    if error.status != expected.status:
        return "is reported without its status" if error.status is None else "is reported with another status"
    return ""


def status_code_of(call_result: CallResult, expected: HttpError) -> str:
    """Return the finding code for a problem of :func:`status_problem`."""
    error = call_result.reply.error
    if error is None:
        return "taken" if call_result.reply.broken is None else "crash"
    return "kind" if error.kind not in kinds_of(expected.status) else "status"


def _blame(
    result: CheckResult, case_result: CaseResult, call_result: CallResult, expected: HttpError, problem: str
) -> None:
    result.fail(
        call_result.last,
        f"a {expected.status} {problem}: {case_result.title}",
        expected=f"{shown_kinds(kinds_of(expected.status))}, with status {expected.status}",
        actual=call_result.said(),
        code=status_code_of(call_result, expected),
    )


@CLIENT_CHECKS.check("client.error.message")
def message(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that the error contains every message of the response's body."""
    for case_result, call_result, expected in _error_calls(record, result):
        if call_result.reply.error is None or call_result.reply.error.kind not in kinds_of(expected.status):
            result.set_aside(clause_of_status(expected.status))
            continue
        result.observe()
        reported = " ".join(call_result.reply.error.message.split())
        lost = [text for text in expected.messages if text not in reported]
        if lost:
            result.fail(
                call_result.last,
                f"the server's message does not reach the caller: {case_result.title}",
                expected=f"a message that contains {' and '.join(repr(text) for text in expected.messages)}",
                actual=repr(call_result.reply.error.message[:300]),
                code="message",
            )


@CLIENT_CHECKS.check(
    "client.error.odd-body",
    needs=[*(f"client.error.{status}" for status in _OWN_KIND), "client.error.other-status"],
)
def odd_body(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that the status decides about the error, whatever the body.

    Statuses that are reported wrongly even with a proper body are set aside.
    """
    wrong = _wrong_statuses(record)
    for case_result, call_result, expected in _error_calls(record, result):
        if expected.status in wrong:
            result.set_aside(clause_of_status(expected.status))
            continue
        result.observe()
        problem = status_problem(call_result, expected)
        if problem:
            _blame(result, case_result, call_result, expected, problem)


@CLIENT_CHECKS.check("client.error.status-line-wins", needs=["client.error.odd-body", "client.decode.unknown-fields"])
def status_line_wins(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a body that names another status changes nothing."""
    wrong = _wrong_statuses(record)
    for case_result, call_result in record.turns(result):
        expected = call_result.expected
        if isinstance(expected, HttpError) and expected.status in wrong:
            result.set_aside(clause_of_status(expected.status))
        elif isinstance(expected, HttpError):
            result.observe()
            problem = status_problem(call_result, expected)
            if problem:
                _blame(result, case_result, call_result, expected, problem)
        elif isinstance(expected, InvalidSuccess):
            if record.is_broken("client.reject.not-json"):
                result.set_aside("client.reject.not-json")
                continue
            result.observe()
            error = call_result.reply.error
            if error is not None and error.kind in FALSE_KINDS:
                result.fail(
                    call_result.last,
                    f"a 200 is reported as what its body says: {case_result.title}",
                    expected="an error of kind decode",
                    actual=call_result.said(),
                    code="kind",
                )
        elif isinstance(expected, ValidBatch):
            if not record.decodes or record.is_broken("client.decode.unknown-fields"):
                # Extra members alone are refused.
                result.set_aside("client.decode.unknown-fields" if record.decodes else "client.decode.fields")
                continue
            result.observe()
            error = call_result.reply.error
            # A decoding error is about the extra members, and has a clause of its own.
            if error is not None and error.kind != "decode":
                result.fail(
                    call_result.last,
                    f"a 200 is taken for an error: {case_result.title}",
                    expected="the batch",
                    actual=call_result.said(),
                    code="refused",
                )


def _error_calls(record: ClientRunRecord, result: CheckResult) -> Iterator[tuple[CaseResult, CallResult, HttpError]]:
    late = accepted_kinds("client.retry.bounded", "late")
    for case_result, call_result in record.turns(result):
        if not isinstance(call_result.expected, HttpError):
            continue
        error = call_result.reply.error
        if error is not None and error.kind in late and record.retried(call_result):
            # A client that retries until the caller's deadline may report a timeout.
            result.limit(f"a call on {call_result.expected.status} retried until its deadline, and reported that")
            continue
        yield case_result, call_result, call_result.expected


def _wrong_statuses(record: ClientRunRecord) -> frozenset[int]:
    """Return the statuses that are reported wrongly even with a documented body."""
    plain = {clause_of_status(status) for status in (*_OWN_KIND, 400)}
    return frozenset(
        call_result.expected.status
        for case_result in record.plays
        if case_result.clauses[0] in plain
        for call_result in case_result.turns
        if isinstance(call_result.expected, HttpError)
        and not call_result.expected.body
        and status_problem(call_result, call_result.expected)
    )
