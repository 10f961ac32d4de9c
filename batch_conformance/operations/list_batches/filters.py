"""The filters of List Batches by internal names; wire names and compared members come from the contract."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from batch_conformance.contract import Contract, Instant, Parameter, current_contract, parse_date_time
from batch_conformance.contract.filters import named_filters, other_filters, selects, value_schema
from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.listed import listed_values
from batch_conformance.contract.parameter import as_sent
from batch_conformance.contract.pointers import MISSING, read
from batch_conformance.contract.schema import SchemaJudge
from batch_conformance.http import Exchange

#: The filters as the driver protocol names them.
STATUS, AFTER, BEFORE = "status", "created_after", "created_before"
NAMES = (STATUS, AFTER, BEFORE)
_CREATED = "/created_at"
#: Seconds of a day.
_DAY = 24 * 3600
#: The most values of a filter that are tried on the listed entries.
_MOST_TRIED = 60


def parameter(name: str) -> Parameter | None:
    """Return the parameter of a filter in the contract in use; None where it has none."""
    return named_filters().get(name) or other_filters().get(name)


def wire_name(name: str) -> str:
    """Return the name of a filter in queries; its internal name where the contract has none."""
    found = parameter(name)
    return found.name if found else name


def usable(name: str) -> bool:
    """Whether a filter can be tested: the contract has it, and entries have the member that it compares."""
    return selects(named_filters().get(name))


def member_of(name: str) -> str:
    """Return the pointer of the member that a filter compares; empty without one."""
    found = parameter(name)
    return found.filter.member if found and found.filter else ""


def created_member() -> str:
    """Return the pointer of the date of creation, which bounds are compared with."""
    return member_of(AFTER) or member_of(BEFORE) or _CREATED


def documented_statuses(contract: Contract | None = None) -> tuple[str, ...]:
    """Return the documented values of the status filter; none where the contract lists none."""
    contract = contract or current_contract()
    found = named_filters(contract).get(STATUS) or other_filters(contract).get(STATUS)
    listed = listed_values(value_schema(found) if found else {}, contract.document.content) or ()
    return tuple(value for value in listed if isinstance(value, str))


def state_of(row: object) -> str | None:
    """Return the value that the status filter compares, as sent in a query; None where an entry lacks it."""
    one = parameter(STATUS)
    found = read(row, member_of(STATUS)) if one else None
    if isinstance(found, str):
        return found
    return as_sent(found) if one and _is_number(found) and one.schema.get("type") in ("integer", "number") else None


def by_presence(listed: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the documented statuses that occur in the list, and those that do not."""
    there = [state_of(row) for row in listed]
    statuses = documented_statuses()
    return [name for name in statuses if name in there], [name for name in statuses if name not in there]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def has_own_clause(name: str) -> bool:
    """Whether a filter is one of the three that have clauses and driver arguments of their own."""
    return name in named_filters()


def moment_of(row: object) -> Fraction | None:
    """Return the value that lists are sorted by: :func:`created`, or a number or day in its place."""
    value = read(row, created_member()) if isinstance(row, Mapping) else None
    return _in_order(value) if _is_number(value) or _is_day(value) else created(row)


def _is_day(value: object) -> bool:
    return isinstance(value, str) and FORMATS["date"].accepts(value)


def created(row: object) -> Fraction | None:
    """Return the date of creation in seconds since 1970; None where it cannot be parsed."""
    value = read(row, created_member()) if isinstance(row, Mapping) else None
    instant = instant_of(value)
    return None if instant is None else instant.seconds + instant.fraction


def instant_of(value: object) -> Instant | None:
    """Parse a date-time; None for anything else."""
    instant = parse_date_time(value) if isinstance(value, str) else ""
    return None if isinstance(instant, str) else instant


def compared(name: str, row: object, value: str) -> bool | None:
    """Whether an entry fits a filter of an overlay; None if open: on the bound, or with a value of another kind."""
    one = parameter(name)
    if one is None or one.filter is None:
        return None
    found, operator = read(row, one.filter.member), one.filter.operator
    if found is None or found is MISSING:
        return False
    if isinstance(found, dict | list):
        return None
    if operator == "eq":
        return isinstance(found, str | int | float) and as_sent(found) == value
    whole_day = _is_day(value) != _is_day(found)
    bound, at = _span_of(value, whole_day), _span_of(found, whole_day)
    if bound is None or at is None or bound == at:
        return None
    low, high = (at, bound) if operator == "lt" else (bound, at)
    # Spans that overlap are open, too.
    return True if low[1] < high[0] else False if high[1] < low[0] else None


