"""Batches compared: what was sent with what was handed over, member by member."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any
from urllib.parse import unquote

from batch_conformance.checks.client.record import ClientRunRecord, ValidBatch, member, shortened
from batch_conformance.checks.finding import MISSING
from batch_conformance.contract import Instant, parse_date_time
from batch_conformance.contract.load import COUNTS

FIELDS = "client.decode.fields"
TEXTS = ("id", "outputUrl", "webhookUrl")
ALL_MEMBERS = frozenset({*TEXTS, "created_at", "status", *(f"metrics.{name}" for name in COUNTS)})
MEMBERS = ("id", "created_at", "status", "metrics", "outputUrl", "webhookUrl")


#: How far apart two instants may be at most, less than this, to be the same: in seconds.
MILLISECOND = Fraction(1, 1_000)
MICROSECOND = Fraction(1, 1_000_000)


def instant_problem(sent: str, handed: Any, unit: Fraction = MILLISECOND) -> str:
    """What is wrong with the date handed over; empty when it is the instant sent, to the ``unit`` (seconds).

    Rounded or cut off there: both will do (contracts/decisions.md, 19).
    """
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
    return "" if apart < unit else f"the instant is off by {float(apart):g} s"


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
        if value in (MISSING, None):
            faults[name] = FIELDS if name in never else "does not arrive"
        elif type(value) is not int:
            faults[name] = "arrives as something else than an integer"
        elif permuted:
            faults[name] = FIELDS
        elif value == derived_count(name, sent["metrics"]):
            faults[name] = "arrives derived from the other counts"
        else:
            faults[name] = FIELDS if value and value in wires else "arrives changed"
    return faults


def derived_count(name: str, metrics: Mapping[str, int]) -> int:
    """What a count would be if the others determined it: the total as their sum, each other as the rest."""
    parts = [metrics[count] for count in COUNTS[1:]]
    if name == COUNTS[0]:
        return sum(parts)
    return metrics[COUNTS[0]] - sum(parts) + metrics[name]


def never_handed(record: ClientRunRecord) -> frozenset[str]:
    """Members and counts that no batch handed over ever has, though each of them was sent."""
    handed = [turn.reply.batch for _, turn, _ in record.ordinary if turn.reply.batch is not None]
    handed += [
        turn.reply.batch
        for play in record.plays
        for turn in play.turns
        if isinstance(turn.expected, ValidBatch) and turn.reply.batch is not None
    ]
    missing = {name for name in MEMBERS if all(member(batch, name) in (MISSING, None) for batch in handed)}
    metrics = [member(batch, "metrics") for batch in handed]
    missing |= {name for name in COUNTS if all(member(one, name) in (MISSING, None) for one in metrics)}
    return frozenset(missing) if handed else frozenset()


def refused_statuses(record: ClientRunRecord) -> frozenset[str]:
    """Documented statuses with which an otherwise ordinary batch is refused."""
    return frozenset(
        turn.expected.batch["status"]
        for play in record.plays
        if play.clauses[0] == "client.decode.status"
        for turn in play.turns
        if isinstance(turn.expected, ValidBatch) and turn.reply.batch is None
    )


def sound_members(record: ClientRunRecord) -> frozenset[str]:
    """Members that arrive right in every ordinary batch handed over."""
    sound = set(ALL_MEMBERS)
    for _, turn, sent in record.ordinary:
        if turn.reply.batch is not None:
            sound -= {name for name, _, _ in changes(sent, turn.reply.batch, frozenset(sound))}
    return frozenset(sound)


def changes(
    sent: Mapping[str, Any], handed: Mapping[str, Any], names: frozenset[str]
) -> Iterator[tuple[str, Any, Any]]:
    """Members that arrive with another value: name, value sent, value handed over."""
    for name in sorted(names):
        wire, value = value_at(sent, name), value_at(handed, name)
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


def value_at(batch: Mapping[str, Any], name: str) -> Any:
    """A member by its dotted name; absent counts as null."""
    value: Any = batch
    for part in name.split("."):
        value = member(value, part)
    return None if value is MISSING else value


def shown(value: Any) -> str:
    """A value as evidence shows it."""
    if value is MISSING:
        return "(absent)"
    return shortened(
        value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=repr)
    )
