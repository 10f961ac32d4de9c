"""Cases of List Batches: what is asked, and lists of every kind. Most are made of those of Get Batch."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from batch_conformance.checks.client.record import InvalidSuccess, ValidBatch
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.stub.answers import StubResponse, json_body
from batch_conformance.contract import current_contract
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.operations.list_batches.client_record import Asking, Batches
from batch_conformance.operations.list_batches.handler import documented_statuses

OPERATION = "list"
TARGET = "client.list.target"
#: Clauses that every request puts to the test.
_EVERY_REQUEST = (
    TARGET,
    "client.list.nothing-more",
    "client.request.no-body",
    "client.request.single",
    "client.auth.header",
    "client.auth.only-there",
)
#: How many cases of Get are played with a list, by the clause that they are for; those about batches go in one list.
_OF_GET: Mapping[str, int] = {
    "client.error.401": 2,
    "client.error.404": 1,
    "client.error.429": 1,
    "client.error.500": 2,
    "client.error.other-status": 3,
    "client.error.message": 2,
    "client.error.odd-body": 4,
    "client.reject.not-json": 8,
    "client.fault.refused": 1,
    "client.fault.reset": 1,
    "client.fault.truncated": 1,
    "client.fault.timeout": 1,
    "client.fault.drip": 1,
}
_DECODE = "client.decode."
#: What an entry is that no client can take for a batch.
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
#: More than any page or buffer that a client may have in mind.
_MANY = 1001
_NAIVE = ("2024-01-15T10:30:00", "2024-07-01T23:30:00")


def cases(factory: CaseFactory, of_get: Sequence[Case]) -> Iterator[Case]:
    """All cases, in the order in which a small profile takes them. ``of_get`` are those of Get Batch."""
    for number in range(3):
        yield Case(
            f"an ordinary list ({number + 1})",
            ("client.list.entries", "client.decode.fields", "client.list.order", *_EVERY_REQUEST),
            (_step([factory.batch() for _ in range(3 - number)]),),
            ordinary=True,
            operation=OPERATION,
        )
    yield from _asking(factory)
    yield from _lists(factory)
    yield from _no_lists(factory)
    yield from _made_of(of_get)


def ordinary(case: Case) -> Case:
    """The same with a list of the one batch."""
    return _listed(case)


def _asking(factory: CaseFactory) -> Iterator[Case]:
    statuses = documented_statuses()
    # First what shows most, for profiles that play few.
    every = {"created_after": _IN_UTC[0], "created_before": _IN_UTC[1]}
    every |= {"status": statuses[-1]} if statuses else {}
    yield _filtered(factory, "all filters", "client.list.query", **every)
    for status in statuses:
        yield _filtered(factory, f"status {status}", "client.list.query", status=status)
    if len(statuses) > 1:
        # It moved on while the server put the list together, or the server means something else by its filter.
        rows = [_in_state(factory, status) for status in statuses[:2]]
        yield _case("asked with a status, answered with another one beside it", "client.list.entries", rows,
                    status=statuses[0])  # fmt: skip
    for date in _IN_UTC:
        yield _filtered(factory, f"created_after {date}", "client.list.query", created_after=date)
        yield _filtered(factory, f"created_before {date}", "client.list.query", created_before=date)
    for number, date in enumerate(_OFFSETS):
        name = ("created_after", "created_before")[number % 2]
        yield _filtered(factory, f"{name} {date}", "client.list.offset", **{name: date})
    for number, date in enumerate(_NAIVE):
        name = ("created_after", "created_before")[number % 2]
        case = _filtered(factory, f"{name} {date}, without an offset", "client.list.naive-date", **{name: date})
        # Most clients send nothing then, and show nothing else.
        yield replace(case, clauses=case.clauses[:1])
    for prefix in ("/gateway", "/v2", "/Tenants/A%20B"):
        yield replace(
            _case(f"a base URL with the path {prefix}", TARGET, [factory.batch()]), base_path=prefix
        )


def _lists(factory: CaseFactory) -> Iterator[Case]:
    yield _case("a list without batches", "client.list.empty", [])
    yield _case("a list without batches, asked for with a filter", "client.list.empty", [], status="FAILED")
    yield _case("many batches", "client.list.entries", [factory.batch() for _ in range(_MANY)])
    orders = {
        "batches that are newest first": ("2024-03", "2024-02", "2024-01"),
        "batches in another order": ("2024-02", "2024-03", "2024-01"),
        "batches of one moment": ("2024-02", "2024-02", "2024-02"),
    }
    for title, months in orders.items():
        with suppress(NotInContract):
            yield _case(title, "client.list.order", _dated(factory, *months))
    same = factory.batch()
    yield _case("a batch that comes twice", "client.list.entries", [same, factory.batch(), same])
    for what, entry in _UNREADABLE.items():
        rows = [factory.batch(), entry, factory.batch()]
        told = Batches({}, refusable=True, batches=tuple(rows))
        yield Case(
            f"a list with {what} among its batches", ("client.list.unreadable",),
            (CallStep("", told, (json_body(rows),), arguments=Asking.nothing()),), operation=OPERATION,
        )  # fmt: skip
    for name in ("id", "metrics"):
        rows = [factory.batch(), {key: value for key, value in factory.batch().items() if key != name}]
        told = Batches({}, refusable=True, batches=tuple(rows))
        yield Case(
            f"a list with a batch without {name}", ("client.list.unreadable",),
            (CallStep("", told, (json_body(rows),), arguments=Asking.nothing()),), operation=OPERATION,
        )  # fmt: skip


def _no_lists(factory: CaseFactory) -> Iterator[Case]:
    rows = [factory.batch(), factory.batch()]
    values: Mapping[str, Any] = {
        "null": None,
        "the list within data": {"data": rows},
        "the list within batches": {"batches": rows},
        "a batch alone": rows[0],
        "an empty object": {},
        "a string": "none",
        "false": False,
        "batches by their ids": {f"batch_{number}": row for number, row in enumerate(rows)},
    }
    for what, value in values.items():
        step = CallStep("", InvalidSuccess(what), (json_body(value),), arguments=Asking.nothing())
        yield Case(
            f"a 200 with {what}",
            ("client.list.not-array", "client.auth.not-in-errors"),
            (step,),
            operation=OPERATION,
        )


def _made_of(of_get: Sequence[Case]) -> Iterator[Case]:
    """Cases of Get with a list where the batch stood: batches of one clause together, the rest case by case."""
    together: dict[str, list[Case]] = defaultdict(list)
    for case in of_get:
        clause, plain = (
            case.clauses[0],
            len(case.asks) == 1 and not (case.ordinary or case.elsewhere or case.secure),
        )
        if (
            plain
            and _holds(clause)
            and clause.startswith(_DECODE)
            and isinstance(case.asks[0].expected, ValidBatch)
        ):
            together[clause].append(case)
        elif plain and len(together[clause]) < _OF_GET.get(clause, 0):
            together[clause].append(case)
            yield _listed(case)
    for clause, rows in together.items():
        if not clause.startswith(_DECODE):
            continue
        bodies = [case.asks[0].answers[0].body for case in rows]
        sent = tuple(
            case.asks[0].expected.batch for case in rows if isinstance(case.asks[0].expected, ValidBatch)
        )
        refusable = any(
            case.asks[0].expected.refusable for case in rows if isinstance(case.asks[0].expected, ValidBatch)
        )
        told = Batches({}, refusable=refusable, batches=sent)
        answer = json_body(None).with_body(b"[" + b", ".join(bodies) + b"]")
        also = {other for case in rows for other in case.clauses[1:] if _holds(other)}
        yield Case(
            f"a list of {len(rows)} batches for {clause}", (clause, *sorted(also)),
            (CallStep("", told, (answer,), arguments=Asking.nothing()),), operation=OPERATION,
        )  # fmt: skip


def _listed(case: Case) -> Case:
    """A case of Get with the list in its answers."""
    (step,) = case.asks
    told = (
        Batches({}, batches=(step.expected.batch,))
        if isinstance(step.expected, ValidBatch)
        else step.expected
    )
    answers = tuple(map(_as_list, step.answers))
    clauses = tuple(clause for clause in case.clauses if _holds(clause)) or case.clauses
    step = replace(step, batch_id="", expected=told, answers=answers, arguments=Asking.nothing())
    return replace(case, title=f"the list: {case.title}", clauses=clauses, asks=(step,), operation=OPERATION)


def _as_list(answer: StubResponse) -> StubResponse:
    """The answer with its batch, or what is left of one, in a list."""
    if answer.status != 200 or not answer.body.startswith(b"{"):
        return answer
    return answer.with_body(b"[" + answer.body + (b"]" if answer.body.endswith(b"}") else b""))


def _holds(clause: str) -> bool:
    return OPERATION in current_contract().clauses[clause].operations


def _filtered(factory: CaseFactory, title: str, clause: str, **given: str) -> Case:
    return _case(f"asked with {title}", clause, [_in_state(factory, given.get("status", "COMPLETED"))], **given)


def _in_state(factory: CaseFactory, status: str) -> Mapping[str, Any]:
    """A batch in this state, whatever its member is called; an ordinary one where the contract has no such batch."""
    pointer = factory.values.entity.lifecycle_pointer
    with suppress(NotInContract):
        return factory.batch_at(pointer, status) if pointer else factory.batch()
    return factory.batch()


def _case(title: str, clause: str, rows: Sequence[Mapping[str, Any]], **given: str) -> Case:
    dated = ["client.list.offset"] if given.keys() - {"status"} else []
    clauses = dict.fromkeys((clause, *dated, "client.list.entries", *_EVERY_REQUEST))
    return Case(title, tuple(clauses), (_step(rows, **given),), operation=OPERATION)


def _step(rows: Sequence[Mapping[str, Any]], **given: str) -> CallStep:
    told = Batches({}, batches=tuple(rows))
    body = json_body(None).with_body(json.dumps(list(rows), ensure_ascii=False))
    return CallStep("", told, (body,), arguments=Asking.of(given))


def _dated(factory: CaseFactory, *months: str) -> list[dict[str, Any]]:
    return [factory.batch(created_at=f"{month}-15T10:30:00Z") for month in months]
