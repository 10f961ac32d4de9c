"""Legal variations of List Batches: servers that differ from the reference server and must pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batch_conformance.mutants.server.base import register
from batch_conformance.mutants.server.list_batches import (
    LEGAL,
    EmptyInstead,
    on_answer,
    on_entries,
    on_lister,
    with_methods,
)
from batch_conformance.operations.get_batch.store import STATES, Batch
from batch_conformance.operations.list_batches.handler import Lister, Refused, Rows
from batch_conformance.operations.stored import Store
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

OPERATION = "list"
Row = Mapping[str, Any]


with_methods("list-bounds-inclusive", LEGAL,
        after=lambda self, rows, bound: [row for row in rows if self.moment(row) >= bound],
        before=lambda self, rows, bound: [row for row in rows if self.moment(row) <= bound])  # fmt: skip
with_methods("list-to-the-second", LEGAL, moment=lambda self, row: Lister.moment(self, row) // 1)
with_methods(
    "list-ties-turned-round",
    LEGAL,
    ordered=lambda self, rows: sorted(rows, key=self.moment)[::-1],
)
on_lister("list-odd-filters-empty", LEGAL, EmptyInstead)
on_answer(
    "list-odd-filters-422",
    LEGAL,
    lambda server, asked, answer: server.error(422, "no") if answer.status == 400 else answer,
)


class _Strict(Lister):
    """Refuses unknown parameters, dates without an offset and crossed dates."""

    def answer(self, rows: Rows, query: bytes) -> list[Row]:
        asked = dict(self.parameters(query))
        if not asked.keys() <= {"status", "created_after", "created_before"}:
            raise Refused("unknown parameter")
        low, high = asked.get("created_after"), asked.get("created_before")
        if low and high and self.bound("", low) > self.bound("", high):
            raise Refused("created_after is later than created_before")
        for value in filter(None, (low, high)):
            if not (value.endswith("Z") or value[-6:-5] in ("+", "-")):
                raise Refused("a date needs an offset")
        return super().answer(rows, query)


on_lister("list-strict", LEGAL, _Strict)
on_entries("list-extra-members", LEGAL, lambda row: {**row, "position": 1, "_links": {}})
on_entries(
    "list-extra-members-within",
    LEGAL,
    lambda row: {**row, "metrics": {**row["metrics"], "skipped_count": 0}},
)
on_entries("list-dates-in-another-zone", LEGAL, lambda row: {
    **row, "created_at": row["created_at"].replace("T10:30:00Z", "T12:30:00+02:00").replace(".250Z", ".25+00:00")})  # fmt: skip
on_entries("list-null-webhook", LEGAL, lambda row: {"webhookUrl": None, **row})
on_entries("list-urls-signed-anew", LEGAL, lambda row: row)


class _Growing(ReferenceServer):
    """Adds a batch with every list, and advances the batches under way."""

    def list_batches(self, asked: Asked) -> Answer:
        for batch in self.store.batches.values():
            batch.read()
        new = next(iter(self.store.batches.values()))
        assert isinstance(new, Batch)
        count = len(self.store.batches)
        self.store.add(Batch(f"batch_new{count}", f"2024-02-01T00:{count // 60:02}:{count % 60:02}Z", new.states))
        return super().list_batches(asked)


register("list-grows", LEGAL, _Growing)


def _with_dates(name: str, *dates: str, lister: type[Lister] = Lister, status: str = "completed") -> None:
    """Register a server with batches created at these dates, all in one status."""

    class Sparse(ReferenceServer):
        def __init__(self) -> None:
            rows = [Batch(f"batch_{at}aB", date, [STATES[status]]) for at, date in enumerate(sorted(dates))]
            super().__init__(Store({row.id: row for row in rows}))

    Sparse.lister = lister()
    register(name, LEGAL, Sparse, operations=("get", "list"))


class _RefusesEqualDates(_Strict):
    """Also refuses equal dates."""

    def answer(self, rows: Rows, query: bytes) -> list[Row]:
        asked = dict(self.parameters(query))
        low, high = asked.get("created_after"), asked.get("created_before")
        if low and high and self.bound("", low) >= self.bound("", high):
            raise Refused("created_after is not earlier than created_before")
        return super().answer(rows, query)


_with_dates("list-from-the-epoch-on", "1970-01-01T00:00:00Z", "2024-01-15T10:30:00Z", "2024-02-01T09:00:00Z")
_with_dates("list-from-the-first-year-on", "0001-01-01T00:00:00Z", "2024-01-15T10:30:00Z", "2024-02-01T09:00:00Z")
_with_dates("list-to-the-last-year", "2024-01-15T10:30:00Z", "9999-12-31T23:59:59.999Z")
_with_dates("list-of-two", "2024-01-15T10:30:00Z", "2024-02-01T09:00:00Z", lister=_RefusesEqualDates)
