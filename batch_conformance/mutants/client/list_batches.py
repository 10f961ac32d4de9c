"""Single-fault clients of List Batches, and legal variations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from batch_conformance.mutants.client.base import Faulty, Registry
from batch_conformance.mutants.client.legal import variation
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry("list")
Filters = Mapping[str, str | datetime | None]


@mutant("list-wrong-path", "list.target", "asks for /v2/batches")
class _Path(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url(filters).replace("/v2/batch", "/v2/batches")


@mutant("list-prefix-lost", "list.target", "drops the base URL's path")
class _Prefix(Faulty):
    def list_url(self, filters: Filters) -> str:
        base, _, query = super().list_url(filters).partition("?")
        return "/".join(base.split("/")[:3]) + "/v2/batch" + (f"?{query}" if query else "")


@mutant("list-slash-behind", "list.target", "asks for /v2/batch/")
class _Slash(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url(filters).replace("/v2/batch", "/v2/batch/")


@mutant("list-status-in-lower-case", "list.query", "sends the status in lower case")
class _Lower(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        return super().filter(name, value).lower() if name == "status" else super().filter(name, value)


@mutant("list-filters-in-camel-case", "list.query", "sends createdAfter", "list.offset")
class _Camel(Faulty):
    def list_url(self, filters: Filters) -> str:
        return (
            super()
            .list_url(filters)
            .replace("created_after", "createdAfter")
            .replace("created_before", "createdBefore")
        )


@mutant("list-status-forgotten", "list.query", "never sends the status")
class _NoStatus(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url({**filters, "status": None})


@mutant("list-dates-swapped", "list.query", "mixes up the two dates")
class _Swapped(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url(
            {
                **filters,
                "created_after": filters["created_before"],
                "created_before": filters["created_after"],
            }
        )


@mutant("list-date-only", "list.query", "sends dates without their time")
class _DateOnly(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        return value.date().isoformat() if isinstance(value, datetime) else super().filter(name, value)


@mutant("list-filters-twice", "list.query", "sends each filter twice")
class _Twice(Faulty):
    def list_url(self, filters: Filters) -> str:
        base, _, query = super().list_url(filters).partition("?")
        return f"{base}?{query}&{query}" if query else base


@mutant("list-one-filter-only", "list.query", "sends the first filter only")
class _First(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url(filters).partition("&")[0]


@mutant("list-encoded-twice", "list.query", "encodes filters twice")
class _EncodedTwice(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        return quote(super().filter(name, value), safe="")


@mutant("list-empty-filters", "list.nothing-more", "sends filters that were not given, empty")
class _EmptyFilters(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url({name: "" if value is None else value for name, value in filters.items()})


@mutant("list-null-filters", "list.nothing-more", "sends null for a status that was not given")
class _NullFilters(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url({**filters, "status": filters["status"] or "null"})


@mutant("list-with-limit", "list.nothing-more", "sends a limit that nobody gave")
class _Limit(Faulty):
    def list_url(self, filters: Filters) -> str:
        url = super().list_url(filters)
        return f"{url}{'&' if '?' in url else '?'}limit=50"


@mutant("list-all-completed", "list.nothing-more", "asks for COMPLETED batches where no status is given")
class _Completed(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url({**filters, "status": filters["status"] or "COMPLETED"})


@mutant("list-bare-plus", "list.offset", "leaves the + of an offset as it is")
class _Plus(Faulty):
    def list_url(self, filters: Filters) -> str:
        return super().list_url(filters).replace("%2B", "+")


@mutant("list-offset-dropped", "list.offset", "sends the local time as if it were UTC")
class _Dropped(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        text = super().filter(name, value)
        return text[:19] + "Z" if isinstance(value, datetime) and value.utcoffset() else text


@mutant("list-naive-as-local", "list.naive-date", "takes a date without an offset for one of its own zone")
class _Local(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        if isinstance(value, datetime) and value.tzinfo is None:
            return f"{value.isoformat()}+03:00"
        return super().filter(name, value)


@mutant("list-naive-as-it-is", "list.naive-date", "sends a date without an offset as it is")
class _Naive(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        return value.isoformat() if isinstance(value, datetime) and not value.tzinfo else super().filter(name, value)


@mutant("list-naive-lost", "list.query", "asks without a filter where its date has no offset")
class _NaiveLost(Faulty):
    def list_url(self, filters: Filters) -> str:
        lost = [name for name, value in filters.items() if isinstance(value, datetime) and value.tzinfo is None]
        return super().list_url({name: value for name, value in filters.items() if name not in lost})


@mutant("list-empty-is-error", "list.empty", "calls an empty list an error")
class _EmptyError(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        if value == []:
            raise BatchError("not_found", "there is no batch", 404)
        return super().entries(value)


class ChangedList(Faulty):
    """Base of clients that pass a changed list to the caller."""

    def list_reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the adapter's reply, with the changed list."""
        reply = super().list_reply(request)
        return {"batches": self.returned(reply["batches"])} if "batches" in reply else reply

    def returned(self, rows: list[Any]) -> Any:
        """Return the list as the caller gets it."""
        return rows


