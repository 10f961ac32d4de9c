"""Limits of a pass on bodies: states, enum values, optional members and conditions that were not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.judged import conditions
from batch_conformance.checks.server.record import Record
from batch_conformance.checks.words import dotted
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.pointers import MISSING as NOWHERE
from batch_conformance.contract.pointers import expand, read

_MAX_VALUES = 6


def of_places(record: Record, result: CheckResult, seen: Sequence[dict[str, Any]]) -> None:
    """Add the limits of a pass on a clause's places; ``seen`` are the batches without a violation there."""
    _limit_conditions(record, result)
    _limit_values(record, result, seen)
    _limit_optional(record, result, seen)


def never_met(record: Record, clause: str) -> str:
    """Return the reason why no response could be judged by a clause's rules."""
    codes = {rule.code for rule in clause_list().rules_of(clause, record.operation)}
    words = [one.words for one in conditions(record.operation, None) if one.codes & codes]
    return f"no {words[0]} was seen" if words else "no answer was what the rule is about"


def _limit_conditions(record: Record, result: CheckResult) -> None:
    for at, one in enumerate(conditions(record.operation, None)):
        covered = any(clause_list().of_place(pointer, record.operation) == result.clause for pointer in one.pointers)
        if covered and not any(at in record.judged(exchange).conditions_met for exchange, _ in record.batches):
            result.limit(f"no {one.words} was seen")


def _limit_values(record: Record, result: CheckResult, seen: Sequence[dict[str, Any]]) -> None:
    """Add a limit for each enum of which only some values were seen."""
    for place in record.entity.places:
        if place.keyword != "enum" or place.conditional:
            continue
        if clause_list().of_place(place.pointer, record.operation) != result.clause:
            continue
        received = [read(batch, pointer) for batch in seen for pointer in expand(batch, place.pointer)]
        missing = [str(value) for value in place.schema["enum"] if value not in received and value is not None]
        if not missing or len(missing) == len(place.schema["enum"]):
            continue
        listed = ", ".join(missing[:_MAX_VALUES]) + (", …" if len(missing) > _MAX_VALUES else "")
        own = place.pointer == record.entity.lifecycle_pointer
        result.limit(f"no batch was seen {'in' if own else f'with {dotted(place.pointer)}'} {listed}")


def _limit_optional(record: Record, result: CheckResult, seen: Sequence[dict[str, Any]]) -> None:
    """Add a limit for optional or nullable members that never had a value."""
    entity = record.entity
    never = []
    for name in entity.members:
        pointer = f"/{name.replace('~', '~0').replace('/', '~1')}"
        covered = clause_list().of_place(pointer, record.operation) == result.clause and bool(seen)
        if covered and all(read(batch, pointer) in (None, NOWHERE) for batch in seen):
            never.append(name)
    if never:
        result.limit(f"no batch had a {' or '.join(never)}")
