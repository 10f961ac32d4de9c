"""Clauses ``client.decode.*``: a valid batch reaches the caller as it was sent.

Each member has one clause that is blamed for it. ``fields`` answers for what never arrives or arrives in the wrong
place; a value that is garbled on the way is the business of the member's own clause. Clauses about something else
(transfer, extra members…) look only at members that arrive right when there is nothing special about the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any
from urllib.parse import unquote

from batch_conformance.contract import Instant, parse_date_time
from batch_conformance.contract.load import COUNTS, STATUSES
from batch_conformance.exchange import Exchange
from batch_conformance.judge.client.material import (
    CLIENT_BENCH,
    ClientRecord,
    Play,
    Turn,
    Valid,
    accepted,
    member,
    shortened,
)
from batch_conformance.judge.finding import ABSENT, Judgement

_TEXTS = ("id", "outputUrl", "webhookUrl")
_MEMBERS = ("id", "created_at", "status", "metrics", "outputUrl", "webhookUrl")
_FIELDS = "client.decode.fields"
#: The clauses that explain what goes wrong with a batch that is special in one way.
ONE_BY_ONE = tuple(
    f"client.decode.{name}" for name in ("status", "created_at", "counts", "optional", "unknown-fields", "transfer")
)
_NEVER = "see client.decode.fields: it never reaches the caller"


@CLIENT_BENCH.judges_clause(_FIELDS)
def fields(record: ClientRecord, judgement: Judgement) -> None:
    """An ordinary batch arrives, with every member in its place."""
    never = never_handed(record)
    for play, turn in record.turns(judgement):
        if not isinstance(turn.told, Valid):
            continue
        if not play.ordinary:
            _judge_mixture(record, judgement, play, turn)
            continue
        judgement.look()
        sent, handed = turn.told.batch, turn.reply.batch
        if handed is None:
            judgement.blame(
                turn.last, "an ordinary batch did not reach the caller", expected="the batch", actual=turn.said()
            )
            continue
        for name in _TEXTS:
            if member(handed, name) != sent[name]:
                _blame_member(judgement, turn.last, name, sent[name], member(handed, name))
        for name in ("created_at", "status", "metrics"):
            if name in never:
                _blame_member(judgement, turn.last, name, sent[name], member(handed, name))
        if isinstance(member(handed, "metrics"), Mapping):
            for name, fault in count_faults(never, sent, handed).items():
                if fault == _FIELDS:
                    value = member(handed["metrics"], name)
                    _blame_member(judgement, turn.last, f"metrics.{name}", sent["metrics"][name], value)


def _judge_mixture(record: ClientRecord, judgement: Judgement, play: Play, turn: Turn) -> None:
    """A batch that is special in several ways at once: blamed only where no clause has an explanation."""
    if not record.decodes or any(record.is_broken(clause) for clause in ONE_BY_ONE):
        return
    judgement.look()
    assert isinstance(turn.told, Valid)
    if turn.reply.batch is None:
        judgement.blame(turn.last, f"a valid batch was refused: {play.title}", expected="the batch", actual=turn.said())
        return
    for name, wire, value in _changes(turn.told.batch, turn.reply.batch, sound_members(record)):
        _blame_member(judgement, turn.last, name, wire, value)


def _blame_member(judgement: Judgement, exchange: Exchange | None, name: str, sent: Any, handed: Any) -> None:
    judgement.blame(
        exchange,
        f"{name} {'does not reach' if handed in (ABSENT, None) else 'reaches'} the caller"
        + ("" if handed in (ABSENT, None) else " with another value"),
        expected=f"{name}: {_shown(sent)}",
        actual=f"{name}: {_shown(handed)}",
    )


@CLIENT_BENCH.judges_clause("client.decode.status", needs=[_FIELDS])
def status(record: ClientRecord, judgement: Judgement) -> None:
    """Each of the five, to the letter."""
    if "status" in never_handed(record):
        judgement.remark(_NEVER)
        return
    for _, turn, sent, handed in accepted(record, judgement):
        judgement.look()
        if member(handed, "status") != sent["status"]:
            judgement.blame(
                turn.last,
                "the status arrives as another one",
                expected=f"status: {_shown(sent['status'])}",
                actual=f"status: {_shown(member(handed, 'status'))}",
            )


@CLIENT_BENCH.judges_clause("client.decode.created_at", needs=[_FIELDS])
def created_at(record: ClientRecord, judgement: Judgement) -> None:
    """The instant that was sent, to the microsecond; any offset will do, none will not."""
    if "created_at" in never_handed(record):
        judgement.remark(_NEVER)
        return
    for play, turn, sent, handed in accepted(record, judgement):
        judgement.look()
        problem = instant_problem(sent["created_at"], member(handed, "created_at"))
        if problem:
            judgement.blame(
                turn.last,
                f"{problem}: {play.title}",
                expected=f"created_at: the instant {sent['created_at']}, with an offset",
                actual=f"created_at: {_shown(member(handed, 'created_at'))}",
            )


def instant_problem(sent: str, handed: Any) -> str:
    """What is wrong with the date handed over; empty when it is the instant sent, to the microsecond."""
    if not isinstance(handed, str):
        return "the date is no RFC 3339 date-time"
    # RFC 3339, 5.6 lets a space stand for the T; that is how some languages print dates.
    instant = parse_date_time(handed[:10] + "T" + handed[11:] if handed[10:11] == " " else handed)
    wanted = parse_date_time(sent)
    assert isinstance(wanted, Instant)
    if isinstance(instant, str):
        naive = not isinstance(parse_date_time(f"{handed.replace(' ', 'T')}Z"), str)
        return "the offset is lost" if naive else f"the date is {instant}"
    apart = abs(instant.seconds + instant.fraction - wanted.seconds - wanted.fraction)
    return "" if apart < Fraction(1, 1_000_000) else f"the instant is off by {float(apart):g} s"


@CLIENT_BENCH.judges_clause("client.decode.counts", needs=[_FIELDS, "client.decode.status"])
def counts(record: ClientRecord, judgement: Judgement) -> None:
    """Integers, exact, as sent."""
    never = never_handed(record)
    if "metrics" in never:
        judgement.remark(_NEVER)
        return
    misplaced = {
        name
        for _, turn, sent in record.ordinary
        if isinstance(member(turn.reply.batch, "metrics"), Mapping)
        for name, fault in count_faults(never, sent, turn.reply.batch or {}).items()
        if fault == _FIELDS
    }
    for play, turn, sent, handed in accepted(record, judgement, refused_statuses(record)):
        judgement.look()
        metrics = member(handed, "metrics")
        if not isinstance(metrics, Mapping):
            judgement.blame(
                turn.last, "metrics is no object", expected="the four counts", actual=f"metrics: {_shown(metrics)}"
            )
            continue
        for name, fault in count_faults(never, sent, handed).items():
            if fault != _FIELDS and name not in misplaced:
                judgement.blame(
                    turn.last,
                    f"{name} {fault}: {play.title}",
                    expected=f"{name}: {_shown(sent['metrics'][name])}",
                    actual=f"{name}: {_shown(member(metrics, name))}",
                )


def count_faults(never: frozenset[str], sent: Mapping[str, Any], handed: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each count: the clause that answers for a misplaced or lost one, else a predicate.

    ``never`` are the counts that no batch handed over ever has.
    """
    wires = [sent["metrics"][name] for name in COUNTS]
    values = [member(handed["metrics"], name) for name in COUNTS]
    permuted = all(type(value) is int for value in values) and sorted(values) == sorted(wires)
    faults = {}
    for name, wire, value in zip(COUNTS, wires, values, strict=True):
        if type(value) is int and value == wire:
            continue
        if value in (ABSENT, None):
            faults[name] = _FIELDS if name in never else "does not arrive"
        elif type(value) is not int:
            faults[name] = "arrives as something else than an integer"
        elif permuted:
            faults[name] = _FIELDS
        elif value == derived_count(name, sent["metrics"]):
            faults[name] = "arrives derived from the other counts"
        else:
            faults[name] = _FIELDS if value and value in wires else "arrives changed"
    return faults


