"""Answers in memory. They move by being read, not by the clock, so that every run sees the same."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any


def error_payload(status: int, message: str | list[str], code: str | None = None) -> dict[str, Any]:
    """The body of an error, as the reference page has it."""
    body: dict[str, Any] = {"message": message, "statusCode": status}
    return body if code is None else {**body, "errorCode": code}


class StoredBatch:
    """What is answered for one id, read after read; it stays with the last of ``payloads``. ``reads`` counts from 0."""

    id: str
    reads: int

    def payloads(self) -> Sequence[dict[str, Any]]:
        """All that it shows, in order."""
        raise NotImplementedError

    def read(self) -> dict[str, Any]:
        """The batch as JSON, one state further with each read."""
        self.reads += 1
        return self._at(self.reads - 1)

    def peek(self) -> dict[str, Any]:
        """The batch as JSON, without moving it."""
        return self._at(self.reads)

    def _at(self, reads: int) -> dict[str, Any]:
        shown = self.payloads()
        return copy(shown[min(reads, len(shown) - 1)])


@dataclass
class Shown(StoredBatch):
    """A batch given as the JSON values that it shows."""

    id: str
    values: Sequence[dict[str, Any]]
    reads: int = 0

    def payloads(self) -> Sequence[dict[str, Any]]:
        """As they were given."""
        return self.values


@dataclass
class Store:
    """All batches of one organisation, by id, as it stands in a URL; the newest ones last."""

    batches: dict[str, StoredBatch] = field(default_factory=dict)

    def add(self, batch: StoredBatch) -> None:
        """Put a batch in, in place of one of the same id."""
        self.batches[batch.id] = batch

    def newest_first(self) -> list[StoredBatch]:
        """The order of List Batches."""
        return list(reversed(self.batches.values()))
