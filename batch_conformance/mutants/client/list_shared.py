"""Single-fault clients of List Batches, in what both operations share: keys, errors, other responses."""

from __future__ import annotations

from typing import Any

from batch_conformance.mutants.client.base import Faulty, Following, Registry, Retrying
from batch_conformance.mutants.client.error import BodyWins
from batch_conformance.mutants.client.list_batches import ChangedList, Filters
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry("list")


class _Listing(Faulty):
    """Knows whether the request is for the list."""

    listing = False

    def list_url(self, filters: Filters) -> str:
        self.listing = True
        return super().list_url(filters)


@mutant("list-without-key", "auth.header", "asks for the list without the key", "auth.only-there")
class _Keyless(_Listing):
    def headers(self) -> dict[str, str]:
        headers = super().headers()
        if self.listing:
            del headers["x-api-key"]
        return headers


@mutant("list-metrics-lost", "decode.fields", "hands over the batches of a list without their counts")
class _Summaries(ChangedList):
    def returned(self, rows: list[Any]) -> Any:
        return [{name: value for name, value in row.items() if name != "metrics"} for row in rows]


@mutant("list-500-is-empty", "error.500", "takes a 500 for an empty list", "error.message", "error.odd-body")
class _FailedEmpty(Faulty):
    def read_list(self, answer: Answer) -> list[Batch]:
        return [] if answer.status == 500 else super().read_list(answer)


@mutant("list-404-is-empty", "error.404", "takes a 404 for an empty list", "error.odd-body", "error.message")
class _MissingEmpty(Faulty):
    def read_list(self, answer: Answer) -> list[Batch]:
        return [] if answer.status == 404 else super().read_list(answer)


@mutant("list-not-json-is-empty", "reject.not-json", "takes what is not JSON for an empty list")
class _HtmlEmpty(Faulty):
    def read_list(self, answer: Answer) -> list[Batch]:
        try:
            return super().read_list(answer)
        except BatchError as error:
            if "is not JSON" in str(error):
                return []
            raise


@mutant("list-204-is-empty", "reject.other-status", "takes a 204 for an empty list")
class _NothingIsEmpty(Faulty):
    def read_list(self, answer: Answer) -> list[Batch]:
        return [] if answer.status == 204 else super().read_list(answer)


@mutant("list-body-status-wins", "error.status-line-wins", "takes the status of a refused list from its body")
class _BodyStatus(_Listing, BodyWins):
    def error(self, answer: Answer) -> BatchError:
        return super().error(answer) if self.listing else Faulty.error(self, answer)


@mutant("list-redirect-with-key", "auth.redirect", "follows redirects of the list with the key")
class _ListRedirected(_Listing, Following):
    def may_have_key(self, url: str) -> bool:
        return self.listing or super().may_have_key(url)


@mutant("list-key-of-the-first", "auth.per-call", "asks for lists with the key that it first had")
class _FirstKey(Faulty):
    def list_url(self, filters: Filters) -> str:
        self.api_key = self.memory.setdefault(self.base_url, self.api_key)
        return super().list_url(filters)


@mutant("list-entries-kept", "decode.fresh", "keeps entries by their ids, as they were when it read them first")
class _CachedEntries(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        return [self.memory.setdefault(f"{batch.get('id')}", batch) for batch in super().entries(value)]


@mutant("list-entry-carried-over", "decode.optional", "reads entries into one object, where absent members stay")
class _CarriedOver(Faulty):
    def entries(self, value: Any) -> list[Batch]:
        one: dict[str, Any] = {}
        rows = []
        for entry in value if isinstance(value, list) else []:
            one |= entry if isinstance(entry, dict) else {}
            rows.append(dict(one) if isinstance(entry, dict) else entry)
        return super().entries(rows if isinstance(value, list) else value)


@mutant("list-filters-lost-on-retry", "list.query", "asks again without the filters")
class _LostOnRetry(Retrying):
    def send_again(self, url: str, deadline: float) -> Answer:
        return super().send_again(url.partition("?")[0], deadline)


@mutant("list-attempt-in-the-query", "list.nothing-more", "counts its attempts in the query")
class _Counted(Retrying):
    def send_again(self, url: str, deadline: float) -> Answer:
        return super().send_again(f"{url}{'&' if '?' in url else '?'}attempt=2", deadline)
