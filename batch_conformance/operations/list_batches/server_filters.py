"""Checks of ``server.list.*`` about filters: what they select, and how invalid ones are answered."""

from __future__ import annotations

from collections.abc import Sized
from itertools import combinations

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import READS, SERVER_CHECKS, Record
from batch_conformance.checks.server.statuses import is_success
from batch_conformance.checks.words import counted, dotted
from batch_conformance.contract.clause_list import FILTER, filter_clause
from batch_conformance.contract.filters import NO_SUCH_PARAMETER, other_filters
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    NAMES,
    STATUS,
    has_own_clause,
    member_of,
    requested_filters,
    usable,
    wire_name,
)
from batch_conformance.operations.list_batches.lists import (
    ARRAY,
    JSON,
    OPERATION,
    list_check,
    lists,
    object_clause,
    rows_of,
)
from batch_conformance.operations.list_batches.lists import STATUS as OK
from batch_conformance.operations.list_batches.selection import (
    any_fits,
    check_selection,
    checkable_batches,
    fit_of,
    limit_to_visible_filters,
    sent_with,
)
from batch_conformance.operations.list_batches.unstable_members import unsteady

_EMPTY, _TOGETHER = "server.list.empty", "server.list.together"
_FILTERS = [*READS, "list-filters"]


@list_check("server.list.status", needs=_FILTERS, explained_by=[_EMPTY])
def by_status(record: Record, result: CheckResult) -> None:
    """The list holds exactly the batches in the requested status."""
    if _are_usable(result, STATUS):
        _check_filters(record, result, {STATUS}, "list-filters")
        _limit_without_batches(record, result)


@list_check("server.list.created-after", needs=_FILTERS, explained_by=[_EMPTY])
def after(record: Record, result: CheckResult) -> None:
    """The list holds all batches created after the bound, and none created before it."""
    if _are_usable(result, AFTER):
        _check_filters(record, result, {AFTER}, "list-filters")
        _nothing_fits(record, result, AFTER)
        _limit_without_batches(record, result)


@list_check("server.list.created-before", needs=_FILTERS, explained_by=[_EMPTY])
def before(record: Record, result: CheckResult) -> None:
    """The list holds all batches created before the bound, and none created after it."""
    if _are_usable(result, BEFORE):
        _check_filters(record, result, {BEFORE}, "list-filters")
        _nothing_fits(record, result, BEFORE)
        _limit_without_batches(record, result)


@SERVER_CHECKS.family(FILTER, needs=[*_FILTERS, "list-other-filters"], explained_by=[_EMPTY])
def by_another(record: Record, result: CheckResult) -> None:
    """The list holds exactly the batches that fit a filter added by an overlay."""
    for name in other_filters():
        if filter_clause(name) == result.clause and record.operation == OPERATION:
            _check_filters(record, result, {name}, "list-other-filters")
            if not sent_with(record, "list-other-filters", {name}) and not result.reason:
                result.note(f"no two batches of the list differ by what {name} selects")
            _limit_without_batches(record, result)


_FILTER_OF = {
    STATUS: "server.list.status",
    AFTER: "server.list.created-after",
    BEFORE: "server.list.created-before",
}


def _are_usable(result: CheckResult, *names: str, most_lack: int = 0) -> bool:
    """Whether at most ``most_lack`` of these filters are unusable; otherwise, note the reason."""
    lacking = [name for name in names if not usable(name)]
    if len(lacking) <= most_lack:
        return True
    first, compared = lacking[0], member_of(lacking[0])
    other = next((name for name in lacking if name in other_filters()), "")
    if other:
        result.note(f"{other} compares no date-times in this contract: {filter_clause(other)} judges it")
    elif not all(map(has_own_clause, lacking)):
        result.note(NO_SUCH_PARAMETER)
    else:
        result.note(f"entries have no {dotted(compared)}, by which {wire_name(first)} selects")
    return False


@list_check(_TOGETHER, needs=[*_FILTERS, "list-other-filters"], explained_by=[*_FILTER_OF.values(), _EMPTY])
def together(record: Record, result: CheckResult) -> None:
    """The list holds exactly the batches that fit all filters; one that fails alone has its own clause."""
    if not _are_usable(result, *NAMES, most_lack=len(NAMES) - 2 + min(2, len(other_filters()))):
        return
    # An overlay may turn one of the three into a filter of its own.
    broken = {name: _broken_alone(record, result, name) for name in (*_FILTER_OF, *other_filters())}

    def cause(names: set[str]) -> str:
        return next((broken[name] for name in sorted(names) if broken[name]), "")

    pairs = [set(names) for count in (2, 3) for names in combinations(_FILTER_OF, count)]
    for names in pairs:
        _check_filters(record, result, names, "list-filters", cause(names))
        if result.observations:
            limit_to_visible_filters(record, result, names)
    for names in map(set, combinations(broken, 2) if other_filters() else ()):
        _check_filters(record, result, names, "list-other-filters", cause(names))
    _limit_without_batches(record, result)


