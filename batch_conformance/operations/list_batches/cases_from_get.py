"""Client cases of List Batches derived from those of Get Batch: a list in place of the batch."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from batch_conformance.checks.client.record import HttpError, ValidBatch, may_be_retried
from batch_conformance.client_runner.cases.case import CallStep, Case
from batch_conformance.client_runner.stub.answers import StubResponse, json_body
from batch_conformance.contract import current_contract
from batch_conformance.generate.error_bodies import error_media_type
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.operations.get_batch.client_cases.errors import error_cases
from batch_conformance.operations.list_batches.answers import answer_of, frame
from batch_conformance.operations.list_batches.case_entries import (
    EntryFactory,
    applies,
    entry_values,
    every_filter,
    has_own_schema,
    newest_first,
    portions,
)
from batch_conformance.operations.list_batches.client_record import OPERATION, Arguments, Batches

_ERROR, _DECODE, _FRESH, _TRANSFER = "client.error.", "client.decode.", "client.decode.fresh", "client.decode.transfer"
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
    _FRESH: 9,
    _TRANSFER: 11,
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


def cases_from_get(of_get: Sequence[Case], entries: EntryFactory) -> Iterator[Case]:
    """Yield Get Batch cases with a list in place of the batch; valid batches of one clause share a list."""
    if _has_own_errors():
        of_get = [*(case for case in of_get if not case.clauses[0].startswith(_ERROR)), *error_cases(entries)]
    together: dict[str, list[Case]] = defaultdict(list)
    taken: Counter[tuple[str, bool]] = Counter()
    for case in of_get:
        clause = case.clauses[0]
        if case.ordinary or case.together or not applies(clause):
            continue
        if clause.startswith(_DECODE) and clause not in (_FRESH, _TRANSFER):
            if len(case.asks) == 1 and isinstance(case.asks[0].expected, ValidBatch):
                together[clause].append(case)
        elif taken[clause, case.secure] < (_SECURE if case.secure else _OF_GET).get(clause, 0):
            taken[clause, case.secure] += 1
            with suppress(NotInContract):
                yield as_list_case(case)
    for clause, rows in together.items():
        for some in [] if has_own_schema() else portions(rows):
            yield from _together(clause, some)


def _has_own_errors() -> bool:
    """Whether error bodies of an edited contract differ between the list and Get Batch."""
    get, own = (current_contract().operation(name) for name in ("get", OPERATION))
    statuses = [status for status in get.documented_statuses if status >= 400]
    bodies = [[error_media_type(one, status) for one in (get, own)] for status in statuses]
    return any(one is not None and other is not None and one.schema != other.schema for one, other in bodies)


def _together(clause: str, cases_of: Sequence[Case]) -> Iterator[Case]:
    rows = newest_first(cases_of, lambda case: getattr(case.asks[0].expected, "batch", None))
    bodies = [case.asks[0].answers[0].body for case in rows]
    outcomes = [case.asks[0].expected for case in rows]
    sent = [one for one in outcomes if isinstance(one, ValidBatch)]
    expected = Batches({}, refusable=any(one.refusable for one in sent), batches=tuple(one.batch for one in sent))
    also = {other for case in rows for other in case.clauses[1:] if applies(other)}
    with suppress(NotInContract):
        answer_of(list(expected.batches))
        before, after = frame()
        answer = json_body(None).with_body(before + b", ".join(bodies) + after)
        yield Case(
            f"a list of {len(rows)} batches", (clause, *sorted(also)),
            (CallStep("", expected, (answer,), arguments=Arguments.nothing()),), operation=OPERATION,
        )  # fmt: skip


def cases_before_get(of_get: Sequence[Case]) -> Iterator[Case]:
    """Yield a Get Batch case whose first call is a list with an earlier state of the batch."""
    moving = (case for case in of_get if case.clauses[0] == _FRESH and len(case.asks) > 1)
    for case in list(moving)[:1]:
        with suppress(NotInContract):
            listed = replace(_list_step(case.asks[0]), operation=OPERATION, arguments=Arguments.of(every_filter()))
            yield replace(
                case,
                title="a batch that moved on since a list had it",
                clauses=(*case.clauses, "client.request.target"),
                asks=(listed, case.asks[1]),
            )


def as_list_case(case: Case) -> Case:
    """Return a Get Batch case with lists in its responses. Raises :class:`NotInContract`."""
    # A client that keeps entries from call to call returns too many.
    counted = ("client.list.entries",) if case.clauses[0] == _FRESH else ()
    return replace(
        case,
        title=f"the list: {case.title}",
        clauses=(*(clause for clause in case.clauses if applies(clause)), *counted) or case.clauses,
        asks=tuple(_list_step(ask, filtered=len(case.asks) == 1) for ask in case.asks),
        elsewhere=tuple(map(_as_list, case.elsewhere)),
        operation=OPERATION,
    )


def _list_step(step: CallStep, *, filtered: bool = False) -> CallStep:
    expected = step.expected
    if isinstance(expected, ValidBatch):
        expected = Batches({}, batches=(_as_entry(expected.batch),))
    answers = tuple(map(_as_list, step.answers))
    # Retries must repeat the filters.
    retried = filtered and isinstance(expected, HttpError) and may_be_retried(expected.status)
    given = Arguments.of(every_filter()) if retried else Arguments.nothing()
    return replace(step, batch_id="", expected=expected, answers=answers, arguments=given)


def _as_list(answer: StubResponse) -> StubResponse:
    """Return the response with its batch, whole or cut off, in a list."""
    if answer.status != 200 or not answer.body.startswith(b"{"):
        return answer
    body = answer.body
    if has_own_schema():
        with suppress(ValueError):
            body = json.dumps(_as_entry(json.loads(body)), ensure_ascii=False).encode()
    before, after = frame()
    made = answer.with_body(before + body + (after if body.endswith(b"}") else b""))
    return made if before == b"[" and not has_own_schema() else _cut_alike(made, len(answer.body))


def _cut_alike(answer: StubResponse, size: int) -> StubResponse:
    """Return the response with its cut and announced length adjusted from a body of ``size`` bytes."""
    more = len(answer.body) - size
    cut = answer.cut if answer.cut is None or answer.cut < min(size, len(answer.body)) else answer.cut + more
    return replace(answer, cut=cut, announced=None if answer.announced is None else answer.announced + more)


def _as_entry(batch: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a batch as an entry of the list. Raises :class:`NotInContract`."""
    made = entry_values().space.repaired(dict(batch)) if has_own_schema() else batch
    if not isinstance(made, Mapping):
        raise NotInContract("no entry of the list is like this batch")
    return made
