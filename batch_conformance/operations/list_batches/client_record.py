"""Views of List Batches calls for checks: the list as a whole, or each batch as a call of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial, wraps
from typing import Any

from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    CallResult,
    CaseResult,
    ClientRunRecord,
    ExpectedOutcome,
    HttpError,
    ValidBatch,
)
from batch_conformance.checks.finding import CheckFunction, CheckResult
from batch_conformance.client_runner.call import NoObject
from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import entry_entity, entry_id
from batch_conformance.contract.pointers import read
from batch_conformance.operations.list_batches.filters import NAMES

OPERATION = "list"
_PREFIX_OF_SINGLE = "client.decode."


def id_of(row: object) -> Any:
    """Return the id of an entry, under its name in the contract in use; None where there is none."""
    found = read(row, entry_id()) if isinstance(row, dict) else None
    return found if isinstance(found, str | int) else None


class Arguments:
    """Arguments of a call: filters under their names in the driver protocol, None for those not given."""

    @staticmethod
    def of(given: Mapping[str, str]) -> tuple[tuple[str, str | None], ...]:
        """Return the arguments of a call with these filters."""
        return tuple((name, given.get(name)) for name in NAMES)

    @staticmethod
    def nothing() -> tuple[tuple[str, str | None], ...]:
        """Return the arguments of a call without filters."""
        return Arguments.of({})


@dataclass(frozen=True)
class Batches(ValidBatch):
    """Expected outcome of a 200 with a list. If ``refusable``, the client may reject the list as a whole."""

    batches: tuple[Any, ...] = ()


@dataclass(frozen=True)
class _SingleReply:
    """The reply about one batch of a list, in the form of a reply to a call of its own."""

    batch: dict[str, Any] | None
    error: Any = None
    broken: str | None = None
    seconds: float = 0.0
    stderr: str = ""


class ListRunRecord(ClientRunRecord):
    """The calls of List Batches, each with a whole list."""

    def blamed(self, clause: str) -> frozenset[str]:
        """Return the places in the findings of a clause on lists; none for one that does not apply to them."""
        if OPERATION not in current_contract().clauses[clause].operations:
            return frozenset()
        if clause.startswith(_PREFIX_OF_SINGLE) and not isinstance(self, _Entries):
            return self.entries.blamed(clause)
        return super().blamed(clause)

    @cached_property
    def entries(self) -> ClientRunRecord:
        """The batches of all lists, each as a call of its own."""
        return _Entries([one.kept("entries", partial(_split_case, one)) for one in self.plays], self.keys)


class _Entries(ListRunRecord):
    """The batches of lists, each as a call of its own."""


def list_check(
    clause: str, *, needs: Iterable[str] = ()
) -> Callable[[CheckFunction[ClientRunRecord]], CheckFunction[ClientRunRecord]]:
    """Register the decorated function as the check of a clause; it gets calls of List Batches only."""

    def register(function: CheckFunction[ClientRunRecord]) -> CheckFunction[ClientRunRecord]:
        @wraps(function)
        def check(record: ClientRunRecord, result: CheckResult) -> None:
            function(record.of_operation(OPERATION), result)

        return CLIENT_CHECKS.check(clause, needs=needs)(check)

    return register


def view(record: ClientRunRecord, clause: str) -> ClientRunRecord:
    """Return the record that a check gets: single batches for ``client.decode.*``, else whole lists."""
    lists = record.kept("lists", lambda: ListRunRecord(record.plays, record.keys))
    return lists.entries if clause.startswith(_PREFIX_OF_SINGLE) else lists


def decoded_list(call_result: CallResult) -> list[Any] | None:
    """Return the list that the client reported; None where it reported no list."""
    value = getattr(call_result.reply.batch, "value", None)
    return value if isinstance(value, list) else None


def given_filters(call_result: CallResult) -> dict[str, str]:
    """Return the filters of a call, under their names in the driver protocol."""
    arguments: tuple[tuple[str, str | None], ...] = getattr(call_result.call, "arguments", ())
    return {name: value for name, value in arguments if value is not None}


def _split_case(case_result: CaseResult) -> CaseResult:
    turns = [one for call_result in case_result.turns for one in _single_calls(call_result)]
    return replace(case_result, turns=tuple(turns))


def _single_calls(call_result: CallResult) -> Iterator[CallResult]:
    """Yield a call for each expected batch, none if the counts differ; the call itself if it is no list."""
    expected = call_result.expected
    if not isinstance(expected, Batches):
        yield call_result
        return
    decoded = decoded_list(call_result)
    if call_result.reply.batch is not None and (decoded is None or len(decoded) != len(expected.batches)):
        return  # client.list.entries reports missing and additional entries
    if is_repetitive(decoded, expected.batches):
        return  # and so it does here
    places = _by_id(decoded, expected.batches)
    for index, sent in enumerate(expected.batches):
        if not isinstance(sent, dict) or not sent.keys() >= set(entry_entity().required):
            continue
        reply: Any = call_result.reply
        if decoded is not None:
            one = places.get(id_of(sent), decoded[index])
            batch = one if isinstance(one, dict) else NoObject(one)
            reply = _SingleReply(batch, seconds=call_result.reply.seconds)
        call = replace(call_result.call, batch_id=str(id_of(sent) or ""))  # type: ignore[type-var]
        outcome: ExpectedOutcome = ValidBatch(sent, expected.refusable)
        yield replace(call_result, call=call, expected=outcome, reply=reply)


def is_repetitive(decoded: list[Any] | None, sent: tuple[Any, ...]) -> bool:
    """Whether some of the batches sent were decoded in place of others."""
    ids, came = [id_of(row) for row in decoded or ()], [id_of(row) for row in sent]
    if not all(isinstance(one, str) for one in (*ids, *came)):
        return False
    return len(ids) == len(came) == len(set(came)) and set(ids) < set(came)


def _by_id(decoded: list[Any] | None, sent: tuple[Any, ...]) -> dict[str, Any]:
    """Return the decoded batches by id if their ids are those sent, in whatever order."""
    rows = {id_of(row): row for row in decoded or () if isinstance(id_of(row), str)}
    came = {id_of(row) for row in sent if isinstance(id_of(row), str)}
    return rows if rows.keys() == came and len(rows) == len(sent) else {}


__all__ = [
    "CLIENT_CHECKS",
    "OPERATION",
    "Arguments",
    "Batches",
    "HttpError",
    "ListRunRecord",
    "decoded_list",
    "given_filters",
    "is_repetitive",
    "list_check",
    "view",
]
