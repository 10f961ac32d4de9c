"""The check of ``server.list.agrees``: an entry of the list against Get Batch's responses around it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.checks.server.judged import moved
from batch_conformance.checks.server.poll import frozen_leaves, unchanged
from batch_conformance.checks.server.record import READS, Record
from batch_conformance.checks.words import dotted, shown
from batch_conformance.contract import current_contract
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import Entity, entity_of
from batch_conformance.contract.pointers import join, read, split
from batch_conformance.contract.rules import Broken
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.filters import created_member, moment_of
from batch_conformance.operations.list_batches.lists import OPERATION, Batch, identified, list_check, lists
from batch_conformance.operations.list_batches.unstable_members import unsteady


@list_check("server.list.agrees", needs=READS)
def agrees(record: Record, result: CheckResult) -> None:
    """An entry is equal to the batch in Get Batch's response, apart from its progress in between."""
    gets, changing, date = gets_of(record), unsteady(record), split(created_member())[0]
    for exchange, rows in lists(record, result, *READS):
        for own, row in identified(rows, record, result):
            reads = gets.get(own, [])
            elsewhere = changing.get(own, {})
            if date in elsewhere:
                # An unstable date: it may be another batch.
                result.set_aside(elsewhere[date])
                continue
            earlier = [one for one in reads if one[0].ended <= exchange.started]
            later = [one for one in reads if one[0].started >= exchange.ended]
            if not earlier and not later:
                continue
            result.observe()
            for clause in dict.fromkeys(elsewhere.values()):
                result.set_aside(clause)
            first, last = earlier[-1:], later[:1]
            for name, ours, theirs, one in _differences(row, first, last, elsewhere):
                result.fail(exchange, f"{name} of the batch {shown(own)} differs between List Batches and Get Batch",
                            expected=f"{name}: {shown(theirs)}, as Get Batch answers", actual=f"{name}: {shown(ours)}",
                            prelude=(one,), code="differs")  # fmt: skip
                break
            if bool(first) != bool(last) and _has_moved(row, (*first, *last)):
                result.limit("a status that differs was taken for a step forward: no reads before and after the list")
    if not result.observations and not result.explained:
        both = record.whole is not None and record.whole.of_operation("get").exchanges
        why = "" if both else ": that takes Get Batch (--batch-operations get,list)"
        result.note(f"no batch was read by Get Batch and by List Batches{why}")


def _differences(
    row: Batch,
    earlier: Sequence[tuple[Exchange, Batch]],
    later: Sequence[tuple[Exchange, Batch]],
    elsewhere: Mapping[str, str],
) -> Iterator[tuple[str, Any, Any, Exchange]]:
    """Yield differences between an entry and the reads around it: (member, in the list, by Get Batch, read).

    A status must lie between those of the reads, and so must what rules and final statuses say of progress. Other
    members are compared only if both reads agree, since URLs may be signed anew in each response. Members in
    ``elsewhere`` are reported by another clause.
    """
    get = entity_of("get")
    lifecycle, moving = current_contract().lifecycle, get.lifecycle_pointer.removeprefix(get.place)
    faulty = [_faulty(batch, "get") for _, batch in (*earlier, *later)]
    broken = set().union(_faulty(row, OPERATION), elsewhere, *faulty)
    date, status = dotted(created_member()), dotted(moving)
    # Members that are not documented for both operations may differ.
    both = set(get.own_members)
    earlier, later = _unwrapped(earlier, get), _unwrapped(later, get)
    documented = [name for name in entity_of(OPERATION).members if name not in broken and name in both]

    def state(batch: Batch) -> Any:
        # Entries may be documented without a status.
        return read(batch, moving) if moving and entity_of(OPERATION).has(moving) else MISSING

    for one, batch in (*earlier, *later):
        if split(created_member())[0] in documented and _comparable_date(row) != _comparable_date(batch):
            yield date, read(row, created_member()), read(batch, created_member()), one
        for name in documented:
            # A member that only one of them has; null counts as absent.
            if (batch.get(name) is None) != (row.get(name) is None) and state(batch) == state(row):
                yield name, row.get(name, MISSING), batch.get(name, MISSING), one
    steps = [*((one, batch, batch, row) for one, batch in earlier), *((one, batch, row, batch) for one, batch in later)]
    ours = lifecycle.rank(state(row)) if isinstance(state(row), str) else None
    for one, batch, before, after in steps:
        theirs = lifecycle.rank(state(batch)) if isinstance(state(batch), str) else None
        if ours is None or theirs is None or split(moving)[0] in broken:
            continue
        if not lifecycle.allowed(state(before), state(after)):
            yield status, state(row), state(batch), one
    for one, batch, before, after in steps:
        for name in _went_back(before, after):
            if name in documented:
                yield name, row.get(name, MISSING), batch.get(name, MISSING), one
    still = all(state(batch) == state(row) for _, batch in (*earlier, *later))
    if len(earlier) == len(later) == 1 and still:
        for name in (name for name in documented if name != split(created_member())[0]):
            first, last = earlier[0][1].get(name), later[0][1].get(name)
            if first == last and not _equal(name, first, row.get(name)):
                yield name, row.get(name, MISSING), first, earlier[0][0]


