"""What the query parameters of List select by (``x-filter``), and which of them are those that drivers know by name.

The driver protocol and the clauses name filters as the contract without overlays does. An overlay may call the
parameter otherwise, or the member that it selects by: its meaning is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batch_conformance.contract.current import base_contract, current_contract
from batch_conformance.contract.entity import LIST, entity_of
from batch_conformance.contract.operation import FILTER_OPERATORS, Contract, Parameter
from batch_conformance.contract.references import types_of

#: Of a clause about a filter that an overlay removed.
NO_SUCH_PARAMETER = "the contract has no such parameter"


def named_filters(contract: Contract | None = None) -> Mapping[str, Parameter]:
    """The filters of List in a contract (the one in use by default), by the names that the driver protocol has."""
    return (contract or current_contract()).kept("filters", _named)


def other_filters(contract: Contract | None = None) -> Mapping[str, Parameter]:
    """The filters of List that the contract without overlays does not have, by their own names."""
    return (contract or current_contract()).kept("other filters", _others)


def selects(parameter: Parameter | None, contract: Contract | None = None) -> bool:
    """Whether entries still have the member that a filter selects by."""
    if parameter is None or parameter.filter is None:
        return False
    return entity_of(LIST, contract or current_contract()).has(parameter.filter.member)


def _named(contract: Contract) -> dict[str, Parameter]:
    if LIST not in contract.operations:
        return {}
    rest = [row for row in contract.operation(LIST).of_place("query") if row.filter is not None]
    before = {row.name: row for row in base_contract().operation(LIST).of_place("query") if row.filter is not None}
    found: dict[str, Parameter] = {}
    for same in (_means_the_same, _keeps_its_name, _is_alike):
        for name, old in before.items():
            # Another meaning under the old name is another filter, as long as the old one could still be meant.
            alike = [row for row in rest if _are_of_a_kind(old, row)] if name not in found else []
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


def _are_of_a_kind(old: Parameter, row: Parameter) -> bool:
    """Whether values are written alike: drivers are given bounds as date-times, and no numbers or dates alone."""
    text = "string" in (types_of(row.schema) or ["string"]) and row.schema.get("format") != "date"
    return old.schema.get("format") != "date-time" or text


def _means_the_same(old: Parameter, row: Parameter, _: Contract) -> bool:
    return row.filter == old.filter


def _keeps_its_name(old: Parameter, row: Parameter, contract: Contract) -> bool:
    return row.name == old.name and _is_alike(old, row, contract)


def _is_alike(old: Parameter, row: Parameter, contract: Contract) -> bool:
    """Whether a filter compares in the same way, by a member that stands for one that entries have no more."""
    same = old.filter is not None and row.filter is not None and old.filter.operator == row.filter.operator
    return same and not selects(old, contract)


def filter_problems(contract: Contract) -> Iterator[str]:
    """What is wrong with ``x-filter`` of an overlay: where and what, each in one line."""
    ours = {row.filter for row in base_contract().operation(LIST).of_place("query")}
    for operation in contract.operations.values():
        for row in operation.parameters:
            where = f"{operation.pointer}: x-filter of the parameter {row.name!r}"
            wrong = _malformed(row.filter_as_written)
            if wrong:
                yield f"{where} {wrong}"
            elif row.filter is not None and (operation.name != LIST or row.place != "query"):
                yield f"{where} says nothing there: only query parameters of List Batches are filters"
            elif row.filter is not None and row.filter not in ours and not selects(row, contract):
                yield f"{where} names the member {row.filter.member!r}, which no entry of the list has"


def _malformed(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, Mapping) or value.keys() != {"member", "operator"}:
        return "is not an object with 'member' and 'operator'"
    if value["operator"] not in FILTER_OPERATORS:
        return f"has an operator that is none of {', '.join(FILTER_OPERATORS)}"
    member = value["member"]
    return "" if isinstance(member, str) and member[:1] == "/" else "has a 'member' that is no JSON pointer"
