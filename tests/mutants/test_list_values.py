"""Any value in place of another one is checked without a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.server import SERVER_CHECKS, Record
from batch_conformance.contract import current_contract
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.entries import view
from batch_conformance.operations.list_batches.filters import values_for
from batch_conformance.reference.server import ReferenceServer
from tests.support.judging import judged_server
from tests.support.overlays import BATCH, LIST, update, using

_MEMBERS = ("id", "created_at", "status", "metrics", "outputUrl", "webhookUrl")
_VALUES: dict[str, Any] = {
    "object": {"$date": "2024"},
    "array": [[]],
    "null": None,
    "number": 7,
    "true": True,
    "text": "x",
    "long ago": "0001-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """Return the exchanges of a run on the embedded server."""
    return list(judged_server(ReferenceServer()).exchanges)


def _changed(exchange: Exchange, change: Callable[[dict[str, Any]], Any]) -> Exchange:
    response = exchange.response
    if response is None or response.status != 200 or not response.json.ok:
        return exchange
    value = response.json.value
    value = [change(row) for row in value] if isinstance(value, list) else change(value)
    return replace(exchange, response=replace(response, body=json.dumps(value).encode()))


def _broken(exchanges: list[Exchange], operation: str) -> set[str]:
    record = Record(exchanges, ["k"]).of_operation(operation)
    clauses = [row.id for row in current_contract().of_side("server") if operation in row.operations]
    found = SERVER_CHECKS.judge(record, clauses, view if operation == "list" else None)
    return {clause for clause, result in found.items() if result.findings}


_EVERY = [
    pytest.param(member, value, id=f"{member} is {name}") for member in _MEMBERS for name, value in _VALUES.items()
]


@pytest.mark.parametrize("only", ["get", "list", ""], ids=["by Get", "in the list", "both ways"])
@pytest.mark.parametrize(("member", "value"), _EVERY)
def test_any_value_of_any_member_is_checked(exchanges: list[Exchange], member: str, value: object, only: str) -> None:
    """The checks of both operations end, and if all entries are wrong alike, no filter clause is red."""
    changed = [
        _changed(row, lambda batch: {**batch, member: value}) if only in ("", row.intent.operation) else row
        for row in exchanges
    ]
    _broken(changed, "get")
    listed = _broken(changed, "list")
    if not isinstance(value, str) and only != "get":
        filters = {"status", "created-after", "created-before", "together", "offset", "newest-first"}
        assert not listed & {f"server.list.{name}" for name in filters}


def test_a_value_of_another_type_breaks_the_clause_of_its_member_alone(exchanges: list[Exchange]) -> None:
    """An object in place of the date: neither the list's clauses nor those on reads over time are broken."""
    changed = [_changed(row, lambda batch: {**batch, "created_at": _VALUES["object"]}) for row in exchanges]
    assert _broken(changed, "list") == {"server.body.created_at"}


def test_a_bound_between_two_values_shows_a_filter(tmp_path: Path) -> None:
    """Each value itself bounds the other's range: whether it is selected is left open."""
    score = {"properties": {"score": {"type": "integer"}}}
    name = {"name": "min_score", "in": "query", "schema": {"type": "integer"}}
    least = {**name, "x-filter": {"member": "/score", "operator": "gt"}}
    with using(tmp_path, update(BATCH, score), update(f"{LIST}.parameters", [least])):
        rows = [{"score": 10}, {"score": 10}, {"score": 90}]
        assert values_for("min_score", rows) == ["50"]
        assert values_for("min_score", [{"score": 10}, {"score": 11}]) == []
