"""Clauses ``client.error.*``: each error status arrives as the error it is."""

from __future__ import annotations

from collections.abc import Iterator

from batch_conformance.judge.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.judge.client.material import (
    CLIENT_BENCH,
    ClientRecord,
    Play,
    Refusal,
    Turn,
    Unfit,
    Valid,
    clause_of_status,
)
from batch_conformance.judge.client.reject import FALSE_KINDS
from batch_conformance.judge.finding import Judgement

#: Statuses with a clause, and a kind, of their own.
_OWN_KIND = (401, 404, 429, 500)
#: Statuses about waiting too long: some clients call them a timeout, and rightly.
_LATE = frozenset({408, 504})


def kinds_of(status: int) -> frozenset[str]:
    """The kinds under which an error status may be reported."""
    clause = clause_of_status(status)
    if status in _OWN_KIND:
        return accepted_kinds(clause)
    return accepted_kinds(clause, "5xx" if status >= 500 else "4xx", *(["late"] if status in _LATE else []))


def _judge_status(record: ClientRecord, judgement: Judgement) -> None:
    for play, turn, told in _refusals(record, judgement):
        if told.status in _OWN_KIND and judgement.clause != f"client.error.{told.status}":
            continue
        judgement.look()
        problem = status_problem(turn, told)
        if problem:
            _blame(judgement, play, turn, told, problem)


for _status in _OWN_KIND:
    CLIENT_BENCH.judges_clause(f"client.error.{_status}")(_judge_status)
CLIENT_BENCH.judges_clause("client.error.other-status")(_judge_status)


def status_problem(turn: Turn, told: Refusal) -> str:
    """What is wrong with the report of an error status; empty when nothing is."""
    error = turn.reply.error
    if error is None:
        return "is taken for a batch"
    if error.kind not in kinds_of(told.status):
        return "is reported as another kind of error"
    if error.status != told.status:
        return "is reported without its status" if error.status is None else "is reported with another status"
    return ""


def _blame(judgement: Judgement, play: Play, turn: Turn, told: Refusal, problem: str) -> None:
    judgement.blame(
        turn.last,
        f"a {told.status} {problem}: {play.title}",
        expected=f"{shown_kinds(kinds_of(told.status))}, with status {told.status}",
        actual=turn.said(),
    )


@CLIENT_BENCH.judges_clause("client.error.message")
def message(record: ClientRecord, judgement: Judgement) -> None:
    """Every message of the body stands in what the caller sees."""
    for play, turn, told in _refusals(record, judgement):
        if turn.reply.error is None or turn.reply.error.kind not in kinds_of(told.status):
            judgement.set_aside(clause_of_status(told.status))
            continue
        judgement.look()
        shown = " ".join(turn.reply.error.message.split())
        lost = [text for text in told.messages if text not in shown]
        if lost:
            judgement.blame(
                turn.last,
                f"the server's message does not reach the caller: {play.title}",
                expected=f"a message that contains {' and '.join(repr(text) for text in told.messages)}",
                actual=repr(turn.reply.error.message[:300]),
            )


@CLIENT_BENCH.judges_clause(
    "client.error.odd-body",
    needs=[*(f"client.error.{status}" for status in _OWN_KIND), "client.error.other-status"],
)
def odd_body(record: ClientRecord, judgement: Judgement) -> None:
    """Whatever the body, the status makes the error. Statuses that go wrong with a proper body are left out."""
    wrong = _wrong_statuses(record)
    for play, turn, told in _refusals(record, judgement):
        if told.status in wrong:
            judgement.set_aside(clause_of_status(told.status))
            continue
        judgement.look()
        problem = status_problem(turn, told)
        if problem:
            _blame(judgement, play, turn, told, problem)


@CLIENT_BENCH.judges_clause(
    "client.error.status-line-wins", needs=["client.error.odd-body", "client.decode.unknown-fields"]
)
def status_line_wins(record: ClientRecord, judgement: Judgement) -> None:
    """A body that names another status changes nothing."""
    wrong = _wrong_statuses(record)
    for play, turn in record.turns(judgement):
        told = turn.told
        if isinstance(told, Refusal) and told.status in wrong:
            judgement.set_aside(clause_of_status(told.status))
        elif isinstance(told, Refusal):
            judgement.look()
            problem = status_problem(turn, told)
            if problem:
                _blame(judgement, play, turn, told, problem)
        elif isinstance(told, Unfit):
            if record.is_broken("client.reject.not-json"):
                judgement.set_aside("client.reject.not-json")
                continue
            judgement.look()
            error = turn.reply.error
            if error is not None and error.kind in FALSE_KINDS:
                judgement.blame(
                    turn.last,
                    f"a 200 is reported as what its body says: {play.title}",
                    expected="an error of kind decode",
                    actual=turn.said(),
                )
        elif isinstance(told, Valid):
            if not record.decodes or record.is_broken("client.decode.unknown-fields"):
                # Extra members alone are refused.
                judgement.set_aside(
                    "client.decode.unknown-fields" if record.decodes else "client.decode.fields"
                )
                continue
            judgement.look()
            error = turn.reply.error
            # A refusal to decode is about extra members, and has its own clause.
            if error is not None and error.kind != "decode":
                judgement.blame(
                    turn.last,
                    f"a 200 is taken for an error: {play.title}",
                    expected="the batch",
                    actual=turn.said(),
                )


def _refusals(record: ClientRecord, judgement: Judgement) -> Iterator[tuple[Play, Turn, Refusal]]:
    late = accepted_kinds("client.retry.bounded", "late")
    for play, turn in record.turns(judgement):
        if not isinstance(turn.told, Refusal):
            continue
        error = turn.reply.error
        if error is not None and error.kind in late and record.retried(turn):
            # A client that retries until the caller's deadline may say so.
            judgement.limit(f"a call on {turn.told.status} retried until its deadline, and reported that")
            continue
        yield play, turn, turn.told


def _wrong_statuses(record: ClientRecord) -> frozenset[int]:
    """Statuses that are reported wrongly even with a documented body."""
    plain = {clause_of_status(status) for status in (*_OWN_KIND, 400)}
    return frozenset(
        turn.told.status
        for play in record.plays
        if play.clauses[0] in plain
        for turn in play.turns
        if isinstance(turn.told, Refusal) and not turn.told.body and status_problem(turn, turn.told)
    )
