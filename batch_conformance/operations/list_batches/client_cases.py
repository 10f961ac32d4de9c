"""Client cases of List Batches: filters and lists of every kind. Most are derived from Get Batch cases."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from batch_conformance.checks.client.record import HttpError, ValidBatch, may_be_retried
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory, ordinary_values
from batch_conformance.client_runner.cases.derived import derived_values
from batch_conformance.client_runner.cases.plugged import operation_cases
from batch_conformance.client_runner.stub.answers import StubResponse, json_body
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import entry_entity, entry_id, list_shape
from batch_conformance.contract.pointers import split
from batch_conformance.generate.ordinary import NotInContract, Ordinary
from batch_conformance.operations.list_batches.answers import answer_of, frame
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

T = TypeVar("T")

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
_DECODE, _FRESH = "client.decode.", "client.decode.fresh"
#: The number of Get Batch cases turned into list cases, by clause. Cases about batches share a list instead.
_OF_GET: Mapping[str, int] = {
    "client.error.401": 2,
    "client.error.404": 1,
    "client.error.429": 1,
    "client.error.500": 2,
    "client.error.other-status": 3,
    "client.error.message": 2,
    "client.error.odd-body": 4,
    "client.error.status-line-wins": 4,
    "client.auth.per-call": 3,
    "client.auth.redirect": 4,
    _FRESH: 3,
    "client.reject.not-json": 8,
    "client.reject.lenient-json": 3,
    "client.fault.refused": 1,
    "client.fault.reset": 1,
    "client.fault.truncated": 1,
    "client.fault.timeout": 1,
    "client.fault.drip": 1,
}
#: The same, for cases over https.
_SECURE: Mapping[str, int] = {"client.auth.redirect": 1}
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
_IN_UTC = ("2024-01-15T10:30:00Z", "2024-06-30T23:59:59.250Z")
#: More entries than a client is likely to assume for a page or a buffer.
_MANY = 1001
#: A required object of a batch, for entries without it.
_COUNTED = "metrics"
_NAIVE = ("2024-01-15T10:30:00", "2024-07-01T23:30:00")


class _EntryFactory(CaseFactory):
    """Makes list entries, with the seed and random state of the given factory."""

    def __init__(self, factory: CaseFactory) -> None:
        self.seed, self.random = factory.seed, factory.random

    @property
    def values(self) -> Ordinary:
        """Ordinary values of an entry."""
        return _entry_values()

    def entry(self, member: str, value: Any) -> dict[str, Any]:
        """Return an ordinary entry with this value at a pointer, if the contract allows that."""
        made = self.batch()
        with suppress(NotInContract):
            if member:
                name, *below = split(member)
                return self.values.with_at(made, member, value) if below else self.values.changed(made, {name: value})
        return made


@cached_by_contract
def _entry_values() -> Ordinary:
    entity = entry_entity()
    if entity.operation.name != OPERATION:
        return ordinary_values(entity.operation.name)
    has_get = "get" in current_contract().operations
    return Ordinary(entity, current_contract(), operation_cases("get").ordinary if has_get else lambda _: ())


def _is_own() -> bool:
    """Whether entries have a schema of their own, other than Get Batch's."""
    return entry_entity().operation.name == OPERATION


def cases(factory: CaseFactory, of_get: Sequence[Case]) -> Iterator[Case]:
    """Yield all cases, most important first. ``of_get`` are the cases of Get Batch."""
    if OPERATION not in current_contract().operations:
        return
    entries = _EntryFactory(factory)
    for number in range(3):
        rows = _as_many(entries, [entries.batch() for _ in range(3 - number)])
        with suppress(NotInContract):
            yield Case(
                f"an ordinary list ({number + 1})",
                ("client.list.entries", "client.decode.fields", "client.list.order", *_EVERY_REQUEST),
                (_step(rows),),
                ordinary=True,
                operation=OPERATION,
            )
    yield from _filter_cases(entries)
    yield from _lists(entries)
    yield from non_list_cases(entries)
    with suppress(NotInContract):
        yield from other_status_cases(_as_many(entries, [entries.batch()]))
    yield from _from_get(of_get)
    if _is_own():
        yield from _derived(entries)


def ordinary(case: Case) -> Case:
    """Return the same case with a list of its one batch."""
    return _listed(case)


