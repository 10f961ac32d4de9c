"""Client mutants with lists that keep state from call to call or from entry to entry, and two legal variations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from batch_conformance.mutants.client.base import Faulty, Registry
from batch_conformance.mutants.client.legal import variation
from batch_conformance.mutants.client.list_batches import Filters
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry("list")
mutant_of_both = Registry("get", "list")


@mutant("list-that-grows", "list.entries", "adds the entries of each list to those of the lists before")
class _Growing(Faulty):
    def list_batches(self, filters: Filters | None = None) -> list[Batch]:
        known: list[Batch] = self.memory.setdefault(self.base_url, [])
        known += super().list_batches(filters)
        return list(known)


@mutant("list-entry-repeated", "list.unreadable", "hands over the entry before in place of one it cannot read")
class _Repeated(Faulty):
    def entry(self, value: Any) -> Batch:
        try:
            self.last = super().entry(value)
        except BatchError:
            if not hasattr(self, "last"):
                raise
        return self.last


@mutant("list-filters-stick", "list.nothing-more", "repeats the filters of the call before")
class _Sticky(Faulty):
    def list_batches(self, filters: Filters | None = None) -> list[Batch]:
        given = {name: value for name, value in (filters or {}).items() if value is not None}
        sticky = self.memory.setdefault(self.base_url, {})
        sticky.update(given)
        return super().list_batches(sticky)


@mutant("list-kept-when-refused", "decode.fresh", "hands over the list before where one is refused")
class _Kept(Faulty):
    def list_batches(self, filters: Filters | None = None) -> list[Batch]:
        try:
            found = super().list_batches(filters)
        except BatchError as error:
            known = self.memory.get(self.base_url)
            if known is None or (error.status or 0) < 500:
                raise
            return list(known)
        self.memory[self.base_url] = found
        return found


@mutant("list-refused-after-a-failure", "decode.fresh", "asks for no list any more once one has failed")
class _Breaker(Faulty):
    def list_batches(self, filters: Filters | None = None) -> list[Batch]:
        if failed := self.memory.get(self.base_url):
            raise failed
        try:
            return super().list_batches(filters)
        except BatchError as error:
            self.memory[self.base_url] = error
            raise


@mutant("list-latin-1", "decode.transfer", "reads lists as Latin-1")
class _Latin(Faulty):
    def read_list(self, answer: Answer) -> list[Batch]:
        return super().read_list(replace(answer, body=answer.body.decode("latin-1").encode()))


@mutant("list-304-is-empty", "reject.other-status", "takes a 304 for an empty list")
class _NotModified(Faulty):
    def read_list(self, answer: Answer) -> list[Batch]:
        return [] if answer.status == 304 else super().read_list(answer)


@mutant_of_both("batch-from-a-list", "decode.fresh", "answers for a batch from the list that had it")
class _FromList(Faulty):
    def list_batches(self, filters: Filters | None = None) -> list[Batch]:
        found = super().list_batches(filters)
        self.memory.setdefault(self.base_url, {}).update({row["id"]: row for row in found})
        return found

    def get_batch(self, batch_id: str) -> Batch:
        return self.memory.get(self.base_url, {}).get(batch_id) or super().get_batch(batch_id)


@mutant_of_both("filters-of-the-list-before", "request.target", "asks for a batch with the filters of the list before")
class _Query(Faulty):
    def list_url(self, filters: Filters) -> str:
        url = super().list_url(filters)
        self.memory[self.base_url] = url.partition("?")[2]
        return url

    def url(self, batch_id: str) -> str:
        query = self.memory.get(self.base_url)
        return super().url(batch_id) + (f"?{query}" if query else "")


@mutant_of_both("batch-kept-when-broken", "decode.fresh", "hands over the batch before where a connection breaks")
class _WhenBroken(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        name = f"{self.base_url} {batch_id}"
        try:
            self.memory[name] = super().get_batch(batch_id)
        except BatchError as error:
            if error.kind != "transport" or name not in self.memory:
                raise
        cached: Batch = self.memory[name]
        return cached


@variation("list-order-checked", "rejects a list that is not newest first")
class _Ordered(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        rows = super().entries(value)
        dates = [row["created_at"] for row in rows]
        if dates != sorted(dates, reverse=True):
            raise BatchError("decode", "the list is not newest first")
        return rows


@variation("list-filter-checked", "rejects a list with a status that it did not ask for")
class _Checked(Faulty):
    def list_batches(self, filters: Filters | None = None) -> list[Batch]:
        rows = super().list_batches(filters)
        status = (filters or {}).get("status")
        if status is not None and any(row["status"] != status for row in rows):
            raise BatchError("decode", "another status than the one asked for")
        return rows
