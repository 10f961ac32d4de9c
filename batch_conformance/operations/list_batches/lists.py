"""The arrays that a server answered List Batches with, as the checks of ``server.list.*`` look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import wraps
from typing import Any

from batch_conformance.checks.finding import CheckFunction, CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.contract import parse_date_time
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.http import Exchange

OPERATION = "list"
STATUS = "server.ok.status"
JSON = "server.ok.json"
ARRAY = "server.list.array"
CREATED = "server.body.created_at"
OBJECT = "server.body.object"
#: Probes that read the whole list.
READS = ("reads", "late-reads")

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
    """The arrays that came in answer to these probes; what is no 200, no JSON or no array is left to its own clause."""
    for exchange in record.of(*probes):
        if exchange.request.method != "GET" or exchange.intent.key_kind not in ("valid", "other-org"):
            continue
        if exchange.status != 200:
            result.set_aside(STATUS)
        elif exchange.failure is not None or exchange.response is None or not exchange.response.json.ok:
            result.set_aside(JSON)
        elif not isinstance(exchange.response.json.value, list):
            result.set_aside(ARRAY)
        else:
            yield exchange, exchange.response.json.value


def identified(rows: Iterable[Any], record: Record, result: CheckResult) -> Iterator[tuple[str, Batch]]:
    """The entries that have an id, with it; the others are left to the clause that reports them."""
    for row in rows:
        clause = nameless(row, record)
        if clause:
            result.set_aside(clause)
        else:
            yield row["id"], row


def nameless(row: object, record: Record) -> str:
    """The clause that reports an entry without an id; empty for one that has an id."""
    if not isinstance(row, dict) or not record.holds(row):
        return OBJECT
    return "" if isinstance(row.get("id"), str) else clause_list().of_place("/id")


def value_of(exchange: Exchange) -> Any:
    """The JSON value of an answer; None where it is none."""
    return (
        exchange.response.json.value if exchange.response is not None and exchange.response.json.ok else None
    )


def created(row: object) -> Fraction | None:
    """When a batch was created, in seconds since 1970; None where that cannot be read."""
    value = row.get("created_at") if isinstance(row, dict) else None
    instant = parse_date_time(value) if isinstance(value, str) else ""
    return None if isinstance(instant, str) else instant.seconds + instant.fraction
