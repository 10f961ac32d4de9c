"""Filters of List (``x-filter`` of its query parameters), matched with the names of the driver protocol.

The driver protocol and the clauses use the filter names of the contract without overlays. An overlay may
rename the parameter or the member that it selects by, so filters are matched by meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batch_conformance.contract.current import base_contract, current_contract
from batch_conformance.contract.entity import LIST, entity_of
from batch_conformance.contract.operation import Contract
from batch_conformance.contract.parameter import FILTER_OPERATORS, Parameter
from batch_conformance.contract.references import types_of

_NUMBERS = frozenset({"integer", "number"})
_KINDS = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
#: Reason for a clause about a filter that an overlay removed.
NO_SUCH_PARAMETER = "the contract has no such parameter"


def named_filters(contract: Contract | None = None) -> Mapping[str, Parameter]:
    """Return List's filters by their driver protocol names, of the current contract by default."""
    return (contract or current_contract()).cached("filters", _named)


def other_filters(contract: Contract | None = None) -> Mapping[str, Parameter]:
    """Return the filters of List that an overlay added, by their own names."""
    return (contract or current_contract()).cached("other filters", _others)


def selects(parameter: Parameter | None, contract: Contract | None = None) -> bool:
    """Whether entries have the member that a filter selects by."""
    if parameter is None or parameter.filter is None:
        return False
    return entity_of(LIST, contract or current_contract()).has(parameter.filter.member)


def value_schema(row: Parameter) -> Any:
    """Return the schema of one value of a filter: that of the items where it takes an array."""
    return row.schema.get("items", {}) if "array" in types_of(row.schema) else dict(row.schema)


def _named(contract: Contract) -> dict[str, Parameter]:
    if LIST not in contract.operations:
        return {}
    rest = [row for row in contract.operation(LIST).of_place("query") if row.filter is not None]
    before = {row.name: row for row in base_contract().operation(LIST).of_place("query") if row.filter is not None}
    found: dict[str, Parameter] = {}
    for same in (_is_same, _has_same_filter, _has_same_name, _has_same_operator):
        for name, old in before.items():
            # Pairs are sought by meaning first (of two filters alike, by the name as well), then by name, then by
            # operator; each must be unambiguous.
            alike = [row for row in rest if _have_same_format(old, row)] if name not in found else []
            fitting = [row for row in alike if same(old, row, contract)]
            if len(fitting) == 1:
                found[name] = fitting[0]
                rest.remove(fitting[0])
    return {name: found[name] for name in before if name in found}


def _others(contract: Contract) -> dict[str, Parameter]:
    if LIST not in contract.operations:
        return {}
    known = [row.name for row in named_filters(contract).values()]
    rows = contract.operation(LIST).of_place("query")
    filters = [row for row in rows if row.filter is not None and row.name not in known]
    return {row.name: row for row in filters if selects(row, contract)}


def _have_same_format(old: Parameter, row: Parameter) -> bool:
    """Whether values have the same format: drivers get bounds as date-times, not as numbers or dates."""
    text = "string" in (types_of(row.schema) or ["string"]) and row.schema.get("format") != "date"
    return old.schema.get("format") != "date-time" or text


def _is_same(old: Parameter, row: Parameter, _: Contract) -> bool:
    return row.filter == old.filter and row.name == old.name


def _has_same_filter(old: Parameter, row: Parameter, _: Contract) -> bool:
    return row.filter == old.filter


def _has_same_name(old: Parameter, row: Parameter, contract: Contract) -> bool:
    return row.name == old.name and _has_same_operator(old, row, contract)


def _has_same_operator(old: Parameter, row: Parameter, contract: Contract) -> bool:
    """Whether a filter has the same operator, and the member of the old one no longer exists."""
    same = old.filter is not None and row.filter is not None and old.filter.operator == row.filter.operator
    return same and not selects(old, contract)


def filter_problems(contract: Contract) -> Iterator[str]:
    """Yield the problems of an overlay's ``x-filter``, one line each: place and problem."""
    base_filters = {row.filter for row in base_contract().operation(LIST).of_place("query")}
    for operation in contract.operations.values():
        for row in operation.parameters:
            where = f"{operation.pointer}: x-filter of the parameter {row.name!r}"
            wrong = _malformed(row.filter_as_written)
            if wrong:
                yield f"{where} {wrong}"
            elif row.filter is not None and (operation.name != LIST or row.place != "query"):
                yield f"{where} says nothing there: only query parameters of List Batches are filters"
            elif row.filter is not None and row.filter not in base_filters and not selects(row, contract):
                yield f"{where} names the member {row.filter.member!r}, which no entry of the list has"
            elif row.filter is not None and "default" in row.schema:
                yield f"{where}: a default is not supported, since it would filter the whole list; leave it out"
            elif row.filter is not None and not _may_be_member(row, contract):
                yield f"{where}: no value of {row.filter.member!r} fits the schema of the parameter"


def _may_be_member(row: Parameter, contract: Contract) -> bool:
    """Whether the compared member may have a type that the parameter has; any value can be sent as a string."""
    assert row.filter is not None
    sent = set(types_of(value_schema(row)))
    sent |= _NUMBERS if sent & _NUMBERS else set()
    layers = entity_of(LIST, contract).layers_at(row.filter.member)
    listed = [_KINDS.get(type(value), "") for layer in layers for value in layer.get("enum", ())]
    stated = [set(listed), *(set(types_of(layer)) for layer in layers)]
    return not sent or "string" in sent or all(not kinds or kinds & sent for kinds in stated)


def _malformed(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, Mapping) or value.keys() != {"member", "operator"}:
        return "is not an object with 'member' and 'operator'"
    if value["operator"] not in FILTER_OPERATORS:
        return f"has an operator that is none of {', '.join(FILTER_OPERATORS)}"
    member = value["member"]
    return "" if isinstance(member, str) and member[:1] == "/" else "has a 'member' that is no JSON pointer"
