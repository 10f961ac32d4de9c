"""Mutants with the same fault in both operations, and filter faults that only some values show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from batch_conformance.mutants.server.base import register
from batch_conformance.mutants.server.list_batches import (
    AFTER,
    ARRAY,
    BAD,
    BEFORE,
    COMPLETE,
    OFFSET,
    TOGETHER,
    on_lister,
)
from batch_conformance.operations.get_batch.store import STATES, Batch
from batch_conformance.operations.list_batches.filters import documented_statuses
from batch_conformance.operations.list_batches.handler import Lister, Refused, Rows
from batch_conformance.operations.stored import Store, StoredBatch
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

_BOTH = ("get", "list")
Payload = dict[str, Any]


def _in_both_operations(name: str, clause: str, change: Callable[[Payload, int], Any], *also: str) -> None:
    """Register a server that changes batches in both operations.

    ``change`` gets the batch and how often it was sent so far, counted from 1.
    """

    class Faulty(ReferenceServer):
        def __init__(self) -> None:
            super().__init__()
            self.times: Counter[str] = Counter()

        def changed(self, row: Mapping[str, Any]) -> Any:
            self.times[row["id"]] += 1
            return change(dict(row), self.times[row["id"]])

        def found(self, batch: StoredBatch, asked: Asked) -> Answer:
            return Answer(200, self.changed(batch.read()))

        def list_batches(self, asked: Asked) -> Answer:
            answer = super().list_batches(asked)
            if answer.status == 200:
                answer.body = [self.changed(row) for row in answer.body]
            return answer

    register(name, clause, Faulty, also, _BOTH)


def _when(state: str, every: int, **members: Any) -> Callable[[Payload, int], Payload]:
    return lambda row, times: {**row, **members} if row["status"] == state and times % every == 0 else row


# Reported by clauses about one batch; no clause about lists may fail as well.
_in_both_operations("date-object-both-ways", "server.body.created_at",
           lambda row, _: {**row, "created_at": {"$date": row["created_at"]}})  # fmt: skip
_in_both_operations(
    "status-lower-both-ways", "server.body.status", lambda row, _: {**row, "status": row["status"].lower()}
)
_in_both_operations("status-renamed-both-ways", "server.body.status",
           lambda row, _: {**row, "status": row["status"].replace("JOBS_CREATED", "QUEUED")})  # fmt: skip
_in_both_operations("webhook-flickers-both-ways", "server.poll.webhook-stable",
           lambda row, times: {**row, "webhookUrl": row.get("webhookUrl") if times % 3 else None})  # fmt: skip
_in_both_operations("goes-back-both-ways", "server.poll.forward-only", _when("PROCESSING", 3, status="JOBS_CREATED"))
_in_both_operations("counts-stale-both-ways", "server.poll.counts-grow",
           lambda row, times: row if row["status"] != "PROCESSING" or times % 3 else {
               **row, "metrics": {**row["metrics"], "success_count": 0}})  # fmt: skip
_in_both_operations(
    "completed-flips-both-ways",
    "server.poll.final",
    lambda row, times: {**row, "status": "FAILED"} if row["status"] == "COMPLETED" and times > 9 else row,
)
_in_both_operations("created-now-both-ways", "server.poll.identity",
           lambda row, times: {**row, "created_at": f"2024-01-15T{times % 24:02}:{times // 24:02}:00Z"})  # fmt: skip


class _StatusFirst(Lister):
    """Ignores dates where a status is given."""

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        asked = super().parameters(query)
        return [pair for pair in asked if pair[0] == "status"] or asked


class _EmptyIsNone(Lister):
    """Treats an empty filter as absent."""

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        return [pair for pair in super().parameters(query) if pair[1]]


class _EmptyDateIsNone(Lister):
    """Treats an empty date as absent."""

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        return [pair for pair in super().parameters(query) if pair[1] or pair[0] == "status"]


class _HourLate(Lister):
    """Reads dates as if in a zone one hour further west."""

    def bound(self, name: str, value: str) -> Fraction:
        return super().bound(name, value) + (0 if name == "created_at" else 3600)


class _ToTheHour(Lister):
    """Truncates dates to the hour."""

    def bound(self, name: str, value: str) -> Fraction:
        bound = super().bound(name, value)
        return bound if name == "created_at" else bound - bound % 3600


class _HoursOfOffsets(Lister):
    """Ignores the minutes of an offset."""

    def bound(self, name: str, value: str) -> Fraction:
        cut = value[:-2] + "00" if value[-6:-5] in ("+", "-") else value
        return super().bound(name, cut)


class _RollsOver(Lister):
    """Reads February 30 as March 1."""

    def bound(self, name: str, value: str) -> Fraction:
        return super().bound(name, value.replace("-02-30T", "-03-01T"))


class _NullIsNone(Lister):
    """Treats the text ``null`` as absent."""

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        return [pair for pair in super().parameters(query) if pair[1] != "null"]


class _RefusesWith200(ReferenceServer):
    """Answers a bad filter with an error body and status 200."""

    def list_batches(self, asked: Asked) -> Answer:
        answer = super().list_batches(asked)
        return Answer(200, answer.body) if answer.status == 400 else answer


class _ForeignInFilters(ReferenceServer):
    """Checks the organisation only where it lists all batches."""

    def list_batches(self, asked: Asked) -> Answer:
        answer, store = super().list_batches(asked), Store()
        store.add(Batch("batch_Other7", "2023-05-15T10:30:00Z", [STATES["completed"]]))
        if answer.status == 200 and (not self.owns(asked) or asked.query == b"status=COMPLETED"):
            answer.body = [*answer.body, store.newest_first()[0].peek()]
        return answer


class _PartOfStatus(Lister):
    """Matches substrings of statuses."""

    def filtered(self, rows: Rows, name: str, value: str) -> list[Mapping[str, Any]]:
        if name != "status":
            return super().filtered(rows, name, value)
        if not value or not any(value in status for status in documented_statuses()):
            raise Refused("no status is like this")
        return [row for row in rows if value in row["status"]]


class _IgnoresBadStatus(Lister):
    """Ignores a bad filter where there is another one."""

    lenient = "status"

    def answer(self, rows: Rows, query: bytes) -> list[Mapping[str, Any]]:
        filters = self.parameters(query)
        parts = [part for part, (name, value) in zip(query.split(b"&"), filters, strict=False)
                if len(filters) < 2 or name != self.lenient or self.is_good(name, value)]  # fmt: skip
        return super().answer(rows, b"&".join(parts))

    def is_good(self, name: str, value: str) -> bool:
        """Whether a filter can be applied."""
        try:
            self.filtered([], name, value)
        except Refused:
            return False
        return True


class _IgnoresBadDate(_IgnoresBadStatus):
    lenient = "created_after"


class _Page(Lister):
    """Truncates every list to five entries."""

    def answer(self, rows: Rows, query: bytes) -> list[Mapping[str, Any]]:
        return super().answer(rows, query)[:5]


class _SparseStore(ReferenceServer):
    """Ignores dates where a status is given; only batches in one status lie on both sides of a date."""

    lister = _StatusFirst()

    def __init__(self) -> None:
        rows = {
            "2024-01-15T10:30:00Z": "completed",
            "2024-01-15T12:00:00Z": "pending",
            "2024-01-16T01:15:00Z": "failed",
            "2024-01-17T09:00:00Z": "jobs_created",
            "2024-02-01T09:00:00Z": "completed",
        }
        store = Store()
        for at, (date, state) in enumerate(rows.items()):
            store.add(Batch(f"batch_{at}Xy{at}", date, [STATES[state]]))
        super().__init__(store)


class _CachedGet(ReferenceServer):
    """Caches Get Batch responses for ever; the list is always fresh."""

    def __init__(self) -> None:
        super().__init__()
        self.cached: dict[bytes, bytes] = {}

    def found(self, batch: StoredBatch, asked: Asked) -> Answer:
        answer = super().found(batch, asked)
        answer.body = self.cached.setdefault(asked.segment or b"", answer.content())
        return answer


register("list-fresh-and-get-kept", "server.list.agrees", _CachedGet, operations=_BOTH)
register("list-status-without-dates", TOGETHER, _SparseStore, operations=_BOTH)
on_lister("list-empty-filter-ignored", BAD, _EmptyIsNone)
on_lister("list-empty-date-ignored", BAD, _EmptyDateIsNone)
on_lister("list-bounds-an-hour-late", AFTER, _HourLate, BEFORE, TOGETHER)
on_lister("list-bounds-cut-to-the-hour", AFTER, _ToTheHour, BEFORE, TOGETHER, OFFSET)
on_lister("list-offset-hours-only", OFFSET, _HoursOfOffsets)
on_lister("list-day-rolls-over", BAD, _RollsOver)
on_lister("list-null-ignored", BAD, _NullIsNone)
register("list-refuses-with-200", ARRAY, _RefusesWith200, operations=_BOTH)
register("list-others-with-filters", "server.list.other-org", _ForeignInFilters, operations=_BOTH)
on_lister("list-status-by-part", BAD, _PartOfStatus)
on_lister("list-bad-status-ignored-beside-a-date", BAD, _IgnoresBadStatus)
on_lister("list-bad-date-ignored-beside-a-status", BAD, _IgnoresBadDate)
# Filters apply to the page's batches, too: a date older than all of the page finds the missing ones.
on_lister("list-page-of-five", COMPLETE, _Page)


class _NoFractions(Lister):
    """Refuses dates with fractions of a second."""

    def bound(self, name: str, value: str) -> Fraction:
        if "." in value:
            raise Refused(f"{name} must be a date-time")
        return super().bound(name, value)


class _Prefixes(Lister):
    """Takes a status that begins with a documented one for that."""

    def status(self, value: str) -> str:
        return super().status(next((one for one in documented_statuses() if value.startswith(one)), value))


on_lister("list-fractions-refused", "server.ok.status", _NoFractions, "server.error.documented-status")
on_lister("list-status-with-more", BAD, _Prefixes, "server.list.bad-filter-400")
