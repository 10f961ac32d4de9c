"""The filters of List Batches by what they mean: their names on the wire, and what they compare, are the contract's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from batch_conformance.contract import Instant, Parameter, current_contract, parse_date_time
from batch_conformance.contract.filters import named_filters, other_filters, selects
from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.listed import listed_values
from batch_conformance.contract.operation import as_sent
from batch_conformance.contract.pointers import read
from batch_conformance.contract.references import types_of
from batch_conformance.contract.schema import SchemaJudge
from batch_conformance.http import Exchange

#: The filters as the driver protocol names them.
STATUS, AFTER, BEFORE = "status", "created_after", "created_before"
NAMES = (STATUS, AFTER, BEFORE)
_CREATED = "/created_at"


def parameter(name: str) -> Parameter | None:
    """The parameter that means a filter, in the contract in use; None where it has none."""
    return named_filters().get(name) or other_filters().get(name)


def wire_name(name: str) -> str:
    """What a filter is called in a query; its own name where the contract has none."""
    found = parameter(name)
    return found.name if found else name


def usable(name: str) -> bool:
    """Whether servers can be asked with a filter that clauses know: entries have its member."""
    return selects(named_filters().get(name))


def member_of(name: str) -> str:
    """The pointer of the member that a filter compares; empty without one."""
    found = parameter(name)
    return found.filter.member if found and found.filter else ""


def created_member() -> str:
    """The pointer of the date of creation, which bounds are compared with."""
    return member_of(AFTER) or member_of(BEFORE) or _CREATED


def documented_statuses() -> tuple[str, ...]:
    """The values of the status filter, by the contract in use; none where it lists none, or has no such filter."""
    found = parameter(STATUS)
    schema: Any = found.schema if found else {}
    if "array" in types_of(schema):
        schema = schema.get("items", {})
    listed = listed_values(schema, current_contract().document.content) or ()
    return tuple(value for value in listed if isinstance(value, str))


def state_of(row: object) -> str | None:
    """What the status filter compares, as it stands in a query; None where an entry does not have it."""
    one = parameter(STATUS)
    found = read(row, member_of(STATUS)) if one else None
    if isinstance(found, str):
        return found
    return as_sent(found) if one and _is_number(found) and one.schema.get("type") in ("integer", "number") else None


def by_presence(listed: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """The documented statuses that batches of the list are in, and the others."""
    there = [state_of(row) for row in listed]
    statuses = documented_statuses()
    return [name for name in statuses if name in there], [name for name in statuses if name not in there]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def has_own_clause(name: str) -> bool:
    """Whether a filter is one of those that clauses and drivers know by name."""
    return name in named_filters()


def moment_of(row: object) -> Fraction | None:
    """By what batches are ordered: as :func:`created`, or a number or a day that a contract has in its place."""
    value = read(row, created_member()) if isinstance(row, Mapping) else None
    return _in_order(value) if _is_number(value) or _is_day(value) else created(row)


def _is_day(value: object) -> bool:
    return isinstance(value, str) and FORMATS["date"].accepts(value)


def created(row: object) -> Fraction | None:
    """When a batch was created, in seconds since 1970; None where that cannot be read."""
    value = read(row, created_member()) if isinstance(row, Mapping) else None
    instant = instant_of(value)
    return None if instant is None else instant.seconds + instant.fraction


def instant_of(value: object) -> Instant | None:
    """The instant that a date-time names; None for what is none."""
    instant = parse_date_time(value) if isinstance(value, str) else ""
    return None if isinstance(instant, str) else instant


def compared(name: str, row: object, value: str) -> bool | None:
    """Whether an entry fits a filter of an overlay; None where that stays open: on a bound, or without a value."""
    one = parameter(name)
    if one is None or one.filter is None:
        return None
    found, operator = read(row, one.filter.member), one.filter.operator
    if isinstance(found, dict | list):
        return None
    if operator == "eq":
        return isinstance(found, str | int | float) and as_sent(found) == value
    bound, at = _in_order(value), _in_order(found)
    if bound is None or at is None or bound == at:
        return None
    return at > bound if operator == "gt" else at < bound


def values_for(name: str, rows: Sequence[object]) -> list[str]:
    """Values of a filter of an overlay that some of these entries fit and others do not, the most telling first."""
    one = parameter(name)
    if one is None or one.filter is None:
        return []
    found = [read(row, one.filter.member) for row in rows]
    if one.filter.operator == "eq":
        tried = [as_sent(value) for value in found if isinstance(value, str | int | float)]
    else:
        # Whether the bound itself is selected stays open.
        judge = SchemaJudge(dict(one.schema), current_contract().document.content)
        tried = [as_sent(value) for value in found if _in_order(value) is not None and judge.is_valid(value)]
    fits = {value: [compared(name, row, value) for row in rows] for value in dict.fromkeys(tried)}
    telling = [value for value, told in fits.items() if value and {True, False} <= set(told)]
    return sorted(telling, key=lambda value: -min(fits[value].count(True), fits[value].count(False)))


def _in_order(value: object) -> Fraction | None:
    """A number, or the instant of a date-time or a day, as it is compared; None for what has no order."""
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
    """Filters that clauses know as a query has them; None where one of them cannot be asked with."""
    return {wire_name(name): value for name, value in given.items()} if all(map(usable, given)) else None


def asked(exchange: Exchange) -> list[tuple[str, str]]:
    """The filters of a request, by what they mean; other parameters are left out."""
    query = parse_qsl(urlsplit(exchange.request.url).query, keep_blank_values=True)
    return [pair for pair in by_meaning(query) if pair[0] in NAMES or pair[0] in other_filters()]


def by_meaning(query: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The parameters of a query, filters by what they mean. What the contract has no more is left out."""
    names, other = {row.name: name for name, row in named_filters().items()}, other_filters()
    known = [pair for pair in query if pair[0] in names or pair[0] not in NAMES or pair[0] in other]
    return [(names.get(name, name), value) for name, value in known]
