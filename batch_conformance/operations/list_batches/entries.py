"""Views of lists as single entries, each as an exchange of its own, for the checks about one batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.server.record import Record
from batch_conformance.contract.pointers import join
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.filters import requested_filters
from batch_conformance.operations.list_batches.lists import own_id, rows_of, shape_for

OPERATION = "list"
#: Prefixes of the clauses about one batch.
_ABOUT_ONE = ("server.body.", "server.poll.", "server.rule.")
#: The most entries checked of one list.
_MOST = 500


@dataclass(frozen=True)
class Entry(Exchange):
    """One entry of a list as an exchange of its own: item ``index`` of the list in the exchange ``whole``."""

    whole: Exchange | None = field(default=None, repr=False, compare=False)
    index: int = 0


class ListRecord(Record):
    """Record of List Batches whose batches are the entries of all lists."""

    @cached_property
    def batches(self) -> list[tuple[Exchange, dict[str, Any]]]:
        """The entries that are objects, each with the exchange of its list."""
        return [
            (entry.whole or entry, entry.response.json.value)
            for entry in entries(self)
            if entry.response is not None and isinstance(entry.response.json.value, dict)
        ]


def view(record: Record, clause: str) -> Record:
    """Return the record for the check of a clause: entries for clauses about one batch, else whole lists."""
    if not clause.startswith(_ABOUT_ONE):
        return record.kept(
            "lists", lambda: ListRecord(record.exchanges, record.secrets, record.operation, record.whole)
        )
    found = list(entries(record))
    if clause.startswith("server.body."):
        # Identical entries of several lists are checked once.
        bodies = {entry.response.body if entry.response else b"": entry for entry in reversed(found)}
        found = sorted(bodies.values(), key=lambda entry: (entry.number, entry.index))
    else:
        # Entries without an id cannot be followed over time.
        found = [entry for entry in found if entry.intent.id]
    if not clause.startswith("server.rule."):
        return Record(found, record.secrets, record.operation, record.whole)
    # Rules may also be about whole answers; filtered lists are only a part.
    whole = record.kept("unfiltered", lambda: [row for row in record.answered if not requested_filters(row)])
    return Record(found, record.secrets, record.operation, record.whole, answers=whole)


def entries(record: Record) -> Iterator[Entry]:
    """Yield the entries of all lists that were answered to the valid key."""
    for exchange in record.good:
        rows = rows_of(exchange) if exchange.failure is None else None
        for index, item in enumerate((rows or [])[:_MOST]):
            yield _entry(exchange, index, item)


def _entry(exchange: Exchange, index: int, item: Any) -> Entry:
    assert exchange.response is not None
    intent = replace(exchange.intent, id=own_id(item) or "", probe="reads")
    response = replace(exchange.response, body=json.dumps(item).encode())
    return Entry(
        exchange.number, intent, exchange.request, response, None, exchange.started, exchange.ended,
        exchange.connection, exchange.reused, whole=exchange, index=index,
    )  # fmt: skip


def placed(finding: Finding) -> Finding:
    """Return a finding about an entry as a finding about its list."""
    entry = finding.exchange
    if not isinstance(entry, Entry):
        return finding
    prelude = tuple(one.whole or one if isinstance(one, Entry) else one for one in finding.prelude)
    return replace(
        finding,
        message=f"entry {entry.index} of the list: {finding.message}",
        exchange=entry.whole,
        prelude=tuple(one for one in prelude if one is not entry.whole),
        pointer=join(_place(entry), entry.index) + finding.pointer,
    )


def _place(entry: Entry) -> str:
    """Return the pointer of the list in the response of an entry."""
    shape = shape_for(entry.response.media_type if entry.response else None)
    return shape.place if shape else ""