def _broken_alone(record: Record, result: CheckResult, name: str) -> str:
    """Return the clause of a filter if it is broken by the filter alone, which explains combinations; else nothing."""
    if name in _FILTER_OF and result.failed(_FILTER_OF[name]):
        return _FILTER_OF[name]
    if name in other_filters():
        alone = CheckResult("", earlier=result.earlier)
        _check_filters(record, alone, {name}, "list-other-filters")
        return filter_clause(name) if alone.findings else ""
    return ""


@list_check(
    "server.list.offset",
    needs=[*_FILTERS, "list-offsets"],
    explained_by=[*list(_FILTER_OF.values())[1:], _EMPTY],
)
def offset(record: Record, result: CheckResult) -> None:
    """A bound means the same instant, whatever its offset."""
    for name in (AFTER, BEFORE) if _are_usable(result, AFTER, BEFORE, most_lack=1) else ():
        _check_filters(record, result, {name}, "list-offsets", _broken_alone(record, result, name))
    _limit_without_batches(record, result)


@list_check(
    "server.list.crossed-dates",
    needs=[*_FILTERS, "list-crossed", "list-empty"],
    explained_by=[*list(_FILTER_OF.values())[1:], _EMPTY],
)
def crossed(record: Record, result: CheckResult) -> None:
    """Contradictory bounds give a 400 or an empty list."""
    if not _are_usable(result, AFTER, BEFORE):
        return
    for exchange in record.of("list-crossed"):
        broken = [clause for clause in list(_FILTER_OF.values())[1:] if result.failed(clause)]
        if broken:
            result.set_aside(broken[0])
        elif _is_reported_elsewhere(exchange, record, result):
            continue
        elif _is_listed(exchange) and rows_of(exchange) is None:
            result.set_aside(ARRAY)
        elif _is_listed(exchange) and not all(map(record.holds, rows_of(exchange) or ())):
            result.set_aside(object_clause())
        elif exchange.status != 400 and not _is_listed(exchange) and result.failed(_EMPTY):
            result.set_aside(_EMPTY)
        else:
            result.observe()
            if exchange.status != 400 and (not _is_listed(exchange) or rows_of(exchange) != []):
                result.fail(
                    exchange,
                    f"{wire_name(AFTER)} later than {wire_name(BEFORE)}",
                    expected="400, or 200 and []",
                    actual=_outcome(exchange),
                    code="status" if not _is_listed(exchange) else "unasked",
                )
    _limit_without_batches(record, result)


@list_check("server.list.bad-filter", needs=[*_FILTERS, "list-bad-filters"], explained_by=[_TOGETHER])
def bad_filter(record: Record, result: CheckResult) -> None:
    """An invalid filter selects no batch."""
    if not _are_usable(result, *NAMES, most_lack=2):
        return
    for exchange in record.of("list-bad-filters"):
        if _is_reported_elsewhere(exchange, record, result) or _is_lost_beside(exchange, result):
            continue
        listed = rows_of(exchange)
        if _is_listed(exchange) and listed is None:
            result.set_aside(ARRAY)
            continue
        result.observe()
        if _is_listed(exchange) and listed:
            result.fail(
                exchange,
                f"{exchange.intent.label}, which is invalid, selects batches",
                expected="400, or at least no batch",
                actual=f"{exchange.status} and {_batches(listed)}",
                code="unasked",
            )
    _limit_without_batches(record, result)


@list_check("server.list.bad-filter-400", needs=[*_FILTERS, "list-bad-filters"], explained_by=[_TOGETHER])
def bad_filter_400(record: Record, result: CheckResult) -> None:
    """An invalid filter gives a 400 or 422."""
    if not _are_usable(result, *NAMES, most_lack=2):
        return
    for exchange in record.of("list-bad-filters"):
        if _is_reported_elsewhere(exchange, record, result) or _is_lost_beside(exchange, result):
            continue
        if _is_listed(exchange) and (rows := rows_of(exchange)) != []:
            result.set_aside(ARRAY if rows is None else "server.list.bad-filter")
            continue
        result.observe()
        if exchange.status not in (400, 422):
            result.fail(exchange, exchange.intent.label, expected="400", actual=_outcome(exchange), code="status")