def values_for(name: str, rows: Sequence[object]) -> list[str]:
    """Return values of an overlay's filter that only some entries fit, the most even split first."""
    one = parameter(name)
    if one is None or one.filter is None:
        return []
    found = [read(row, one.filter.member) for row in rows]
    judge = SchemaJudge(value_schema(one), current_contract().document.content)
    if one.filter.operator == "eq":
        values = [value for value in found if isinstance(value, str | int | float)]
        tried = [as_sent(value) for value in values if judge.is_valid(value) or judge.is_valid(as_sent(value))]
    else:
        # The contract leaves open whether the bound itself is selected.
        bounds = [*found, *_between(found), *_days_around(found), *_beyond(found)]
        tried = [as_sent(value) for value in bounds if _in_order(value) is not None and judge.is_valid(value)]
    fits = {value: [compared(name, row, value) for row in rows] for value in _some_of(tried)}
    selective = [value for value, results in fits.items() if value and {True, False} <= set(results)]
    return sorted(selective, key=lambda value: -min(fits[value].count(True), fits[value].count(False)))


def _between(values: Iterable[object]) -> Iterator[int | float]:
    """Yield numbers between neighbours: with two values, each is the bound of the other's range."""
    known = sorted({value for value in values if isinstance(value, int | float) and _in_order(value) is not None})
    for low, high in pairwise(known):
        yield from [middle for middle in ((low + high) // 2, (low + high) / 2) if low < middle < high][:1]


def _beyond(values: Iterable[object]) -> Iterator[Any]:
    """Yield numbers and date-times beyond the outermost ones: entries without a value do not fit them either."""
    values = list(values)
    numbers = [value for value in values if isinstance(value, int | float) and _in_order(value) is not None]
    yield from (min(numbers) - 1, max(numbers) + 1) if numbers else ()
    seconds = _seconds(values)
    for second in (min(seconds) - _DAY, max(seconds) + _DAY) if seconds else ():
        yield from (moment.isoformat().replace("+00:00", "Z") for moment in _moment(second))


def _seconds(values: Iterable[object]) -> list[int]:
    """Return date-times and the beginnings of days in seconds since 1970."""
    texts = [value for value in values if isinstance(value, str)]
    moments = [instant_of(f"{text}T00:00:00Z" if _is_day(text) else text) for text in texts]
    return [moment.seconds for moment in moments if moment is not None]


def _moment(second: int) -> Iterator[datetime]:
    # datetime covers only the years 1 to 9999.
    with suppress(ValueError, OverflowError):
        yield datetime.fromtimestamp(second, UTC)


def _some_of(values: Iterable[str]) -> list[str]:
    """Return different values, a few of them evenly spread where there are many: each is compared with each entry."""
    different = sorted(set(values), key=lambda value: (_in_order(value) or 0, value))
    return different[:: -(-len(different) // _MOST_TRIED) or 1]


def _days_around(values: Iterable[object]) -> Iterator[str]:
    """Yield the days before and after date-times and days, as bounds that may be days only."""
    for second in _seconds(values):
        for days in (-2, -1, 1, 2):
            yield from (moment.date().isoformat() for moment in _moment(second + days * _DAY))


def _span_of(value: object, whole_day: bool) -> tuple[Fraction, Fraction] | None:
    """Return the first and last place in the order that a value may mean; None for values without one.

    With ``whole_day``, a day is all of it, in any time zone (UTC+14 to UTC-12), to compare it with date-times.
    """
    at = _in_order(value)
    if at is None:
        return None
    return (at - 14 * 3600, at + _DAY + 12 * 3600) if whole_day and _is_day(value) else (at, at)


def _in_order(value: object) -> Fraction | None:
    """Return a number, date-time or day as a comparable number; None for values without an order."""
    if isinstance(value, str):
        instant = instant_of(f"{value}T00:00:00Z" if _is_day(value) else value)
        if instant is not None:
            return instant.seconds + instant.fraction
        try:
            return Fraction(value) if value.strip() == value and "/" not in value and "_" not in value else None
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return Fraction(value)


def query_of(given: Mapping[str, str]) -> dict[str, str] | None:
    """Return filters under their wire names; None where one of them is not :func:`usable`."""
    return {wire_name(name): value for name, value in given.items()} if all(map(usable, given)) else None


def requested_filters(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the filters of a request by internal names, without other parameters."""
    query = parse_qsl(urlsplit(exchange.request.url).query, keep_blank_values=True)
    return [pair for pair in by_meaning(query) if pair[0] in NAMES or pair[0] in other_filters()]


def by_meaning(query: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return query parameters, filters under internal names, without filters that the contract lacks."""
    names, other = {row.name: name for name, row in named_filters().items()}, other_filters()
    known = [pair for pair in query if pair[0] in names or pair[0] not in NAMES or pair[0] in other]
    return [(names.get(name, name), value) for name, value in known]
