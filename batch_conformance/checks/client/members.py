"""Clauses ``client.decode.*`` about one member each: id, status, created_at, counts.

What never arrives, or arrives in the wrong place, is for ``client.decode.fields``; what is garbled on the way is judged
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from batch_conformance.checks.client.compare import (
    ALL_MEMBERS,
    FIELDS,
    MICROSECOND,
    changes,
    count_faults,
    instant_problem,
    never_handed,
    refused_statuses,
    shown,
    sound_members,
    value_at,
)
from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    CallResult,
    CaseResult,
    ClientRunRecord,
    ValidBatch,
    accepted,
    is_mixture,
    member,
)
from batch_conformance.checks.finding import CheckResult
from batch_conformance.contract.load import COUNTS

#: The clauses that explain what goes wrong with a batch that is special in one way.
ONE_BY_ONE = tuple(
    f"client.decode.{name}"
    for name in ("status", "created_at", "counts", "optional", "unknown-fields", "transfer")
)
_CREATED_AT = "client.decode.created_at"
_COUNTS = "client.decode.counts"
#: Clauses about a way to write a member that not every library reads: refusing it breaks them, misreading the member's.
_LETTERS = "client.decode.created_at-letters"
_FRACTION = "client.decode.counts-fraction"
#: A batch sent and the one handed over, with the play and the call that it belongs to.
Row = tuple[CaseResult, CallResult, Mapping[str, Any], dict[str, Any]]


def mixtures(record: ClientRunRecord, result: CheckResult, name: str) -> Iterator[Row]:
    """Batches handed over that were special in several ways: those in which nothing but ``name`` may be wrong.

    A batch that is lost as a whole, or that is special in a way that is misread by itself, is not one member's fault.
    """
    clause = result.clause
    rows = [
        (play, turn, turn.expected.batch, turn.reply.batch)
        for play in record.plays
        if is_mixture(play)
        for turn in play.turns
        if isinstance(turn.expected, ValidBatch) and turn.reply.batch is not None
    ]
    plain, sound = record.without_mixtures, sound_members(record)
    cause = (
        next((other for other in ONE_BY_ONE if other != clause and plain.is_broken(other)), "")
        if rows
        else ""
    )
    for play, turn, sent, handed in rows:
        observations = sound | {each for each in ALL_MEMBERS if each.partition(".")[0] == name}
        wrong = {each.partition(".")[0] for each, _, _ in changes(sent, handed, observations)}
        if cause:
            result.set_aside(cause)
        elif name in wrong and len(wrong) > 1:
            result.set_aside(FIELDS)
        else:
            yield play, turn, sent, handed


def _misread(record: ClientRunRecord, clause: str) -> Iterator[Row]:
    """What was made of batches in whose plays only a refusal is for ``clause`` to judge."""
    for play in record.plays:
        if play.clauses[0] == clause:
            for turn in play.turns:
                if isinstance(turn.expected, ValidBatch) and turn.reply.batch is not None:
                    yield play, turn, turn.expected.batch, turn.reply.batch


def never_arrives(record: ClientRunRecord, result: CheckResult, name: str) -> bool:
    """Whether the member is missing in every batch handed over; then all that was seen of it is set aside."""
    if name not in never_handed(record):
        return False
    result.set_aside(FIELDS, sum(1 for _, turn in record.turns(result) if isinstance(turn.expected, ValidBatch)))
    return True


@CLIENT_CHECKS.check("client.decode.id", needs=[FIELDS])
def id_that_came(record: ClientRunRecord, result: CheckResult) -> None:
    """The id in the answer, though another one was asked for; or a refusal."""
    if never_arrives(record, result, "id"):
        return
    sound = "id" in sound_members(record) and not record.is_broken(FIELDS)
    kinds = accepted_kinds(result.clause)
    for play, turn in record.turns(result):
        if not isinstance(turn.expected, ValidBatch):
            continue
        if not record.decodes or not sound:
            result.set_aside(FIELDS)
            continue
        result.observe()
        came, asked, error = turn.expected.batch["id"], turn.call.batch_id, turn.reply.error
        if error is not None and error.kind in kinds:
            result.limit("a batch with another id than the one asked for is refused")
            continue
        handed = member(turn.reply.batch, "id")
        if error is None and handed == came:
            continue
        problem = "the id asked for is reported" if handed == asked else "another id than the one that came"
        result.fail(
            turn.last,
            f"{problem}: {play.title}",
            expected=f"id: {shown(came)}, or {shown_kinds(kinds)}",
            actual=turn.said() if error is not None else f"id: {shown(handed)}",
        )


@CLIENT_CHECKS.check("client.decode.status", needs=[FIELDS])
def status(record: ClientRunRecord, result: CheckResult) -> None:
    """Each of the five, to the letter."""
    if never_arrives(record, result, "status"):
        return
    for _, turn, sent, handed in chain(accepted(record, result), mixtures(record, result, "status")):
        result.observe()
        if member(handed, "status") != sent["status"]:
            result.fail(
                turn.last,
                "the status arrives as another one",
                expected=f"status: {shown(sent['status'])}",
                actual=f"status: {shown(member(handed, 'status'))}",
            )


@CLIENT_CHECKS.check(_CREATED_AT, needs=[FIELDS])
def created_at(record: ClientRunRecord, result: CheckResult) -> None:
    """The instant that was sent, to the millisecond; any offset will do, none will not."""
    if never_arrives(record, result, "created_at"):
        return
    for play, turn, sent, handed in chain(
        accepted(record, result), mixtures(record, result, "created_at"), _misread(record, _LETTERS)
    ):
        result.observe()
        problem = instant_problem(sent["created_at"], member(handed, "created_at"))
        if problem:
            _blame_date(result, play, turn, problem, sent, handed)


@CLIENT_CHECKS.check("client.decode.created_at-precision", needs=[FIELDS, _CREATED_AT])
def precision(record: ClientRunRecord, result: CheckResult) -> None:
    """To the microsecond, where the millisecond is right."""
    coarse = record.is_broken(_CREATED_AT)
    for play, turn in record.turns(result):
        if not isinstance(turn.expected, ValidBatch):
            continue
        sent, handed = turn.expected.batch, turn.reply.batch
        if handed is None or coarse:
            never = not record.decodes or "created_at" in never_handed(record)
            result.set_aside(FIELDS if never else _CREATED_AT)
            continue
        result.observe()
        problem = instant_problem(sent["created_at"], member(handed, "created_at"), MICROSECOND)
        if problem:
            _blame_date(result, play, turn, problem, sent, handed)


@CLIENT_CHECKS.check(_LETTERS, needs=[FIELDS, _CREATED_AT])
def letters(record: ClientRunRecord, result: CheckResult) -> None:
    """Dates in lower case are no reason to refuse a batch."""
    def right(sent: Mapping[str, Any], handed: dict[str, Any]) -> bool:
        return not instant_problem(sent["created_at"], member(handed, "created_at"))

    _no_reason_to_refuse(record, result, _CREATED_AT, right)


def _no_reason_to_refuse(
    record: ClientRunRecord,
    result: CheckResult,
    plainly: str,
    right: Callable[[Mapping[str, Any], dict[str, Any]], bool],
) -> None:
    """Blame refusals only: what is misread is for the clause ``plainly``, and all that fails where that is broken."""
    broken = record.is_broken(plainly)
    never = never_handed(record)
    lost = bool(never) and any(name.startswith(("created_at", "metrics", *COUNTS)) for name in never)
    for play, turn in record.turns(result):
        if not isinstance(turn.expected, ValidBatch):
            continue
        handed = turn.reply.batch
        if handed is not None and right(turn.expected.batch, handed):
            result.observe()
        elif not record.decodes or (handed is not None and lost):
            result.set_aside(FIELDS)
        elif broken or handed is not None:
            result.set_aside(plainly)
        else:
            result.observe()
            result.fail(
                turn.last,
                f"a valid batch was refused: {play.title}",
                expected="the batch",
                actual=turn.said(),
            )


def _blame_date(
    result: CheckResult,
    play: CaseResult,
    turn: CallResult,
    problem: str,
    sent: Mapping[str, Any],
    handed: Mapping[str, Any],
) -> None:
    result.fail(
        turn.last,
        f"{problem}: {play.title}",
        expected=f"created_at: the instant {sent['created_at']}, with an offset",
        actual=f"created_at: {shown(member(handed, 'created_at'))}",
    )


@CLIENT_CHECKS.check(_COUNTS, needs=[FIELDS, "client.decode.status"])
def counts(record: ClientRunRecord, result: CheckResult) -> None:
    """Integers, exact, as sent."""
    never = never_handed(record)
    if never_arrives(record, result, "metrics"):
        return
    misplaced = never | {
        name
        for _, turn, sent in record.ordinary
        if isinstance(member(turn.reply.batch, "metrics"), Mapping)
        for name, fault in count_faults(never, sent, turn.reply.batch or {}).items()
        if fault == FIELDS
    }
    for play, turn, sent, handed in chain(
        accepted(record, result, refused_statuses(record)), mixtures(record, result, "metrics")
    ):
        metrics = member(handed, "metrics")
        if not isinstance(metrics, Mapping):
            result.observe()
            result.fail(
                turn.last,
                "metrics is no object",
                expected="the four counts",
                actual=f"metrics: {shown(metrics)}",
            )
            continue
        faults = count_faults(never, sent, handed)
        lost = {name for name in COUNTS if name in misplaced or faults.get(name) == FIELDS}
        if len(lost) == len(COUNTS):
            result.set_aside(FIELDS)
            continue
        result.observe()
        for name in [name for name in faults if name not in lost]:
            _blame_count(result, play, turn, name, faults[name], sent, metrics)
    for play, turn, sent, handed in _misread(record, _FRACTION):
        result.observe()
        for name in [name for name in COUNTS if name not in misplaced]:
            value = value_at(handed, f"metrics.{name}")
            if not _is_number(value) or value != sent["metrics"][name]:
                _blame_count(result, play, turn, name, "arrives changed", sent, member(handed, "metrics"))


@CLIENT_CHECKS.check(_FRACTION, needs=[FIELDS, _COUNTS])
def counts_fraction(record: ClientRunRecord, result: CheckResult) -> None:
    """Counts with a fraction of zero are no reason to refuse a batch; 5.0 may be handed on as 5.0."""

    def right(sent: Mapping[str, Any], handed: dict[str, Any]) -> bool:
        values = {name: value_at(handed, f"metrics.{name}") for name in COUNTS}
        return all(_is_number(value) and value == sent["metrics"][name] for name, value in values.items())

    _no_reason_to_refuse(record, result, _COUNTS, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _blame_count(
    result: CheckResult,
    play: CaseResult,
    turn: CallResult,
    name: str,
    fault: str,
    sent: Mapping[str, Any],
    metrics: object,
) -> None:
    result.fail(
        turn.last,
        f"{name} {fault}: {play.title}",
        expected=f"{name}: {shown(sent['metrics'][name])}",
        actual=f"{name}: {shown(member(metrics, name))}",
    )
