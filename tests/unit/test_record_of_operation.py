"""The part of a run's record that the checks of one operation get."""

from __future__ import annotations

from batch_conformance.checks.server import Record
from batch_conformance.http import Exchange, Intent, Request


def exchange(number: int, operation: str, probe: str = "reads") -> Exchange:
    """Return an exchange of an operation."""
    intent = Intent(probe, "batch_1", "known", "valid", operation=operation)
    return Exchange(number, intent, Request("GET", "http://127.0.0.1/", ()), None)


def test_each_operation_has_its_own_exchanges() -> None:
    """Exchanges of other operations are only in the whole record; discovery belongs to all."""
    rows = [exchange(1, "list", "discovery"), exchange(2, "get"), exchange(3, "list")]
    record = Record(rows)
    got, listed = record.of_operation("get"), record.of_operation("list")
    assert [row.number for row in got.exchanges] == [1, 2]
    assert [row.number for row in listed.exchanges] == [1, 3]
    assert (got.operation, listed.operation) == ("get", "list")
    assert listed.whole is record


def test_a_record_of_one_operation_alone_says_which() -> None:
    """Even if no exchange has to be left out."""
    record = Record([exchange(1, "list")])
    assert record.of_operation("list").operation == "list"
    assert record.of_operation("get").exchanges == []