def _filter_cases(factory: _EntryFactory) -> Iterator[Case]:
    statuses = documented_statuses()
    # The most telling first, for profiles that run few cases.
    yield from _filtered(factory, "all filters", "client.list.query", **_every_filter())
    for status in statuses:
        yield from _filtered(factory, f"{wire_name(STATUS)} {status}", "client.list.query", status=status)
    if len(statuses) > 1:
        # Legal: the batch changed its status while the server built the list.
        rows = [factory.entry(member_of(STATUS), status) for status in statuses[:2]]
        yield from _case("asked with a status, answered with another one beside it", "client.list.entries", rows,
                         status=statuses[0])  # fmt: skip
    for date in _IN_UTC:
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


def _lists(factory: _EntryFactory) -> Iterator[Case]:
    yield from _case("a list without batches", "client.list.empty", [])
    statuses = documented_statuses()
    with suppress(NotInContract):
        # Detects clients that decode into one reused object, where an absent member keeps the last value.
        entity = factory.values.entity
        for name in [name for name in entity.own_members if name not in entity.required][:1]:
            rows = [factory.batch(), factory.without(name), factory.batch(), factory.without(name)]
            title = f"batches with {name} and without it, by turns"
            yield from _case(title, "client.decode.optional", rows[: _most()])
    if len(statuses) > 1:
        # Sorted by no member of a batch.
        mixed = [factory.entry(member_of(STATUS), status) for status in (statuses[0], statuses[1], statuses[0])]
        yield from _case("batches by turns in two states", "client.list.order", mixed[:_most()])
    if statuses:
        title = "a list without batches, asked for with a filter"
        yield from _case(title, "client.list.empty", [], status=statuses[-1])
    most = _most()
    yield from _case("many batches", "client.list.entries", [factory.batch() for _ in range(min(_MANY, most))])
    orders = {
        "batches that are newest first": ("2024-03", "2024-02", "2024-01"),
        "batches in another order": ("2024-02", "2024-03", "2024-01"),
        "batches of one moment": ("2024-02", "2024-02", "2024-02"),
    }
    for title, months in orders.items():
        with suppress(NotInContract):
            yield from _case(title, "client.list.order", _dated(factory, *months)[:most])
    same = factory.batch()
    yield from _case("a batch that comes twice", "client.list.entries", [same, factory.batch(), same])
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


def _from_get(of_get: Sequence[Case]) -> Iterator[Case]:
    """Yield Get Batch cases with a list in place of the batch; valid batches of one clause share a list."""
    together: dict[str, list[Case]] = defaultdict(list)
    taken: Counter[tuple[str, bool]] = Counter()
    for case in of_get:
        clause = case.clauses[0]
        if case.ordinary or case.together or not _applies(clause):
            continue
        if clause.startswith(_DECODE) and clause != _FRESH:
            if len(case.asks) == 1 and isinstance(case.asks[0].expected, ValidBatch):
                together[clause].append(case)
        elif taken[clause, case.secure] < (_SECURE if case.secure else _OF_GET).get(clause, 0):
            taken[clause, case.secure] += 1
            with suppress(NotInContract):
                yield _listed(case)
    for clause, rows in together.items():
        for some in [] if _is_own() else _portions(rows):
            yield from _together(clause, some)


def _together(clause: str, rows: Sequence[Case]) -> Iterator[Case]:
    bodies = [case.asks[0].answers[0].body for case in rows]
    outcomes = [case.asks[0].expected for case in rows]
    sent = [one for one in outcomes if isinstance(one, ValidBatch)]
    expected = Batches({}, refusable=any(one.refusable for one in sent), batches=tuple(one.batch for one in sent))
    also = {other for case in rows for other in case.clauses[1:] if _applies(other)}
    with suppress(NotInContract):
        answer_of(list(expected.batches))
        before, after = frame()
        answer = json_body(None).with_body(before + b", ".join(bodies) + after)
        yield Case(
            f"a list of {len(rows)} batches for {clause}", (clause, *sorted(also)),
            (CallStep("", expected, (answer,), arguments=Arguments.nothing()),), operation=OPERATION,
        )  # fmt: skip


def _derived(factory: _EntryFactory) -> Iterator[Case]:
    """Yield cases with values derived from the schema of entries, those of one clause in one list."""
    together: dict[str, list[Any]] = defaultdict(list)
    for one in derived_values(factory.values):
        keep = one.pointer == factory.values.entity.echo
        value = one.value if keep else factory.values.with_id(one.value, factory.id())
        if _applies(one.clause):
            together[one.clause].append(value)
    for clause, rows in together.items():
        for some in _portions(rows):
            with suppress(NotInContract):
                yield Case(f"a list of {len(some)} entries for {clause}", (clause,), (_step(some),),
                           operation=OPERATION)  # fmt: skip


