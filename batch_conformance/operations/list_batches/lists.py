"""Access to the lists in recorded responses, for the checks of ``server.list.*``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any

from batch_conformance.checks.finding import CheckFunction, CheckResult
from batch_conformance.checks.server.judged import media_of
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.checks.server.statuses import is_success
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.entity import entity_of, entry_id
from batch_conformance.contract.listing import ListShape, shape_in
from batch_conformance.contract.references import types_of
from batch_conformance.http import Exchange

OPERATION = "list"
STATUS = "server.ok.status"
JSON = "server.ok.json"
ARRAY = "server.list.array"

Batch = Mapping[str, Any]


def list_check(
    clause: str, *, needs: Iterable[str], explained_by: Iterable[str] = ()
) -> Callable[[CheckFunction[Record]], CheckFunction[Record]]:
    """Register the decorated function as the check of a clause; it gets records of List Batches only."""

    def register(function: CheckFunction[Record]) -> CheckFunction[Record]:
        @wraps(function)
        def check(record: Record, result: CheckResult) -> None:
            if record.operation == OPERATION:
                function(record, result)

        return SERVER_CHECKS.check(clause, needs=needs, explained_by=explained_by)(check)

    return register


def lists(record: Record, result: CheckResult, *probes: str) -> Iterator[tuple[Exchange, list[Any]]]:
    """Yield the lists in responses to these probes; other statuses and bodies are set aside."""
    for exchange in record.of(*probes):
        if exchange.request.method != "GET" or exchange.intent.key_kind not in ("valid", "other-org"):
            continue
        rows = rows_of(exchange)
        if not is_success(exchange.status, OPERATION):
            result.set_aside(STATUS)
        elif exchange.failure is not None or exchange.response is None or not exchange.response.json.ok:
            result.set_aside(JSON)
        elif rows is None:
            result.set_aside(ARRAY)
        else:
            yield exchange, rows


def identified(rows: Iterable[Any], record: Record, result: CheckResult) -> Iterator[tuple[str, Batch]]:
    """Yield the entries with an id, and the id. Others are set aside for the clause that reports them."""
    for row in rows:
        clause, own = nameless(row, record), own_id(row)
        if clause or own is None:
            result.set_aside(clause)
        else:
            yield own, row


def object_clause() -> str:
    """Return the clause that an entry is an object; one of its own where entries are other objects than batches."""
    return clause_list().of_place("", OPERATION)


def nameless(row: object, record: Record) -> str:
    """Return the clause that reports an entry without an id; empty for an entry that has one."""
    if not isinstance(row, dict) or not record.holds(row):
        return object_clause()
    return "" if own_id(row) is not None else clause_list().of_place(entry_id(), OPERATION)


@cached_by_contract
def shape_for(media: str | None) -> ListShape | None:
    """Return the documented shape of a list in a media type."""
    return shape_in(current_contract().document, media_of(OPERATION, media))


def rows_of(exchange: Exchange) -> list[Any] | None:
    """Return the entries of a response; None where it holds no list."""
    response = exchange.response
    if response is None or not response.json.ok:
        return None
    shape = shape_for(response.media_type)
    return shape.entries(response.json.value) if shape else None


def is_page(rows: Sequence[Any]) -> bool:
    """Whether a list may be a page: its length is the maximum, or an integer query parameter's default."""
    shape = shape_for(None)
    query = current_contract().operation(OPERATION).of_place("query")
    sizes = {row.schema.get("default") for row in query if row.filter is None and "integer" in types_of(row.schema)}
    most = shape.most if shape else None
    return (most is not None and len(rows) >= most) or len(rows) in sizes


def own_id(row: object) -> str | None:
    """Return the id of an entry as it appears in URLs; None where it has none, or an invalid one."""
    return entity_of(OPERATION).id_at(row, entry_id()) if isinstance(row, dict) else None
