"""Client cases of List Batches: filters and lists of every kind. Most are derived from Get Batch cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.cases.derived import derived_values
from batch_conformance.client_runner.stub.answers import json_body
from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import entry_id, list_shape
from batch_conformance.contract.pointers import read, split
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.operations.list_batches.answers import answer_of
from batch_conformance.operations.list_batches.case_entries import (
    IN_UTC,
    MANY,
    EntryFactory,
    applies,
    every_filter,
    has_own_schema,
    list_call,
    most_entries,
    newest_first,
    portions,
)
from batch_conformance.operations.list_batches.cases_from_get import (
    as_list_case,
    cases_before_get,
    cases_from_get,
)
from batch_conformance.operations.list_batches.client_record import Arguments, Batches
from batch_conformance.operations.list_batches.client_rejections import non_list_cases, other_status_cases
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    STATUS,
    created_member,
    documented_statuses,
    has_own_clause,
    member_of,
    wire_name,
)

OPERATION = "list"
TARGET = "client.list.target"
#: Clauses that every request exercises.
_EVERY_REQUEST = (
    TARGET,
    "client.list.nothing-more",
    "client.request.no-body",
    "client.request.single",
    "client.auth.header",
    "client.auth.only-there",
)
#: Entries that no client can decode as a batch.
_UNREADABLE: Mapping[str, Any] = {
    "null": None,
    "a string": "batch_1",
    "a number": 7,
    "an array": [],
    "an empty object": {},
}
_OFFSETS = (
    "2024-01-15T10:30:00+02:00",
    "2024-03-10T23:45:10+05:30",
    "2024-07-01T00:15:00-08:00",
    "2024-02-29T12:00:00+14:00",
)
#: A required object of a batch, for entries without it.
_COUNTED = "metrics"
_NAIVE = ("2024-01-15T10:30:00", "2024-07-01T23:30:00")


def cases(factory: CaseFactory, of_get: Sequence[Case]) -> Iterator[Case]:
    """Yield all cases, most important first. ``of_get`` are the cases of Get Batch."""
    if OPERATION not in current_contract().operations:
        return
    entries = EntryFactory(factory)
    for number in range(3):
        rows = _as_many(entries, [entries.batch() for _ in range(3 - number)])
        with suppress(NotInContract):
            yield Case(
                f"an ordinary list ({number + 1})",
                ("client.list.entries", "client.decode.fields", "client.list.order", *_EVERY_REQUEST),
                (list_call(rows),),
                ordinary=True,
                operation=OPERATION,
            )
    yield from _filter_cases(entries)
    yield from _after_filters(entries)
    yield from cases_before_get(of_get)
    yield from _lists(entries)
    yield from non_list_cases(entries)
    with suppress(NotInContract):
        yield from other_status_cases(_as_many(entries, [entries.batch()]))
    yield from cases_from_get(of_get, entries)
    if has_own_schema():
        yield from _derived(entries)


def ordinary(case: Case) -> Case:
    """Return the same case with a list of its one batch."""
    return as_list_case(case)


def _filter_cases(factory: EntryFactory) -> Iterator[Case]:
    statuses = documented_statuses()
    # The case with all filters first, for profiles that run few cases.
    yield from _filtered(factory, "all filters", "client.list.query", **every_filter())
    for status in statuses:
        yield from _filtered(factory, f"{wire_name(STATUS)} {status}", "client.list.query", status=status)
    if len(statuses) > 1:
        # Legal: the batch changed its status while the server built the list.
        rows = [factory.entry(member_of(STATUS), status) for status in statuses[:2]]
        title = "asked with a status, answered with another one beside it"
        yield from _case(title, "client.list.entries", rows, refusable=True, status=statuses[0])
    for date in IN_UTC:
        for name in (AFTER, BEFORE):
            yield from _filtered(factory, f"{wire_name(name)} {date}", "client.list.query", **{name: date})
    for number, date in enumerate(_OFFSETS):
        name = (AFTER, BEFORE)[number % 2]
        yield from _filtered(factory, f"{wire_name(name)} {date}", "client.list.offset", **{name: date})
    for number, date in enumerate(_NAIVE):
        name = (AFTER, BEFORE)[number % 2]
        title = f"{wire_name(name)} {date}, without an offset"
        for case in _filtered(factory, title, "client.list.naive-date", **{name: date}):
            # Most clients send no request then, so no other clause is exercised.
            yield replace(case, clauses=case.clauses[:1])
    for prefix in ("/gateway", "/v2", "/Tenants/A%20B"):
        rows = _as_many(factory, [factory.batch()])
        for case in _case(f"a base URL with the path {prefix}", TARGET, rows):
            yield replace(case, base_path=prefix)


def _after_filters(factory: EntryFactory) -> Iterator[Case]:
    """Yield a case whose second call lacks the filters of the first."""
    if every := every_filter():
        with suppress(NotInContract):
            rows = [factory.entry(member_of(STATUS), every.get(STATUS, ""))] if STATUS in every else [factory.batch()]
            first = list_call(_as_many(factory, rows), refusable=False, **every)
            second = list_call(_as_many(factory, [factory.batch()]))
            clauses = ("client.list.nothing-more", "client.list.entries", *_EVERY_REQUEST)
            yield Case("asked with all filters, then without any", tuple(dict.fromkeys(clauses)), (first, second),
                       operation=OPERATION)  # fmt: skip


def _lists(factory: EntryFactory) -> Iterator[Case]:
    yield from _case("a list without batches", "client.list.empty", [])
    statuses = documented_statuses()
    with suppress(NotInContract):
        # Detects clients that decode into one reused object, where an absent member keeps the last value.
        entity = factory.values.entity
        for name in [name for name in entity.own_members if name not in entity.required][:1]:
            rows = [factory.batch(), factory.without(name), factory.batch(), factory.without(name)]
            title = f"batches with {name} and without it, by turns"
            yield from _case(title, "client.decode.optional", rows[: most_entries()])
    if len(statuses) > 1:
        # Sorted by no member of a batch.
        mixed = [factory.entry(member_of(STATUS), status) for status in (statuses[0], statuses[1], statuses[0])]
        with suppress(NotInContract):
            rows = _redated(factory, mixed[: most_entries()])
            yield from _case("batches by turns in two states", "client.list.order", rows)
    if statuses:
        title = "a list without batches, asked for with a filter"
        yield from _case(title, "client.list.empty", [], status=statuses[-1])
    most = most_entries()
    yield from _case("many batches", "client.list.entries", [factory.batch() for _ in range(min(MANY, most))])
    orders = {
        "batches that are newest first": ("2024-03", "2024-02", "2024-01"),
        "batches in another order": ("2024-02", "2024-03", "2024-01"),
        "batches of one moment": ("2024-02", "2024-02", "2024-02"),
    }
    for title, months in orders.items():
        with suppress(NotInContract):
            rows = _dated(factory, *months)[:most]
            yield from _case(title, "client.list.order", rows, refusable=rows != newest_first(rows))
    same = factory.batch()
    rows = [same, factory.batch(), same]
    yield from _case("a batch that comes twice", "client.list.entries", rows, refusable=True)
    for what, entry in _UNREADABLE.items():
        yield from _unreadable(f"a list with {what} among its batches", [factory.batch(), entry, factory.batch()])
    entity = factory.values.entity
    for name in (name for name in (*split(entry_id()), _COUNTED) if entity.has(f"/{name}")):
        lacking = [factory.batch(), {key: value for key, value in factory.batch().items() if key != name}]
        yield from _unreadable(f"a list with a batch without {name}", lacking)


def _unreadable(title: str, rows: Sequence[Any]) -> Iterator[Case]:
    expected = Batches({}, refusable=True, batches=tuple(rows))
    with suppress(NotInContract):
        step = CallStep("", expected, (json_body(answer_of(list(rows))),), arguments=Arguments.nothing())
        yield Case(title, ("client.list.unreadable",), (step,), operation=OPERATION)


def _derived(factory: EntryFactory) -> Iterator[Case]:
    """Yield cases with values derived from the schema of entries, those of one clause in one list."""
    together: dict[str, list[Any]] = defaultdict(list)
    for one in derived_values(factory.values):
        keep = one.pointer == factory.values.entity.echo
        value = one.value if keep else factory.values.with_id(one.value, factory.id())
        if applies(one.clause):
            together[one.clause].append(value)
    for clause, rows in together.items():
        for some in portions(rows):
            with suppress(NotInContract):
                yield Case(f"a list of {len(some)} entries for {clause}", (clause,), (list_call(some),),
                           operation=OPERATION)  # fmt: skip


def _filtered(factory: EntryFactory, title: str, clause: str, **given: str) -> Iterator[Case]:
    if given and all(map(has_own_clause, given)):
        rows = [factory.entry(member_of(STATUS), given.get(STATUS, "COMPLETED"))]
        yield from _case(f"asked with {title}", clause, _as_many(factory, rows), refusable=False, **given)


def _case(
    title: str, clause: str, rows: Sequence[Mapping[str, Any]], *, refusable: bool = False, **given: str
) -> Iterator[Case]:
    """Yield a case, if the contract in use allows such a list.

    ``refusable`` lists break a promise of the server, so a client may reject them; their order is kept.
    """
    dated = ["client.list.offset"] if given.keys() - {STATUS} else []
    clauses = dict.fromkeys((clause, *dated, "client.list.entries", *_EVERY_REQUEST))
    with suppress(NotInContract):
        step = list_call(rows, refusable=refusable, **given)
        yield Case(title, tuple(clauses), (step,), operation=OPERATION)


def _dated(factory: EntryFactory, *months: str) -> list[dict[str, Any]]:
    name, *below = split(created_member())
    if below:
        return [factory.batch_at(created_member(), f"{month}-15T10:30:00Z") for month in months]
    return [factory.batch(**{name: f"{month}-15T10:30:00Z"}) for month in months]


def _redated(factory: EntryFactory, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Exchange the dates of entries so that they are newest first. Raises :class:`NotInContract`."""
    dates = [read(row, created_member()) for row in newest_first(rows)]
    return [factory.values.with_at(row, created_member(), date) for row, date in zip(rows, dates, strict=True)]


def _as_many(factory: EntryFactory, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return these entries, padded or cut to the number that the contract allows."""
    shape = list_shape()
    least = shape.least if shape else 0
    return [*rows, *(factory.batch() for _ in range(least - len(rows)))][: most_entries()]
