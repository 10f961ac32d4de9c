"""Checks of ``server.poll.*``: changes of a batch from one read to the next.

The contract states the identity, the order of statuses and what is frozen in a final one (``x-identity``,
``x-lifecycle``), and further rules that join two reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.body import NOT_IN_CONTRACT, weigh
from batch_conformance.checks.server.judged import Evaluation, moved
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.checks.words import dotted, shown
from batch_conformance.contract import parse_date_time
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import Entity
from batch_conformance.contract.numbers import same
from batch_conformance.contract.pointers import MISSING, join, read, split
from batch_conformance.contract.rule_list import beside
from batch_conformance.http import Exchange

_NEEDS = ["reads", "late-reads", "auth-per-request", "burst"]

#: Maximum depth, since a recursive schema has no end.
_MAX_DEPTH = 8

Pair = tuple[dict[str, Any], dict[str, Any]]


def _pairs(
    record: Record,
    result: CheckResult,
    counts: Callable[[Pair], bool] = bool,
    none: str = "no batch was read twice",
) -> Iterator[tuple[tuple[Exchange, Exchange], Pair]]:
    """Yield successive reads of one batch that ``counts`` accepts as evidence.

    ``none`` is the reason to note if there are none.
    """
    if record.mixed_up and record.entity.echo:
        result.set_aside(clause_list().of_place(record.entity.echo, record.operation), len(record.mixed_up))
    for first, before, second, after in record.successive():
        if counts((before, after)):
            result.observe()
            yield (first, second), (before, after)
    if not result.observations:
        result.note(none)


def _limit_unless_changed(result: CheckResult, changed: bool, limit: str) -> None:
    """Add a limit to a pass if nothing changed between any two reads."""
    if result.observations and not changed:
        result.limit(limit)


@SERVER_CHECKS.check("server.poll.identity", needs=_NEEDS)
def identity(record: Record, result: CheckResult) -> None:
    """Check that the members that identify a batch never change."""
    entity = record.entity
    if not entity.identity:
        result.note(NOT_IN_CONTRACT)
        return
    changed = False
    for reads, (before, after) in _pairs(record, result):
        changed = changed or _state(entity, before) != _state(entity, after)
        for pointer in entity.identity:
            first, second = read(before, pointer), read(after, pointer)
            if not unchanged(first, second, entity, pointer):
                _report_change(result, reads, dotted(pointer), pointer, first, second)
    _limit_unless_changed(result, changed, "no batch changed its status between two reads")


def unchanged(first: object, second: object, entity: Entity, pointer: str) -> bool:
    """Whether two values are equal; documented date-times are compared as instants."""
    if isinstance(first, str) and isinstance(second, str) and _is_date_time(entity, pointer):
        one, other = parse_date_time(first), parse_date_time(second)
        if not isinstance(one, str) and not isinstance(other, str):
            return one == other
    return first is second or (MISSING not in (first, second) and same(first, second))


def _is_date_time(entity: Entity, pointer: str) -> bool:
    return any(layer.get("format") == "date-time" for layer in entity.layers_at(pointer))


@SERVER_CHECKS.check("server.poll.forward-only", needs=_NEEDS)
def forward_only(record: Record, result: CheckResult) -> None:
    """Check that the status never goes back in the documented order."""
    entity = record.entity
    cycle = entity.lifecycle
    if not cycle.order and not cycle.final:
        result.note("the contract states no order of statuses")
        return
    changed = False
    placed: dict[str, tuple[Exchange, str | None]] = {}
    unknown = sum(_state(entity, batch) is None for _, batch in record.batches)
    result.set_aside(clause_list().of_place(cycle.pointer, record.operation), unknown)
    for reads, (before, after) in _pairs(record, result, lambda pair: all(_state(entity, one) for one in pair)):
        first, second = _state(entity, before), _state(entity, after)
        changed = changed or first != second
        earlier = reads[0]
        if cycle.rank(first) is not None:
            placed[earlier.intent.id] = (earlier, first)
        elif earlier.intent.id in placed:
            # A status without a rank does not reset the order: compare with the last one that has a rank.
            earlier, first = placed[earlier.intent.id]
        before_rank, after_rank = cycle.rank(first), cycle.rank(second)
        if before_rank is not None and after_rank is not None and after_rank < before_rank:
            result.fail(
                reads[1],
                f"{dotted(cycle.pointer)} from one read to the next",
                expected=f"{first} or later",
                actual=f"{second}, after {first}",
                prelude=(earlier,),
                code="went-back",
                pointer=cycle.pointer,
            )
    _limit_unless_changed(result, changed, "no batch changed its status between two reads")


@SERVER_CHECKS.check("server.poll.final", needs=_NEEDS)
def final(record: Record, result: CheckResult) -> None:
    """Check that a final status, and the members frozen by it, do not change."""
    entity = record.entity
    cycle = entity.lifecycle
    if not cycle.final:
        result.note("the contract states no final status")
        return
    seen = set()
    frozen = frozen_leaves(entity)
    for reads, (before, after) in _pairs(
        record,
        result,
        lambda pair: _state(entity, pair[0]) in cycle.final,
        none=f"no batch was read again after it was {' or '.join(cycle.final)}",
    ):
        first, second = read(before, cycle.pointer), read(after, cycle.pointer)
        seen.add(first)
        if first != second:
            _report_change(result, reads, f"the final {dotted(cycle.pointer)}", cycle.pointer, first, second)
        broken = {
            fault.pointer
            for exchange in reads
            for faults in record.judged(exchange).faults.values()
            for fault in faults
        }
        for pointer in frozen:
            then, now = read(before, pointer), read(after, pointer)
            # A value that violates the schema is reported by another clause.
            wrong = any(pointer == one or pointer.startswith(one + "/") for one in broken)
            if not wrong and not unchanged(then, now, entity, pointer):
                _report_change(result, reads, f"{dotted(pointer)} of a {first} batch", pointer, then, now)
    for name in sorted(cycle.final):
        if name not in seen:
            _limit_unless_changed(result, False, f"no {name} batch was read again")


def frozen_leaves(entity: Entity) -> list[str]:
    """Return the documented leaf members that never change once a final status is reached."""
    return [leaf for pointer in entity.lifecycle.frozen for leaf in _leaves(entity, pointer)]


def _leaves(entity: Entity, pointer: str) -> list[str]:
    """Return the documented leaf members below a pointer; the pointer itself if there are none."""
    below = {
        "/".join(place.pointer.split("/")[: pointer.count("/") + 2])
        for place in entity.places
        if place.pointer.startswith(pointer + "/") and split(place.pointer)[pointer.count("/")] != "*"
    }
    names = {
        join(pointer, name)
        for schema in entity.at(pointer)
        for layer in beside(schema, entity.document)
        for name in layer.get("properties", ())
    }
    inner = sorted(below | names)
    if not entity.has(pointer) or pointer.count("/") > _MAX_DEPTH:
        return []
    return [leaf for one in inner for leaf in _leaves(entity, one)] if inner else [pointer]


@SERVER_CHECKS.family("server.poll.", needs=_NEEDS)
def transitions(record: Record, result: CheckResult) -> None:
    """Check the rules that join two reads, for a written clause."""
    if clause_list().absent(result.clause):
        result.note(NOT_IN_CONTRACT)
        return
    judge_transitions(record, result)


def judge_transitions(record: Record, result: CheckResult) -> None:
    """Report pairs of reads that break a rule that joins them."""
    read_twice = changed = False
    for first, before, second, after in _paired(record, result):
        assert first.response is not None
        assert second.response is not None
        read_twice = True
        found = moved(record.operation, second.response.media_type, first.response.body, second.response.body)
        if found.error:
            result.note(found.error)
        evaluated = False
        for one in found.rules.get(result.clause, ()):
            clause = found.clause_at(one)
            if clause:
                result.set_aside(clause)
                continue
            evaluated = weigh(one, second, result, prelude=(first,)) or evaluated
            changed = changed or _changed(one, before, after, record.entity)
        if evaluated:
            result.observe()
    if not read_twice:
        result.note("no batch was read twice")
    elif not (result.observations or result.explained or result.unjudged):
        result.note("no two reads could be asked")
    _limit_unless_changed(result, changed, _limit_of(record, result.clause))


def _paired(record: Record, result: CheckResult) -> Iterator[tuple[Exchange, dict[str, Any], Exchange, dict[str, Any]]]:
    if record.mixed_up and record.entity.echo:
        result.set_aside(clause_list().of_place(record.entity.echo, record.operation), len(record.mixed_up))
    yield from record.successive()


def _changed(one: Evaluation, before: Any, after: Any, entity: Entity) -> bool:
    """Whether two reads are evidence for a rule: a member it names changed, or an optional one is set."""
    places = [join(one.pointer) + name for name in one.rule.targets()]
    optional = len(places) == 1 and one.pointer == entity.place
    return any(read(before, place) != read(after, place) for place in places) or (
        optional and any(read(after, place) not in (None, MISSING) for place in places)
    )


def _limit_of(record: Record, clause: str) -> str:
    rules = clause_list().rules_of(clause, record.operation)
    names = list(dict.fromkeys(dotted(rule.pointer + name) for rule in rules for name in rule.names if name))
    return f"no batch had a {names[0]}" if len(names) == 1 else f"none of {', '.join(names)} changed between two reads"


def _state(entity: Entity, batch: dict[str, Any]) -> str | None:
    return entity.state_of(batch)


def _report_change(
    result: CheckResult,
    reads: tuple[Exchange, Exchange],
    name: str,
    pointer: str,
    first: object,
    second: object,
) -> None:
    result.fail(
        reads[1],
        f"{name} changed between two reads",
        expected=f"{shown(first)}, as before",
        actual=shown(second),
        prelude=reads[:1],
        code="changed",
        pointer=pointer,
    )