def derived_count(name: str, metrics: Mapping[str, int]) -> int:
    """What a count would be if the others determined it: the total as their sum, each other as the rest."""
    parts = [metrics[count] for count in COUNTS[1:]]
    if name == COUNTS[0]:
        return sum(parts)
    return metrics[COUNTS[0]] - sum(parts) + metrics[name]


@CLIENT_BENCH.judges_clause("client.decode.optional", needs=[_FIELDS, "client.decode.status"])
def optional(record: ClientRecord, judgement: Judgement) -> None:
    """No webhookUrl stays none, an empty outputUrl stays empty."""
    never = never_handed(record)
    for _, turn, sent, handed in accepted(record, judgement, refused_statuses(record)):
        judgement.look()
        webhook, output = member(handed, "webhookUrl"), member(handed, "outputUrl")
        if sent.get("webhookUrl") is None and webhook not in (None, ABSENT):
            given = "null" if "webhookUrl" in sent else "absent"
            judgement.blame(
                turn.last,
                f"webhookUrl was {given}, and is turned into something",
                expected="webhookUrl: null, or left out",
                actual=f"webhookUrl: {_shown(webhook)}",
            )
        if sent["outputUrl"] == "" and output != "" and "outputUrl" not in never:
            judgement.blame(
                turn.last,
                "an empty outputUrl is turned into something else",
                expected='outputUrl: ""',
                actual=f"outputUrl: {_shown(output)}",
            )