def _has_moved(row: Batch, reads: Sequence[tuple[Exchange, Batch]]) -> bool:
    """Whether the status of an entry is another one than in a read of the batch."""
    get = entity_of("get")
    moving = get.lifecycle_pointer.removeprefix(get.place)
    if not moving or not entity_of(OPERATION).has(moving):
        return False
    return any(read(batch, moving) != read(row, moving) for _, batch in _unwrapped(reads, get))


def _went_back(before: Batch, after: Batch) -> set[str]:
    """Return the members that break a transition rule or a final status, from one batch to a later one."""
    get = entity_of("get")
    if before == after or entity_of(OPERATION).pointer != get.pointer:
        return set()
    earlier, later = get.enclosed(before), get.enclosed(after)
    found = moved("get", None, json.dumps(earlier).encode(), json.dumps(later).encode())
    broken = [one for rows in found.rules.values() for one in rows if isinstance(one.outcome, Broken)]
    places = [join(one.pointer) + name for one in broken for name in one.rule.targets()]
    frozen = frozen_leaves(get) if get.state_of(earlier) in get.lifecycle.final else []
    places += [leaf for leaf in frozen if not unchanged(read(earlier, leaf), read(later, leaf), get, leaf)]
    return {split(clause_list().own(place))[0] for place in places if place}


def _equal(name: str, whole: Any, listed: Any) -> bool:
    """Whether two values of a member are equal in what is documented (contracts/decisions.md, 7).

    Entries with a schema of their own may hold fewer members of an object.
    """
    if whole == listed:
        return True
    if entity_of(OPERATION).pointer == entity_of("get").pointer:
        return _documented(name, whole) == _documented(name, listed)
    if isinstance(whole, dict) and isinstance(listed, dict):
        return all(_equal(name, whole[inner], listed[inner]) for inner in whole.keys() & listed.keys())
    return False


def _documented(name: str, value: Any) -> dict[str, Any]:
    """Return the documented places of a member's value, by pointer; null counts as absent."""
    get = entity_of("get")
    leaves = get.leaves.of(get.enclosed({name: value}))
    # The values of objects and arrays are their places.
    return {one.pointer: one.kind if one.kind in ("object", "array") else one.value for one in leaves if not one.empty}


def _faulty(batch: Batch, operation: str) -> set[str]:
    """Return the members that violate their schema, which ``server.body.*`` reports."""
    faults = entity_of(operation).judge.violations(dict(batch))
    return {split(clause_list().own(fault.pointer))[0] for fault in faults if fault.pointer}


def _unwrapped(reads: Sequence[tuple[Exchange, Batch]], get: Entity) -> list[tuple[Exchange, Batch]]:
    """Remove the envelope that Get Batch may put batches in."""
    return [(one, inner) for one, batch in reads if isinstance(inner := get.within(batch), dict)]


def _comparable_date(row: Batch) -> Any:
    moment = moment_of(row)
    # As text, since it may be an object, and has to be hashable.
    found = read(row, created_member())
    return json.dumps(None if found is MISSING else found) if moment is None else moment


def gets_of(record: Record) -> dict[str, list[tuple[Exchange, dict[str, Any]]]]:
    """Return the batches in responses of Get Batch by requested id, in order of time."""
    if record.whole is None:
        return {}
    # Responses with another id are reported by server.body.id, unstable dates by server.poll.identity.
    whole = record.whole.of_operation("get")
    rows = whole.by_id
    own = {name: [one for one in reads if _echoes(whole, one[1], name)] for name, reads in rows.items()}
    return {
        name: reads
        for name, reads in own.items()
        if len({_comparable_date(whole.entity.within(batch)) for _, batch in reads}) == 1
    }


def _echoes(record: Record, batch: Batch, name: str) -> bool:
    found = record.echoed(batch)
    if record.entity.echo is None:
        return True
    return found == name or (type(found) is int and str(found) == name)
