"""Batches in memory. They change with each read, not with time, so that runs are deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any


def error_payload(status: int, message: str | list[str], code: str | None = None) -> dict[str, Any]:
    """Return an error body as documented on the reference page."""
    body: dict[str, Any] = {"message": message, "statusCode": status}
    return body if code is None else {**body, "errorCode": code}


class StoredBatch:
    """Base of stored batches: each read returns the next of ``payloads``, then the last one again.

    ``reads`` counts the reads so far.
    """

    id: str
    reads: int

    def payloads(self) -> Sequence[dict[str, Any]]:
        """Return the JSON objects of successive reads, in order."""
        raise NotImplementedError

    def read(self) -> dict[str, Any]:
        """Return the batch as JSON, and advance it by one read."""
        self.reads += 1
        return self._at(self.reads - 1)

    def peek(self) -> dict[str, Any]:
        """Return the batch as JSON, without advancing it."""
        return self._at(self.reads)

    def _at(self, reads: int) -> dict[str, Any]:
        payloads = self.payloads()
        return copy(payloads[min(reads, len(payloads) - 1)])


@dataclass
class Shown(StoredBatch):
    """A batch given as the JSON objects of successive reads."""

    id: str
    values: Sequence[dict[str, Any]]
    reads: int = 0

    def payloads(self) -> Sequence[dict[str, Any]]:
        """Return the values as given."""
        return self.values


@dataclass
class Store:
    """The batches of one organisation, newest last, by their ids as they appear decoded in URLs."""

    batches: dict[str, StoredBatch] = field(default_factory=dict)

    def add(self, batch: StoredBatch) -> None:
        """Add a batch; it replaces one of the same id."""
        self.batches[batch.id] = batch

    def newest_first(self) -> list[StoredBatch]:
        """Return the batches in the order of List Batches."""
        return list(reversed(self.batches.values()))
