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


def _judge_status(record: ClientRunRecord, result: CheckResult) -> None:
    for play, turn, told in _refusals(record, result):
        if told.status in _OWN_KIND and result.clause != f"client.error.{told.status}":
            continue
        result.observe()
        problem = status_problem(turn, told)
        if problem:
            _blame(result, play, turn, told, problem)


for _status in _OWN_KIND:
    CLIENT_CHECKS.check(f"client.error.{_status}")(_judge_status)
CLIENT_CHECKS.check("client.error.other-status")(_judge_status)


def status_problem(turn: CallResult, told: HttpError) -> str:
    """Describe what is wrong with the report of an error status; empty if nothing is."""
    error = turn.reply.error
    if error is None:
        return "is taken for a batch"
    if error.kind not in kinds_of(told.status):
        return "is reported as another kind of error"
    if error.status != told.status:
        return "is reported without its status" if error.status is None else "is reported with another status"
    return ""


def status_code_of(turn: CallResult, told: HttpError) -> str:
    """Return the finding code for a problem of :func:`status_problem`."""
    error = turn.reply.error
    if error is None:
        return "taken" if turn.reply.broken is None else "crash"
    return "kind" if error.kind not in kinds_of(told.status) else "status"


def _blame(result: CheckResult, play: CaseResult, turn: CallResult, told: HttpError, problem: str) -> None:
    result.fail(
        turn.last,
        f"a {told.status} {problem}: {play.title}",
        expected=f"{shown_kinds(kinds_of(told.status))}, with status {told.status}",
        actual=turn.said(),
        code=status_code_of(turn, told),
    )


@CLIENT_CHECKS.check("client.error.message")
def message(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that the error contains every message of the response's body."""
    for play, turn, told in _refusals(record, result):
        if turn.reply.error is None or turn.reply.error.kind not in kinds_of(told.status):
            result.set_aside(clause_of_status(told.status))
            continue
        result.observe()
        shown = " ".join(turn.reply.error.message.split())
        lost = [text for text in told.messages if text not in shown]
        if lost:
            result.fail(
                turn.last,
                f"the server's message does not reach the caller: {play.title}",
                expected=f"a message that contains {' and '.join(repr(text) for text in told.messages)}",
                actual=repr(turn.reply.error.message[:300]),
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
    for play, turn, told in _refusals(record, result):
        if told.status in wrong:
            result.set_aside(clause_of_status(told.status))
            continue
        result.observe()
        problem = status_problem(turn, told)
        if problem:
            _blame(result, play, turn, told, problem)


@CLIENT_CHECKS.check(
    "client.error.status-line-wins", needs=["client.error.odd-body", "client.decode.unknown-fields"]
)
def status_line_wins(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a body that names another status changes nothing."""
    wrong = _wrong_statuses(record)
    for play, turn in record.turns(result):
        told = turn.expected
        if isinstance(told, HttpError) and told.status in wrong:
            result.set_aside(clause_of_status(told.status))
        elif isinstance(told, HttpError):
            result.observe()
            problem = status_problem(turn, told)
            if problem:
                _blame(result, play, turn, told, problem)
        elif isinstance(told, InvalidSuccess):
            if record.is_broken("client.reject.not-json"):
                result.set_aside("client.reject.not-json")
                continue
            result.observe()
            error = turn.reply.error
            if error is not None and error.kind in FALSE_KINDS:
                result.fail(
                    turn.last,
                    f"a 200 is reported as what its body says: {play.title}",
                    expected="an error of kind decode",
                    actual=turn.said(),
                    code="kind",
                )
        elif isinstance(told, ValidBatch):
            if not record.decodes or record.is_broken("client.decode.unknown-fields"):
                # Extra members alone are refused.
                result.set_aside(
                    "client.decode.unknown-fields" if record.decodes else "client.decode.fields"
                )
                continue
            result.observe()
            error = turn.reply.error
            # A decoding error is about the extra members, and has a clause of its own.
            if error is not None and error.kind != "decode":
                result.fail(
                    turn.last,
                    f"a 200 is taken for an error: {play.title}",
                    expected="the batch",
                    actual=turn.said(),
                    code="refused",
                )


def _refusals(record: ClientRunRecord, result: CheckResult) -> Iterator[tuple[CaseResult, CallResult, HttpError]]:
    late = accepted_kinds("client.retry.bounded", "late")
    for play, turn in record.turns(result):
        if not isinstance(turn.expected, HttpError):
            continue
        error = turn.reply.error
        if error is not None and error.kind in late and record.retried(turn):
            # A client that retries until the caller's deadline may report a timeout.
            result.limit(f"a call on {turn.expected.status} retried until its deadline, and reported that")
            continue
        yield play, turn, turn.expected


def _wrong_statuses(record: ClientRunRecord) -> frozenset[int]:
    """Return the statuses that are reported wrongly even with a documented body."""
    plain = {clause_of_status(status) for status in (*_OWN_KIND, 400)}
    return frozenset(
        turn.expected.status
        for play in record.plays
        if play.clauses[0] in plain
        for turn in play.turns
        if isinstance(turn.expected, HttpError) and not turn.expected.body and status_problem(turn, turn.expected)
    )
