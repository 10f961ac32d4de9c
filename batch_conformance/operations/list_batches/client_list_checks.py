"""Checks of ``client.list.*`` about the decoded list: number of entries, order, invalid entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.record import (
    FRESH,
    CallResult,
    CaseResult,
    ClientRunRecord,
    InvalidSuccess,
)
from batch_conformance.checks.finding import CheckResult
from batch_conformance.contract.entity import list_shape
from batch_conformance.operations.list_batches.answers import around_of
from batch_conformance.operations.list_batches.client_record import (
    Batches,
    decoded_list,
    id_of,
    is_repetitive,
    list_check,
)

_ENTRIES = "client.list.entries"


@list_check("client.list.empty")
def empty(record: ClientRunRecord, result: CheckResult) -> None:
    """An empty list is decoded as an empty list, not as an error or null."""
    shape = list_shape()
    if shape is not None and not shape.allows(around_of([])):
        result.note("the contract allows no list without entries")
    for case_result, call_result in _lists(record, result):
        result.observe()
        if decoded_list(call_result) != []:
            result.fail(
                call_result.last,
                f"an empty list was not decoded as one: {case_result.title}",
                expected="a list without batches",
                actual=call_result.said(),
                code="lost",
            )


@list_check(_ENTRIES, needs=["client.list.empty"])
def entries(record: ClientRunRecord, result: CheckResult) -> None:
    """The number of decoded batches is that of the response."""
    for case_result, call_result in _lists(record, result):
        assert isinstance(call_result.expected, Batches)
        if not call_result.expected.batches:
            continue
        decoded = decoded_list(call_result)
        sent = len(call_result.expected.batches)
        if decoded is None and case_result.clauses[0] == FRESH:
            result.set_aside(FRESH)
            continue
        result.observe()
        if decoded is None:
            result.fail(call_result.last, f"an ordinary list did not reach the caller: {case_result.title}",
                        expected=f"the list of {sent}", actual=call_result.said(), code="lost")  # fmt: skip
        elif len(decoded) != sent:
            problem, code = ("lost", "lost") if len(decoded) < sent else ("made up", "unasked")
            result.fail(call_result.last, f"batches are {problem}: {case_result.title}",
                        expected=f"{sent} batches", actual=f"{len(decoded)} batches", code=code)  # fmt: skip
        elif is_repetitive(decoded, call_result.expected.batches):
            different = {id_of(row) for row in decoded}
            result.fail(call_result.last, f"batches stand in the place of others: {case_result.title}",
                        expected=f"{sent} batches", actual=f"{len(different)}, repeated", code="lost")  # fmt: skip


@list_check("client.list.order", needs=[_ENTRIES])
def order(record: ClientRunRecord, result: CheckResult) -> None:
    """The batches are decoded in the order of the response."""
    for case_result, call_result in _lists(record, result):
        assert isinstance(call_result.expected, Batches)
        decoded = decoded_list(call_result)
        sent = [str(id_of(row)) for row in call_result.expected.batches]
        got = [str(id_of(row)) for row in decoded if isinstance(row, dict)] if decoded else []
        if sorted(map(str, got)) != sorted(sent) or len(sent) < 2:
            if len(sent) > 1:
                whole = decoded and len(decoded) == len(sent)
                repeated = is_repetitive(decoded, call_result.expected.batches)
                result.set_aside("client.decode.fields" if whole and not repeated else _ENTRIES)
            continue
        result.observe()
        if got != sent:
            result.fail(call_result.last, f"the batches come in another order: {case_result.title}",
                        expected=", ".join(sent[:5]), actual=", ".join(map(str, got[:5])), code="order")  # fmt: skip


@list_check("client.list.not-array", needs=[_ENTRIES])
def not_array(record: ClientRunRecord, result: CheckResult) -> None:
    """A body that is not an array is reported as an error."""
    kinds = accepted_kinds(result.clause)
    for _, call_result in record.turns(result):
        if not isinstance(call_result.expected, InvalidSuccess):
            continue
        if not record.decodes:
            result.set_aside(_ENTRIES)
            continue
        result.observe()
        error = call_result.reply.error
        if error is None or (error.kind not in kinds and not call_result.got(error.status)):
            problem = "taken for a list" if error is None else "reported as an HTTP status that never came"
            result.fail(
                call_result.last,
                f"{problem}: {call_result.expected.what}",
                expected=shown_kinds(kinds),
                actual=call_result.said(),
                code="taken" if error is None else "kind",
            )


@list_check("client.list.unreadable", needs=[_ENTRIES])
def unreadable(record: ClientRunRecord, result: CheckResult) -> None:
    """An invalid entry is decoded or rejected, alone or with the whole list; it is never silently dropped."""
    for case_result, call_result in record.turns(result):
        if not isinstance(call_result.expected, Batches):
            continue
        if not record.decodes or record.is_broken(_ENTRIES):
            result.set_aside(_ENTRIES)
            continue
        result.observe()
        decoded = decoded_list(call_result)
        if call_result.reply.error is None and (decoded is None or len(decoded) < len(call_result.expected.batches)):
            result.fail(call_result.last, f"an entry is dropped silently: {case_result.title}",
                        expected=f"an error, or {len(call_result.expected.batches)} entries", actual=call_result.said(),
                        code="lost")  # fmt: skip
            continue
        if first := next(_replaced(call_result.expected.batches, decoded or []), None):
            number, other = first
            result.fail(call_result.last, f"an entry is silently replaced: {case_result.title}",
                        expected="an error, or the entry", actual=f"{other} in place of entry {number + 1}",
                        code="lost", pointer=f"/{number}")  # fmt: skip


def _replaced(sent: Sequence[Any], decoded: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Yield the index of each entry in whose place null or another entry was decoded, and which of them."""
    ids = [id_of(row) for row in sent]
    for number, (row, own, got) in enumerate(zip(sent, ids, decoded, strict=False)):
        found = id_of(got)
        if got is None and row is not None:
            yield number, "null"
        elif found is not None and found != own and found in ids:
            yield number, f"the batch {found}"


def _lists(record: ClientRunRecord, result: CheckResult) -> Iterator[tuple[CaseResult, CallResult]]:
    for case_result, call_result in record.turns(result):
        if not isinstance(call_result.expected, Batches):
            continue
        if not (call_result.expected.refusable and call_result.reply.error is not None):
            yield case_result, call_result
