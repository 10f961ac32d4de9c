"""Clauses ``server.list.*`` about filters: what they select, and what comes of those that can select nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.checks.server.record import Record
from batch_conformance.checks.words import shown
from batch_conformance.contract import parse_date_time
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.lists import (
    ARRAY,
    CREATED,
    JSON,
    OBJECT,
    READS,
    STATUS,
    Batch,
    created,
    list_check,
    lists,
    nameless,
    value_of,
)
from batch_conformance.operations.list_batches.steadiness import Unsteady, unsteady

_EMPTY = "server.list.empty"
_FILTERS = [*READS, "list-filters"]


@list_check("server.list.status", needs=_FILTERS, explained_by=[_EMPTY])
def by_status(record: Record, result: CheckResult) -> None:
    """The batches in the status asked for, all of them and no others."""
    _filtered(record, result, {"status"}, "list-filters")


@list_check("server.list.created-after", needs=_FILTERS, explained_by=[_EMPTY])
def after(record: Record, result: CheckResult) -> None:
    """The batches created later than the bound, all of them and none created earlier."""
    _filtered(record, result, {"created_after"}, "list-filters")
    _nothing_fits(record, result, "created_after")


@list_check("server.list.created-before", needs=_FILTERS, explained_by=[_EMPTY])
def before(record: Record, result: CheckResult) -> None:
    """The batches created earlier than the bound, all of them and none created later."""
    _filtered(record, result, {"created_before"}, "list-filters")
    _nothing_fits(record, result, "created_before")


_FILTER_OF = {
    "status": "server.list.status",
    "created_after": "server.list.created-after",
    "created_before": "server.list.created-before",
}


@list_check("server.list.together", needs=_FILTERS, explained_by=[*_FILTER_OF.values(), _EMPTY])
def together(record: Record, result: CheckResult) -> None:
    """Several filters: the batches that fit all of them. A filter that fails alone has its own clause."""
    pairs = [set(names) for count in (2, 3) for names in combinations(_FILTER_OF, count)]
    for names in pairs:
        _filtered(record, result, names, "list-filters", plainly=[_FILTER_OF[name] for name in sorted(names)])
        if result.observations:
            _limit_to_what_shows(record, result, names)


@list_check(
    "server.list.offset",
    needs=[*_FILTERS, "list-offsets"],
    explained_by=[*list(_FILTER_OF.values())[1:], _EMPTY],
)
def offset(record: Record, result: CheckResult) -> None:
    """A bound means the same instant with whatever offset it is written."""
    for name in ("created_after", "created_before"):
        _filtered(record, result, {name}, "list-offsets", plainly=[_FILTER_OF[name]])


@list_check(
    "server.list.crossed-dates",
    needs=[*_FILTERS, "list-crossed", "list-empty"],
    explained_by=[*list(_FILTER_OF.values())[1:], _EMPTY],
)
def crossed(record: Record, result: CheckResult) -> None:
    """Bounds that leave no room: 400, or nothing."""
    for exchange in record.of("list-crossed"):
        broken = [clause for clause in list(_FILTER_OF.values())[1:] if result.failed(clause)]
        if broken:
            result.set_aside(broken[0])
        elif _status_is_anothers(exchange, record, result):
            continue
        elif exchange.status == 200 and not isinstance(value_of(exchange), list):
            result.set_aside(ARRAY)
        elif exchange.status != 400 and exchange.status != 200 and result.failed(_EMPTY):
            result.set_aside(_EMPTY)
        else:
            result.observe()
            if exchange.status != 400 and value_of(exchange) != []:
                result.fail(
                    exchange,
                    "created_after later than created_before",
                    expected="400, or 200 and []",
                    actual=_outcome(exchange),
                    code="status" if exchange.status != 200 else "unasked",
                )


@list_check("server.list.bad-filter", needs=[*READS, "list-bad-filters"])
def bad_filter(record: Record, result: CheckResult) -> None:
    """What selects nothing never selects anything: no batch is handed out for it."""
    for exchange in record.of("list-bad-filters"):
        if _status_is_anothers(exchange, record, result):
            continue
        listed = value_of(exchange)
        if exchange.status == 200 and not isinstance(listed, list):
            result.set_aside(ARRAY)
            continue
        result.observe()
        if exchange.status == 200 and listed:
            result.fail(exchange, f"{exchange.intent.label} was ignored", expected="400, or at least no batch",
                        actual=f"200 and {len(listed)} batches", code="unasked")  # fmt: skip
    if result.observations and not any(rows for _, rows in lists(record, CheckResult(""), *READS)):
        result.limit("there was no batch that could have come all the same")


@list_check("server.list.bad-filter-400", needs=[*READS, "list-bad-filters"])
def bad_filter_400(record: Record, result: CheckResult) -> None:
    """And it is said so: 400."""
    for exchange in record.of("list-bad-filters"):
        if _status_is_anothers(exchange, record, result):
            continue
        if exchange.status == 200 and value_of(exchange) != []:
            result.set_aside("server.list.bad-filter")
            continue
        result.observe()
        if exchange.status not in (400, 422):
            result.fail(
                exchange, exchange.intent.label, expected="400", actual=_outcome(exchange), code="status"
            )


def _filtered(
    record: Record, result: CheckResult, names: set[str], probe: str, plainly: Sequence[str] = ()
) -> None:
    """Judge the answers to requests with just these filters, by the whole lists before and after them.

    ``plainly`` are clauses that explain what goes wrong when they are broken.
    """
    asked = [exchange for exchange in record.of(probe) if {name for name, _ in _asked(exchange)} == names]
    cause = next((clause for clause in plainly if result.failed(clause)), "")
    changing = unsteady(record) if asked and not cause else {}
    whole = list(lists(record, CheckResult(""), *READS))
    for exchange in asked:
        if cause:
            result.set_aside(cause)
            continue
        if _status_is_anothers(exchange, record, result):
            continue
        if exchange.status != 200:
            if result.failed(_EMPTY) and not any(_any_fits(exchange, rows) for _, rows in whole):
                result.set_aside(_EMPTY)
                continue
            result.observe()
            result.fail(
                exchange,
                exchange.intent.label,
                expected="200 and the batches that fit",
                actual=_outcome(exchange),
                code="status",
            )
            continue
        rows = value_of(exchange)
        if not isinstance(rows, list):
            result.set_aside(JSON if exchange.response is None or not exchange.response.json.ok else ARRAY)
            continue
        _judge_selection(record, result, exchange, rows, whole, changing)


def _any_fits(exchange: Exchange, rows: Sequence[Any]) -> bool:
    fits = [_fit(name, value) for name, value in _asked(exchange)]
    return any(all(fit(row) for fit in fits) for row in rows if isinstance(row, dict))


def _limit_to_what_shows(record: Record, result: CheckResult, names: set[str]) -> None:
    """Name the filters of a combination that could have been ignored without any answer being another one."""
    whole = list(lists(record, CheckResult(""), *READS))
    asked = [row for row in record.of("list-filters") if {name for name, _ in _asked(row)} == names]
    for name in sorted(names) if asked else ():
        if not any(_matters(name, exchange, rows) for exchange in asked for _, rows in whole):
            beside = " and ".join(sorted(names - {name}))
            result.limit(f"no batch could show whether {name} counts beside {beside}")


def _matters(name: str, exchange: Exchange, rows: Sequence[Any]) -> bool:
    """Whether a batch fits all filters of a request but this one."""
    asked = _asked(exchange)
    others = [_fit(other, value) for other, value in asked if other != name]
    own = [_fit(other, value) for other, value in asked if other == name]
    batches = [row for row in rows if isinstance(row, dict)]
    return any(all(fit(row) for fit in others) and any(fit(row) is False for fit in own) for row in batches)


def _told(
    rows: Sequence[Any], names: Sequence[str], record: Record, changing: Unsteady, result: CheckResult
) -> Iterator[Batch]:
    """The batches of which it can be told whether they fit; the others are left to the clause that says why not."""
    for row in rows:
        clause = next(filter(None, (_anothers(name, row, record, changing) for name in names)), "")
        if clause:
            result.set_aside(clause)
        else:
            yield row


def _anothers(name: str, row: Any, record: Record, changing: Unsteady) -> str:
    """The clause that reports what a filter looks at in an entry: it is no value, or changes as it must not."""
    if not record.holds(row):
        return OBJECT
    member = "status" if name == "status" else "created_at"
    clause = changing.get(str(row.get("id")), {}).get(member)
    if clause:
        return clause
    if name == "status":
        known = record.entity.state_of(row) if record.entity.lifecycle.values else row.get("status")
        return "" if isinstance(known, str) else clause_list().of_place("/status")
    return "" if created(row) is not None else CREATED


def _judge_selection(
    record: Record,
    result: CheckResult,
    exchange: Exchange,
    rows: Sequence[Any],
    whole: Sequence[tuple[Exchange, list[Any]]],
    changing: Unsteady,
) -> None:
    names = [name for name, _ in _asked(exchange)]
    fits = [_fit(name, value) for name, value in _asked(exchange)]
    said = ", ".join(f"{name}={value}" for name, value in _asked(exchange))
    earlier = [read for read in whole if read[0].ended <= exchange.started][-1:]
    later = [read for read in whole if read[0].started >= exchange.ended][:1]
    unseen = CheckResult("")
    before = [list(_told(read[1], names, record, changing, unseen)) for read in earlier]
    told = list(_told(rows, names, record, changing, result))
    if not told and not any(before) and (rows or unseen.explained):
        # Neither what came nor what is left out can be judged.
        for clause in () if rows else unseen.explained:
            result.set_aside(clause)
        return
    result.observe()
    for row in told:
        if any(fit(row) is False for fit in fits):
            members = {name: row.get(name, MISSING) for name in ("id", "status", "created_at")}
            result.fail(exchange, f"a batch that does not fit {said}", expected="only batches that fit",
                        actual=", ".join(f"{name}: {shown(value)}" for name, value in members.items()),
                        code="unasked")  # fmt: skip
            return
    there = {row["id"] for row in rows if not nameless(row, record)}
    known = [*rows, *(earlier[0][1] if earlier else ())]
    hidden = next(filter(None, (nameless(row, record) for row in known)), "")
    if not earlier or not later:
        result.limit("without a whole list before and after, what a filter leaves out could not show")
        return
    # What fits before and after fitted in between: statuses move forward only, dates not at all.
    stayed = _fitting(before[0], fits) & _fitting(later[0][1], fits)
    if hidden:
        # An entry without an id may be any batch.
        result.set_aside(hidden)
        return
    for row in before[0]:
        if isinstance(row.get("id"), str) and row["id"] in stayed - there:
            result.fail(
                exchange,
                f"the batch {shown(row['id'])}, which fits {said}, is left out",
                expected="all batches that fit",
                actual=f"{len(rows)} others",
                prelude=(earlier[0][0],),
                code="left-out",
            )
            return


def _fitting(rows: Sequence[Any], fits: Sequence[Callable[[Batch], bool | None]]) -> set[str]:
    """The ids of the batches that fit all filters for certain."""
    batches = [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    return {row["id"] for row in batches if all(fit(row) for fit in fits)}


def _fit(name: str, value: str) -> Callable[[Batch], bool | None]:
    """Whether an entry fits a filter; None where the contract leaves it open (on the bound), or it cannot be told."""
    if name == "status":
        return lambda row: row["status"] == value if isinstance(row.get("status"), str) else None
    bound = parse_date_time(value)
    assert not isinstance(bound, str)
    at = bound.seconds + bound.fraction

    def fits(row: Batch) -> bool | None:
        moment = created(row)
        if moment is None or moment == at:
            return None
        return moment > at if name == "created_after" else moment < at

    return fits


def _nothing_fits(record: Record, result: CheckResult, name: str) -> None:
    """A bound beyond all batches lets none through."""
    for exchange in record.of("list-empty"):
        rows = value_of(exchange)
        if _asked(exchange)[0][0] == name and exchange.status == 200 and isinstance(rows, list):
            # One that fits is not the filter's fault: the list that the bound was taken from lacks it.
            told = list(_told(rows, [name], record, unsteady(record), result))
            if told or not rows:
                result.observe()
            fit = _fit(*_asked(exchange)[0])
            beyond = [row for row in told if fit(row) is False]
            if beyond:
                result.fail(
                    exchange,
                    f"{name} beyond all batches",
                    expected="no batch",
                    actual=f"{len(beyond)} batches",
                    code="unasked",
                )


def _status_is_anothers(exchange: Exchange, record: Record, result: CheckResult) -> bool:
    """Whether the status of an answer is for another clause to judge: a failure, or no list at all."""
    if not record_lists(record):
        result.set_aside(STATUS)
    elif exchange.status is not None and exchange.status >= 500:
        result.set_aside("server.error.documented-status")
    elif exchange.status == 200 and (
        exchange.response is None or not exchange.response.json.ok or exchange.failure
    ):
        result.set_aside(JSON)
    else:
        return False
    return True


def record_lists(record: Record) -> bool:
    """Whether the plain list is answered with 200 at all."""
    return any(exchange.status == 200 for exchange in record.of(*READS))


@list_check(_EMPTY, needs=["list-empty"])
def empty(record: Record, result: CheckResult) -> None:
    """Where nothing fits: 200 and an array without entries."""
    for exchange in record.of("list-empty"):
        if _status_is_anothers(exchange, record, result):
            continue
        rows = value_of(exchange)
        if exchange.status == 200 and rows != []:
            # An array with batches in it: the filter lets through what it must not, or the whole list lacks them.
            name, value = _asked(exchange)[0]
            fit = _fit(name, value)
            batches = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            unasked = _FILTER_OF[name] if any(fit(row) is False for row in batches) else "server.list.complete"
            result.set_aside(unasked if isinstance(rows, list) else ARRAY)
            continue
        result.observe()
        if exchange.status != 200:
            result.fail(
                exchange,
                f"{exchange.intent.label}, which no batch fits",
                expected="200 and []",
                actual=_outcome(exchange),
                code="status",
            )


def _asked(exchange: Exchange) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(exchange.request.url).query, keep_blank_values=True)


def _outcome(exchange: Exchange) -> str:
    value = value_of(exchange)
    if exchange.status == 200 and isinstance(value, list):
        return f"200 and {len(value)} batches"
    return exchange.outcome()
