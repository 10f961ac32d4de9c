"""Checks of ``server.list.*``: the array, its order and completeness, and its agreement with Get Batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import pairwise
from typing import Any

from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.checks.server.record import READS, Record
from batch_conformance.checks.server.statuses import is_success
from batch_conformance.checks.words import dotted, shown, wrong
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import entry_id
from batch_conformance.contract.pointers import read, split
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches import agreement, server_filters
from batch_conformance.operations.list_batches.agreement import gets_of
from batch_conformance.operations.list_batches.filters import created_member, moment_of, requested_filters
from batch_conformance.operations.list_batches.lists import (
    ARRAY,
    JSON,
    OPERATION,
    STATUS,
    Batch,
    identified,
    is_page,
    list_check,
    lists,
    nameless,
    object_clause,
    own_id,
    rows_of,
    shape_for,
)
from batch_conformance.operations.list_batches.unstable_members import Unsteady, unsteady

__all__ = ["OPERATION", "agreement", "server_filters"]

_OTHER_ORG = "server.list.other-org"
_FILTERS = [*READS, "list-filters"]


@list_check(
    ARRAY,
    needs=[*_FILTERS, "list-offsets", "list-empty", "list-crossed", "list-bad-filters", "usual-variants"],
    explained_by=[JSON],
)
def array(record: Record, result: CheckResult) -> None:
    """The list and its envelope match the schema; the entries themselves are checked by ``server.body.*``."""
    # A filter that can select nothing may be rejected, but a success must still be a list.
    for exchange in [*record.good, *filter(_is_odd_success, record.answered)]:
        assert exchange.response is not None
        parsed = exchange.response.json
        odd = _is_odd_success(exchange)
        if exchange.failure is not None or not (parsed.ok or (odd and not result.failed(JSON))):
            result.set_aside(JSON)
            continue
        result.observe()
        shape = shape_for(exchange.response.media_type)
        if rows_of(exchange) is None:
            within = shape.place if shape else ""
            result.fail(
                exchange,
                f"there is no array of batches at {within}" if within else "the list of batches is no array",
                expected=f"an object with an array of batches at {within}"
                if within
                else "an array of batches, and nothing around it",
                actual=shown(parsed.value) if parsed.ok else "no JSON",
                code="shape",
            )
        elif shape:
            for fault in shape.violations(parsed.value, whole=not requested_filters(exchange)):
                place = dotted(fault.pointer) if fault.pointer != shape.place else "the list of batches"
                result.fail(exchange, f"{place}: {wrong(fault.expected, read(parsed.value, fault.pointer))}",
                            expected=fault.expected, actual=fault.actual, code=fault.code,
                            pointer=fault.pointer)  # fmt: skip
    if not record.good:
        result.set_aside(STATUS, len(record.reads))


def _is_odd_success(exchange: Exchange) -> bool:
    usual = exchange.request.method == "GET" and exchange.intent.key_kind == "valid"
    odd = exchange.intent.id_kind == "near" and exchange.intent.probe in ("list-crossed", "list-bad-filters")
    return usual and odd and is_success(exchange.status, OPERATION)


@list_check("server.list.newest-first", needs=_FILTERS)
def newest_first(record: Record, result: CheckResult) -> None:
    """Entries are sorted by date of creation, latest first; the order of equal dates is open."""
    changing, date = unsteady(record), created_member()
    for exchange, every in lists(record, result, "reads", "late-reads", "list-filters"):
        rows = list(_steady(every, record, split(date)[0], changing, result))
        dated = [(row, moment) for row in rows if (moment := moment_of(row)) is not None]
        result.set_aside(clause_list().of_place(date, OPERATION), len(rows) - len(dated))
        for (first, one), (second, other) in pairwise(dated):
            result.observe()
            if other > one:
                result.fail(
                    exchange,
                    f"the batch {shown(own_id(second))} stands behind an older one",
                    expected=f"none created later than {shown(read(first, date))} behind it",
                    actual=f"{dotted(date)}: {shown(read(second, date))}",
                    code="order",
                )
                break
    if not result.observations and not result.explained:
        result.note("no list held two batches with dates")


def _steady(rows: Sequence[Any], record: Record, member: str, changing: Unsteady, result: CheckResult) -> Iterator[Any]:
    """Yield the entries whose member is stable. Others are set aside for the clause that reports them."""
    for row in rows:
        clause = object_clause() if not record.holds(row) else changing.get(own_id(row) or "", {}).get(member)
        if clause:
            result.set_aside(clause)
        else:
            yield row


@list_check("server.list.once", needs=_FILTERS)
def once(record: Record, result: CheckResult) -> None:
    """No list holds a batch twice."""
    for exchange, rows in lists(record, result, "reads", "late-reads", "list-filters"):
        seen: set[str] = set()
        for value, _ in identified(rows, record, result):
            result.observe()
            if value in seen:
                result.fail(
                    exchange,
                    "a batch stands in the list twice",
                    expected=f"{shown(value)} once",
                    actual="twice",
                    code="twice",
                )
                break
            seen.add(value)
    if not result.observations and not result.explained:
        result.note("no list held a batch")


_SELECTED = ("list-filters", "list-offsets", "list-empty")


@list_check("server.list.complete", needs=[*READS, *_SELECTED, "list-other-org"])
def complete(record: Record, result: CheckResult) -> None:
    """Every batch that Get Batch or an earlier list showed, filtered or not, is in the list."""
    gets, foreign = gets_of(record), _foreign(record)
    before: dict[str, Exchange] = {}
    selected = [
        (own, exchange)
        for exchange, rows in lists(record, CheckResult(""), *_SELECTED)
        for own, _ in identified(rows, record, CheckResult(""))
    ]
    parts = 0
    for exchange, rows in lists(record, result, *READS):
        if is_page(rows) or requested_filters(exchange):
            parts += 1
            continue
        listed_ids = {own for own, _ in identified(rows, record, CheckResult(""))}
        # An entry without an id may be any batch.
        hidden = next(filter(None, (nameless(row, record) for row in rows)), "")
        known = {name: one for name, reads in gets.items() for one, _ in reads if one.ended <= exchange.started}
        if hidden:
            result.set_aside(hidden)
        filtered = {name: answer for name, answer in selected if answer.ended <= exchange.started}
        for name, one in {**filtered, **before, **known}.items():
            if name not in listed_ids and hidden:
                continue
            if name in foreign:
                result.set_aside(_OTHER_ORG)
                continue
            result.observe()
            if name not in listed_ids:
                result.fail(
                    exchange,
                    f"the batch {shown(name)}, which exists, is not in the list",
                    expected="all batches of the organisation",
                    actual=f"only {len(rows)} other batch{'' if len(rows) == 1 else 'es'}",
                    prelude=(one,),
                    code="left-out",
                )
        before |= {value: exchange for value in listed_ids if value not in before}
    if not result.observations and not result.explained:
        result.note(
            "every list may be a part of all there are"
            if parts
            else "no batch was known to exist before a list was read"
        )
    elif not selected and not _known_otherwise(record, gets):
        result.limit("no batch was looked for but those that the list itself had named")


def _known_otherwise(record: Record, gets: Mapping[str, Sequence[tuple[Exchange, Batch]]]) -> bool:
    """Whether Get Batch was asked for a batch before the first list came."""
    named = (row for row in record.exchanges if row.intent.operation == OPERATION)
    first = min((row.ended for row in named if is_success(row.status, OPERATION)), default=0.0)
    return any(one.started < first for reads in gets.values() for one, _ in reads)


def _listed(record: Record, *probes: str) -> dict[str, Exchange]:
    """Return the ids in all responses to these probes, each with the last exchange that held it."""
    every = lists(record, CheckResult(""), *probes)
    return {own: exchange for exchange, rows in every for own in _ids_as_text(rows)}


def _foreign(record: Record) -> Set[str]:
    """Return the ids that another organisation's list holds, and this one's unfiltered list does not."""
    return _listed(record, "list-other-org").keys() - _listed(record, *READS).keys()


@list_check(_OTHER_ORG, needs=[*_FILTERS, "list-other-org"])
def other_org(record: Record, result: CheckResult) -> None:
    """The lists of two organisations share no batch."""
    ours = _listed(record, *READS)
    selected = _listed(record, "list-filters", "list-offsets", "list-other-filters")
    sent = record.of("list-other-org")
    for exchange, rows in lists(record, result, "list-other-org"):
        theirs = _ids_as_text(rows)
        for clause in filter(None, (nameless(row, record) for row in rows)):
            result.set_aside(clause)
        if theirs or not rows:
            result.observe()
        strays = [own for own in theirs if own in ours]
        others = [own for own in theirs if own in selected and own not in ours]
        if others:
            result.fail(
                selected[others[0]],
                "a list with a filter holds batches of another organisation",
                expected="batches of this organisation only",
                actual=", ".join(map(shown, others[:3])),
                prelude=(exchange,),
                code="disclosed",
            )
        if strays:
            result.fail(
                exchange,
                "the list of another organisation holds batches of this one",
                expected="its own batches only",
                actual=", ".join(map(shown, strays[:3])),
                prelude=(ours[strays[0]],),
                code="disclosed",
            )
    if not sent:
        result.note("no second organisation's key was given (--batch-other-key-env)")
    elif result.observations and not ours:
        result.limit("there was no batch that could have come")


def _ids_as_text(rows: Sequence[Any]) -> list[str]:
    """Return the ids of entries as text, unique values of a wrong type too, as they also disclose a batch."""
    found = [read(row, entry_id()) for row in rows if isinstance(row, dict)]
    listed_ids = [value for value in found if value is not MISSING and value is not None]
    times = Counter(map(str, listed_ids))
    return [str(value) for value in listed_ids if isinstance(value, str) or times[str(value)] == 1]