@mutant("list-empty-is-null", "list.empty", "hands over null for an empty list")
class _EmptyNull(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return rows or None


@mutant("list-first-hundred", "list.entries", "hands over no more than a hundred batches")
class _Hundred(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return rows[:100]


@mutant("list-first-thousand", "list.entries", "hands over no more than a thousand batches")
class _Thousand(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return rows[:1000]


@mutant("list-filtered-again", "list.entries", "keeps the batches in the state that was asked for only")
class _FilteredAgain(Faulty):
    def list_batches(self, filters: Filters | None = None) -> list[Batch]:
        asked = (filters or {}).get("status")
        return [row for row in super().list_batches(filters) if asked in (None, row["status"])]


@mutant("list-without-last", "list.entries", "loses the last batch", "list.empty")
class _Last(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return rows[:-1] if len(rows) > 1 else rows


@mutant(
    "list-last-everywhere",
    "list.entries",
    "hands over the last batch in place of all, as a pointer to a loop's variable",
)
class _Everywhere(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return rows[-1:] * len(rows)


@mutant("list-by-id", "list.entries", "keeps batches by their ids, so that one that comes twice is lost")
class _ById(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return list({row["id"]: row for row in rows}.values())


@mutant("list-iterator", "list.entries", "hands over an object with the list in it", "list.empty")
class _Wrapped(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return {"items": rows}


@mutant("list-sorted", "list.order", "sorts batches by their ids")
class _Sorted(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return sorted(rows, key=lambda row: str(row["id"]))


@mutant("list-sorted-by-date", "list.order", "sorts batches, the newest first")
class _ByDate(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return sorted(rows, key=lambda row: str(row["created_at"]), reverse=True)


@mutant("list-reversed", "list.order", "turns the list round")
class _Reversed(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return rows[::-1]


@mutant("list-null-is-empty", "list.not-array", "takes null for an empty list")
class _Null(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        return super().entries(value if value is not None else [])


@mutant("list-data-unwrapped", "list.not-array", "takes the list out of data")
class _Data(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        return super().entries(value["data"] if isinstance(value, dict) and "data" in value else value)


@mutant("list-object-iterated", "list.not-array", "takes the members of an object for a list")
class _Iterated(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        return super().entries(list(value.values()) if isinstance(value, dict) else value)


@mutant("list-single-wrapped", "list.not-array", "takes a batch alone for a list of one")
class _Single(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        return super().entries([value] if isinstance(value, dict) and "id" in value else value)


@mutant("list-unreadable-skipped", "list.unreadable", "skips entries that it cannot read")
class _Skipping(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        if not isinstance(value, list):
            return super().entries(value)
        batches = []
        for entry in value:
            try:
                batches.append(self.batch(entry))
            except BatchError:
                if isinstance(entry, dict) and len(entry) > 5:
                    raise
        return batches


@mutant("list-unreadable-as-null", "list.unreadable", "hands over null for an entry that it cannot read")
class _Nulling(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        rows: list[Any] = []
        for entry in value if isinstance(value, list) else super().entries(value):
            try:
                rows.append(self.batch(entry))
            except BatchError:
                if isinstance(entry, dict) and len(entry) > 5:
                    raise
                rows.append(None)
        return rows


@mutant("list-null-entries-skipped", "list.unreadable", "skips entries that are null")
class _SkippingNull(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        return super().entries([entry for entry in value if entry is not None] if isinstance(value, list) else value)


@mutant("list-sorted-by-status", "list.order", "sorts the list by status")
class _ByStatus(Faulty):
    def read_list(self, answer: Answer) -> list[Batch]:
        return sorted(super().read_list(answer), key=lambda batch: str(batch["status"]))


@variation("list-dates-in-utc", "sends dates in UTC")
class _InUtc(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        aware = isinstance(value, datetime) and value.tzinfo is not None
        return super().filter(name, value.astimezone(UTC) if aware and isinstance(value, datetime) else value)


@variation("list-dates-to-the-millisecond", "sends dates to the millisecond, with a Z")
class _Milliseconds(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return super().filter(name, value)


@variation("list-naive-as-utc", "takes a date without an offset for UTC")
class _NaiveUtc(Faulty):
    def filter(self, name: str, value: str | datetime) -> str:
        naive = isinstance(value, datetime) and value.tzinfo is None
        return super().filter(name, value.replace(tzinfo=UTC) if naive and isinstance(value, datetime) else value)


@variation("list-query-in-another-order", "sends filters in another order, encoded as a form is")
class _Form(Faulty):
    def list_url(self, filters: Filters) -> str:
        given = {name: self.filter(name, value) for name, value in list(filters.items())[::-1] if value is not None}
        base = super().list_url({})
        return f"{base}?{urlencode(given)}" if given else base
