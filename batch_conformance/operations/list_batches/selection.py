"""Checks what a filter selects: which entries fit, and which clause reports those that cannot be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import READS, Record
from batch_conformance.checks.words import dotted, shown
from batch_conformance.contract import parse_date_time
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import entry_id
from batch_conformance.contract.pointers import read, split
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    STATUS,
    compared,
    created,
    created_member,
    has_own_clause,
    member_of,
    requested_filters,
    state_of,
    wire_name,
)
from batch_conformance.operations.list_batches.lists import (
    OPERATION,
    Batch,
    is_page,
    lists,
    nameless,
    object_clause,
    own_id,
)
from batch_conformance.operations.list_batches.unstable_members import Unsteady


def any_fits(exchange: Exchange, rows: Sequence[Any]) -> bool:
    """Whether one of these batches certainly fits all filters of a request."""
    fits = [fit_of(name, value) for name, value in requested_filters(exchange)]
    return any(all(fit(row) for fit in fits) for row in rows if isinstance(row, dict))


def sent_with(record: Record, probe: str, names: set[str]) -> list[Exchange]:
    """Return the exchanges of a probe that asked with exactly these filters."""
    return [row for row in record.of(probe) if {name for name, _ in requested_filters(row)} == names]


def limit_to_visible_filters(record: Record, result: CheckResult, names: set[str]) -> None:
    """Add a limit for each filter of a combination that a server could ignore without any visible effect."""
    whole = list(lists(record, CheckResult(""), *READS))
    sent = sent_with(record, "list-filters", names)
    for name in sorted(names) if sent else ():
        if not any(_matters(name, exchange, rows) for exchange in sent for _, rows in whole):
            beside = " and ".join(map(wire_name, sorted(names - {name})))
            result.limit(f"no batch could show whether {wire_name(name)} counts beside {beside}")


def _matters(name: str, exchange: Exchange, rows: Sequence[Any]) -> bool:
    """Whether some batch fits all filters of a request except this one."""
    others = [fit_of(other, value) for other, value in requested_filters(exchange) if other != name]
    own = [fit_of(other, value) for other, value in requested_filters(exchange) if other == name]
    batches = [row for row in rows if isinstance(row, dict)]
    return any(all(fit(row) for fit in others) and any(fit(row) is False for fit in own) for row in batches)


def checkable_batches(
    rows: Sequence[Any], names: Sequence[str], record: Record, changing: Unsteady, result: CheckResult
) -> Iterator[Batch]:
    """Yield the batches whose filtered members can be checked. Others are set aside for another clause."""
    for row in rows:
        clause = next(filter(None, (_reporting_clause(name, row, record, changing) for name in names)), "")
        if clause:
            result.set_aside(clause)
        else:
            yield row


def _reporting_clause(name: str, row: Any, record: Record, changing: Unsteady) -> str:
    """Return the clause that reports the filtered member as invalid or unstable; empty if none."""
    if not record.holds(row):
        return object_clause()
    member = member_of(name)
    clause = changing.get(own_id(row) or "", {}).get(split(member)[0])
    if clause:
        return clause
    if not has_own_clause(name):
        return "" if not isinstance(read(row, member), dict | list) else clause_list().of_place(member, OPERATION)
    if name != STATUS:
        return "" if created(row) is not None else clause_list().of_place(member, OPERATION)
    cycle = record.entity.lifecycle
    known = record.entity.state_of(row) if cycle.values and cycle.pointer == member else state_of(row)
    return "" if known is not None else clause_list().of_place(member, OPERATION)


def check_selection(
    record: Record,
    result: CheckResult,
    exchange: Exchange,
    rows: Sequence[Any],
    whole: Sequence[tuple[Exchange, list[Any]]],
    changing: Unsteady,
) -> None:
    """Check the entries of a filtered list against the whole lists before and after it."""
    names = [name for name, _ in requested_filters(exchange)]
    fits = [fit_of(name, value) for name, value in requested_filters(exchange)]
    formatted = ", ".join(f"{wire_name(name)}={value}" for name, value in requested_filters(exchange))
    earlier = [one for one in whole if one[0].ended <= exchange.started][-1:]
    later = [one for one in whole if one[0].started >= exchange.ended][:1]
    discarded = CheckResult("")
    before = [list(checkable_batches(one[1], names, record, changing, discarded)) for one in earlier]
    checkable = list(checkable_batches(rows, names, record, changing, result))
    if not checkable and not any(before) and (rows or discarded.explained):
        # Neither the listed nor the omitted batches can be checked.
        for clause in () if rows else discarded.explained:
            result.set_aside(clause)
        return
    result.observe()
    for row in checkable:
        if any(fit(row) is False for fit in fits):
            places = dict.fromkeys((entry_id(), *map(member_of, names), member_of(STATUS), created_member()))
            members = {dotted(place): read(row, place) for place in places if place}
            result.fail(exchange, f"a batch that does not fit {formatted}", expected="only batches that fit",
                        actual=", ".join(f"{name}: {shown(value)}" for name, value in members.items()),
                        prelude=[one[0] for one in earlier], code="unasked")  # fmt: skip
            return
    listed_ids = {own_id(row) for row in rows if not nameless(row, record)}
    known = [*rows, *(earlier[0][1] if earlier else ())]
    hidden = next(filter(None, (nameless(row, record) for row in known)), "")
    if not earlier or not later:
        result.limit("without a whole list before and after, what a filter leaves out could not show")
        return
    if is_page(rows) or is_page(earlier[0][1]):
        result.limit("lists may be a part of all there are: what a filter leaves out could not show")
        return
    # A batch that fits before and after fitted in between: statuses only move forward, dates do not change.
    stayed = _fitting(before[0], fits) & _fitting(later[0][1], fits)
    if hidden:
        # An entry without an id may be any batch.
        result.set_aside(hidden)
        return
    for own in map(own_id, before[0]):
        if own is not None and own in stayed - listed_ids:
            result.fail(
                exchange,
                f"the batch {shown(own)}, which fits {formatted}, is left out",
                expected="all batches that fit",
                actual=f"only {len(rows)} other batch{'' if len(rows) == 1 else 'es'}",
                prelude=(earlier[0][0],),
                code="left-out",
            )
            return


def _fitting(rows: Sequence[Any], fits: Sequence[Callable[[Batch], bool | None]]) -> set[str | None]:
    """Return the ids of the batches that certainly fit all filters."""
    return {own_id(row) for row in rows if own_id(row) is not None and all(fit(row) for fit in fits)}


def fit_of(name: str, value: str) -> Callable[[Batch], bool | None]:
    """Return a predicate for a filter; it returns None where unknown, or on the bound (open by contract)."""
    if name == STATUS:
        return lambda row: None if state_of(row) is None else state_of(row) == value
    if not has_own_clause(name):
        return lambda row: compared(name, row, value)
    bound = parse_date_time(value)
    assert not isinstance(bound, str)
    at = bound.seconds + bound.fraction

    def fits(row: Batch) -> bool | None:
        moment = created(row)
        if moment is None or moment == at:
            return None
        return moment > at if name == AFTER else moment < at

    return fits