def _is_lost_beside(exchange: Exchange, result: CheckResult) -> bool:
    """Set aside a combination of an invalid with a valid filter if the server fails combinations anyway."""
    lost = len(requested_filters(exchange)) > 1 and result.failed(_TOGETHER)
    if lost:
        result.set_aside(_TOGETHER)
    return lost


def _check_filters(record: Record, result: CheckResult, names: set[str], probe: str, cause: str = "") -> None:
    """Check the responses to requests with exactly these filters against the whole lists around them.

    ``cause`` is the broken clause that explains a failure, if any.
    """
    sent = sent_with(record, probe, names)
    changing = unsteady(record) if sent and not cause else {}
    whole = list(lists(record, CheckResult(""), *READS))
    for exchange in sent:
        if cause:
            result.set_aside(cause)
            continue
        if _is_reported_elsewhere(exchange, record, result):
            continue
        if not _is_listed(exchange):
            if result.failed(_EMPTY) and not any(any_fits(exchange, rows) for _, rows in whole):
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
        rows = rows_of(exchange)
        if rows is None:
            result.set_aside(JSON if exchange.response is None or not exchange.response.json.ok else ARRAY)
            continue
        check_selection(record, result, exchange, rows, whole, changing)


def _nothing_fits(record: Record, result: CheckResult, name: str) -> None:
    """Check that a bound beyond all batches selects none."""
    for exchange in record.of("list-empty"):
        rows = rows_of(exchange)
        if _first_filter(exchange) == name and _is_listed(exchange) and rows is not None:
            # An entry that fits is no fault of the filter: the list that the bound was taken from lacked it.
            checkable = list(checkable_batches(rows, [name], record, unsteady(record), result))
            if checkable or not rows:
                result.observe()
            fit = fit_of(*requested_filters(exchange)[0])
            beyond = [row for row in checkable if fit(row) is False]
            if beyond:
                result.fail(
                    exchange,
                    f"{wire_name(name)} beyond all batches",
                    expected="no batch",
                    actual=_batches(beyond),
                    code="unasked",
                )


def _is_reported_elsewhere(exchange: Exchange, record: Record, result: CheckResult) -> bool:
    """Set aside a response that another clause reports: a 5xx, invalid JSON, or any if no list succeeds."""
    if not any_list_succeeded(record):
        result.set_aside(OK)
    elif exchange.status is not None and exchange.status >= 500:
        result.set_aside("server.error.documented-status")
    elif _is_listed(exchange) and (exchange.response is None or not exchange.response.json.ok or exchange.failure):
        result.set_aside(JSON)
    else:
        return False
    return True


def any_list_succeeded(record: Record) -> bool:
    """Whether any request for the unfiltered list succeeded."""
    return any(_is_listed(exchange) for exchange in record.of(*READS))


@list_check(_EMPTY, needs=["list-empty"])
def empty(record: Record, result: CheckResult) -> None:
    """A filter that no batch fits gives a 200 with an empty list."""
    if not _are_usable(result, AFTER, BEFORE, most_lack=1):
        return
    for exchange in record.of("list-empty"):
        if _is_reported_elsewhere(exchange, record, result):
            continue
        rows = rows_of(exchange)
        if _is_listed(exchange) and rows != []:
            # Either the filter selects too much, or the whole list lacked these batches.
            name, value = requested_filters(exchange)[0]
            fit = fit_of(name, value)
            batches = [row for row in rows or () if isinstance(row, dict)]
            unasked = _FILTER_OF[name] if any(fit(row) is False for row in batches) else "server.list.complete"
            result.set_aside(ARRAY if rows is None else unasked)
            continue
        result.observe()
        if not _is_listed(exchange):
            result.fail(
                exchange,
                f"{exchange.intent.label}, which no batch fits",
                expected="200 and []",
                actual=_outcome(exchange),
                code="status",
            )


def _limit_without_batches(record: Record, result: CheckResult) -> None:
    """Add a limit where no batch was there that a filter could have selected or left out."""
    if result.observations and not any(rows for _, rows in lists(record, CheckResult(""), *READS)):
        result.limit("there was no batch that could have come all the same")


def _first_filter(exchange: Exchange) -> str:
    return requested_filters(exchange)[0][0]


def _is_listed(exchange: Exchange) -> bool:
    """Whether a response has a documented success status."""
    return is_success(exchange.status, OPERATION)


def _outcome(exchange: Exchange) -> str:
    rows = rows_of(exchange)
    if _is_listed(exchange) and rows is not None:
        return f"{exchange.status} and {_batches(rows)}"
    return exchange.outcome()


def _batches(rows: Sized) -> str:
    return counted(len(rows), "batch", "batches")