@CLIENT_BENCH.judges_clause("client.decode.unknown-fields", needs=[_FIELDS])
def unknown_fields(record: ClientRecord, judgement: Judgement) -> None:
    """Extra members are no reason to refuse, and change nothing."""
    _unchanged(record, judgement, "extra members change it")


@CLIENT_BENCH.judges_clause("client.decode.transfer", needs=[_FIELDS])
def transfer(record: ClientRecord, judgement: Judgement) -> None:
    """However a batch is written down and sent, it is the same batch."""
    _unchanged(record, judgement, "the way it was sent changes it")


def _unchanged(record: ClientRecord, judgement: Judgement, how: str) -> None:
    sound = sound_members(record)
    for play, turn, sent, handed in accepted(record, judgement):
        judgement.look()
        for name, wire, value in _changes(sent, handed, sound):
            judgement.blame(
                turn.last, f"{name}: {how}: {play.title}", expected=f"{name}: {_shown(wire)}",
                actual=f"{name}: {_shown(value)}",
            )  # fmt: skip


@CLIENT_BENCH.judges_clause("client.decode.fresh", needs=[_FIELDS])
def fresh(record: ClientRecord, judgement: Judgement) -> None:
    """Each call of a play sees its own answer."""
    if not record.decodes:
        judgement.remark("the client hands over no batch at all: see client.decode.fields")
        return
    sound = sound_members(record)
    for play in record.plays:
        if judgement.clause not in play.clauses:
            continue
        for before, turn in zip(play.turns, play.turns[1:], strict=False):
            judgement.look()
            stale = _stale(before, turn, sound)
            if stale:
                judgement.blame(
                    turn.last or before.last,
                    f"the second call sees the first answer: {play.title}",
                    expected=f"what the second answer says ({_shown(stale[0])})",
                    actual=f"what the first answer said ({_shown(stale[1])})",
                )


def _stale(before: Turn, turn: Turn, sound: frozenset[str]) -> tuple[Any, Any] | None:
    """What the second answer said and what was reported instead, if that is what the first answer said."""
    if isinstance(turn.told, Valid) and isinstance(before.told, Valid):
        if turn.reply.batch is None:
            return None
        for name, wire, value in _changes(turn.told.batch, turn.reply.batch, sound):
            old = _at(before.told.batch, name)
            if value == old != wire:
                return f"{name}: {wire}", f"{name}: {value}"
        return None
    if isinstance(before.told, Valid) and turn.reply.batch is not None:
        # Another batch than the first one is not remembered but made up: the status's own clause has it.
        changed = list(_changes(before.told.batch, turn.reply.batch, sound))
        return None if changed else ("an error", turn.said())
    first, second = before.reply.error, turn.reply.error
    if isinstance(turn.told, Valid) and first and second and (first.kind, first.status) == (second.kind, second.status):
        return "a batch", turn.said()
    return None