def _listed(case: Case) -> Case:
    """Return a Get Batch case with lists in its responses. Raises :class:`NotInContract`."""
    return replace(
        case,
        title=f"the list: {case.title}",
        clauses=tuple(clause for clause in case.clauses if _applies(clause)) or case.clauses,
        asks=tuple(map(_list_step, case.asks)),
        elsewhere=tuple(map(_as_list, case.elsewhere)),
        operation=OPERATION,
    )


def _list_step(step: CallStep) -> CallStep:
    expected = step.expected
    if isinstance(expected, ValidBatch):
        expected = Batches({}, batches=(_as_entry(expected.batch),))
    answers = tuple(map(_as_list, step.answers))
    # Retries must repeat the filters.
    again = isinstance(expected, HttpError) and may_be_retried(expected.status)
    given = Arguments.of(_every_filter()) if again else Arguments.nothing()
    return replace(step, batch_id="", expected=expected, answers=answers, arguments=given)


def _every_filter() -> dict[str, str]:
    every = {AFTER: _IN_UTC[0], BEFORE: _IN_UTC[1], STATUS: "".join(documented_statuses()[-1:])}
    return {name: value for name, value in every.items() if value and has_own_clause(name)}


def _as_list(answer: StubResponse) -> StubResponse:
    """Return the response with its batch, whole or cut off, in a list."""
    if answer.status != 200 or not answer.body.startswith(b"{"):
        return answer
    body = answer.body
    if _is_own():
        with suppress(ValueError):
            body = json.dumps(_as_entry(json.loads(body)), ensure_ascii=False).encode()
    before, after = frame()
    made = answer.with_body(before + body + (after if body.endswith(b"}") else b""))
    return made if before == b"[" and not _is_own() else _cut_alike(made, len(answer.body))


def _cut_alike(answer: StubResponse, size: int) -> StubResponse:
    """Return the response with its cut and announced length adjusted from a body of ``size`` bytes."""
    more = len(answer.body) - size
    cut = answer.cut if answer.cut is None or answer.cut < min(size, len(answer.body)) else answer.cut + more
    return replace(answer, cut=cut, announced=None if answer.announced is None else answer.announced + more)


def _as_entry(batch: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a batch as an entry of the list. Raises :class:`NotInContract`."""
    made = _entry_values().space.repaired(dict(batch)) if _is_own() else batch
    if not isinstance(made, Mapping):
        raise NotInContract("no entry of the list is like this batch")
    return made


def _applies(clause: str) -> bool:
    return OPERATION in current_contract().clauses[clause].operations


def _filtered(factory: _EntryFactory, title: str, clause: str, **given: str) -> Iterator[Case]:
    if given and all(map(has_own_clause, given)):
        rows = [factory.entry(member_of(STATUS), given.get(STATUS, "COMPLETED"))]
        yield from _case(f"asked with {title}", clause, _as_many(factory, rows), **given)


def _case(title: str, clause: str, rows: Sequence[Mapping[str, Any]], **given: str) -> Iterator[Case]:
    """Yield a case, if the contract in use allows such a list."""
    dated = ["client.list.offset"] if given.keys() - {STATUS} else []
    clauses = dict.fromkeys((clause, *dated, "client.list.entries", *_EVERY_REQUEST))
    with suppress(NotInContract):
        yield Case(title, tuple(clauses), (_step(rows, **given),), operation=OPERATION)


def _step(rows: Sequence[Mapping[str, Any]], **given: str) -> CallStep:
    expected = Batches({}, batches=tuple(rows))
    body = json_body(None).with_body(json.dumps(answer_of(list(rows)), ensure_ascii=False))
    return CallStep("", expected, (body,), arguments=Arguments.of(given))


def _dated(factory: _EntryFactory, *months: str) -> list[dict[str, Any]]:
    name, *below = split(created_member())
    if below:
        return [factory.batch_at(created_member(), f"{month}-15T10:30:00Z") for month in months]
    return [factory.batch(**{name: f"{month}-15T10:30:00Z"}) for month in months]


def _most() -> int:
    shape = list_shape()
    return _MANY if shape is None or shape.most is None else shape.most


def _as_many(factory: _EntryFactory, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return these entries, padded or cut to the number that the contract allows."""
    shape = list_shape()
    least = shape.least if shape else 0
    return [*rows, *(factory.batch() for _ in range(least - len(rows)))][: _most()]


def _portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split entries into lists of the largest size that the contract allows."""
    size = max(len(rows) if _most() >= _MANY else _most(), 1)
    return (rows[at : at + size] for at in range(0, max(len(rows), 1), size))
