"""The arrays that a server answered List Batches with, as the checks of ``server.list.*`` look at them."""

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
OBJECT = "server.body.object"

Batch = Mapping[str, Any]


def list_check(
    clause: str, *, needs: Iterable[str], explained_by: Iterable[str] = ()
) -> Callable[[CheckFunction[Record]], CheckFunction[Record]]:
    """Register the decorated function as the check of a clause; it looks at records of List Batches only."""

    def register(function: CheckFunction[Record]) -> CheckFunction[Record]:
        @wraps(function)
        def check(record: Record, result: CheckResult) -> None:
            if record.operation == OPERATION:
                function(record, result)

        return SERVER_CHECKS.check(clause, needs=needs, explained_by=explained_by)(check)

    return register


def lists(record: Record, result: CheckResult, *probes: str) -> Iterator[tuple[Exchange, list[Any]]]:
    """The lists that came in answer to these probes; what is no success, no JSON or no list has a clause of its own."""
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
    """The entries that have an id, with it; the others are left to the clause that reports them."""
    for row in rows:
        clause, own = nameless(row, record), own_id(row)
        if clause or own is None:
            result.set_aside(clause)
        else:
            yield own, row


def nameless(row: object, record: Record) -> str:
    """The clause that reports an entry without an id; empty for one that has an id."""
    if not isinstance(row, dict) or not record.holds(row):
        return OBJECT
    return "" if own_id(row) is not None else clause_list().of_place(entry_id())


@cached_by_contract
def shape_for(media: str | None) -> ListShape | None:
    """The documented shape of a list in a media type."""
    return shape_in(current_contract().document, media_of(OPERATION, media))


def rows_of(exchange: Exchange) -> list[Any] | None:
    """The entries of an answer; None where it holds no list."""
    response = exchange.response
    if response is None or not response.json.ok:
        return None
    shape = shape_for(response.media_type)
    return shape.entries(response.json.value) if shape else None


def is_page(rows: Sequence[Any]) -> bool:
    """Whether a list may be a part of all there are: as long as the contract lets one be, at most or by default."""
    shape = shape_for(None)
    query = current_contract().operation(OPERATION).of_place("query")
    sizes = {row.schema.get("default") for row in query if row.filter is None and "integer" in types_of(row.schema)}
    most = shape.most if shape else None
    return (most is not None and len(rows) >= most) or len(rows) in sizes


def own_id(row: object) -> str | None:
    """The id of an entry as it stands in a URL; None where it has none, or not one as documented."""
    return entity_of(OPERATION).id_at(row, entry_id()) if isinstance(row, dict) else None