@CLIENT_BENCH.judges_clause("client.decode.unknown-status", needs=[_FIELDS, "client.decode.status"])
def unknown_status(record: ClientRecord, judgement: Judgement) -> None:
    """Handed on to the letter, or refused as not decodable (decision 9)."""
    if not record.decodes or "status" in never_handed(record):
        judgement.remark("no status reaches the caller at all: see client.decode.fields")
        return
    for _, turn in record.turns(judgement):
        if not isinstance(turn.told, Valid):
            continue
        judgement.look()
        wire = turn.told.batch["status"]
        expected = f"status {_shown(wire)} handed on, or an error of kind decode"
        if turn.reply.batch is None:
            if turn.reply.error is None or turn.reply.error.kind != "decode":
                judgement.blame(turn.last, "an unknown status leads to another error", expected=expected,
                                actual=turn.said())  # fmt: skip
        elif member(turn.reply.batch, "status") != wire and not _usually_changed(record, wire, turn.reply.batch):
            judgement.blame(
                turn.last,
                "an unknown status is renamed",
                expected=expected,
                actual=f"status: {_shown(member(turn.reply.batch, 'status'))}",
            )


def _usually_changed(record: ClientRecord, wire: str, handed: Mapping[str, Any]) -> bool:
    """Whether the client writes every status in another way: then ``client.decode.status`` has said so."""
    value = member(handed, "status")
    same = isinstance(value, str) and _letters(value) == _letters(wire) and value not in STATUSES
    return same and record.is_broken("client.decode.status")


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def refused_statuses(record: ClientRecord) -> frozenset[str]:
    """Documented statuses with which an otherwise ordinary batch is refused."""
    return frozenset(
        turn.told.batch["status"]
        for play in record.plays
        if play.clauses[0] == "client.decode.status"
        for turn in play.turns
        if isinstance(turn.told, Valid) and turn.reply.batch is None
    )


def never_handed(record: ClientRecord) -> frozenset[str]:
    """Members and counts that no batch handed over ever has, though each of them was sent."""
    handed = [turn.reply.batch for _, turn, _ in record.ordinary if turn.reply.batch is not None]
    handed += [
        turn.reply.batch
        for play in record.plays
        for turn in play.turns
        if isinstance(turn.told, Valid) and turn.reply.batch is not None
    ]
    missing = {name for name in _MEMBERS if all(member(batch, name) in (ABSENT, None) for batch in handed)}
    metrics = [member(batch, "metrics") for batch in handed]
    missing |= {name for name in COUNTS if all(member(one, name) in (ABSENT, None) for one in metrics)}
    return frozenset(missing) if handed else frozenset()


def sound_members(record: ClientRecord) -> frozenset[str]:
    """Members that arrive right in every ordinary batch handed over."""
    sound = {*_TEXTS, "created_at", "status", *(f"metrics.{name}" for name in COUNTS)}
    for _, turn, sent in record.ordinary:
        if turn.reply.batch is not None:
            sound -= {name for name, _, _ in _changes(sent, turn.reply.batch, frozenset(sound))}
    return frozenset(sound)


def _changes(sent: Mapping[str, Any], handed: Mapping[str, Any], names: frozenset[str]) -> Iterator[tuple[str, Any, Any]]:
    """Members that arrive with another value: name, value sent, value handed over."""
    for name in sorted(names):
        wire, value = _at(sent, name), _at(handed, name)
        if wire is None and value is None:
            continue
        if name == "created_at":
            if instant_problem(wire, value):
                yield name, wire, value
        elif name in ("outputUrl", "webhookUrl") and isinstance(wire, str) and isinstance(value, str):
            # A client may keep URLs as such, and then writes what is not ASCII percent-encoded.
            if unquote(wire) != unquote(value):
                yield name, wire, value
        elif value != wire or type(value) is not type(wire):
            yield name, wire, value


def _at(batch: Mapping[str, Any], name: str) -> Any:
    """A member by its dotted name; absent counts as null."""
    value: Any = batch
    for part in name.split("."):
        value = member(value, part)
    return None if value is ABSENT else value


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "(absent)"
    return shortened(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=repr))
