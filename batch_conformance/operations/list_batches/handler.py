"""How the reference server answers List Batches: filters, order, and what it refuses. One step each, for mutants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qsl

from batch_conformance.contract import parse_date_time
from batch_conformance.contract.filters import other_filters
from batch_conformance.contract.pointers import read
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    STATUS,
    by_meaning,
    compared,
    created_member,
    documented_statuses,
    moment_of,
    state_of,
    wire_name,
)

OPERATION = "list"
Rows = Sequence[Mapping[str, Any]]


class Refused(Exception):
    """A filter that cannot be applied. The message is for the error body."""


class Lister:
    """Selects from all batches of an organisation those that a query asks for."""

    def answer(self, rows: Rows, query: bytes) -> list[Mapping[str, Any]]:
        """The batches that fit all filters, newest first. Raises :class:`Refused`."""
        # What is written in a way of its own is read like anything else.
        chosen: list[Any] = [json.loads(row) if isinstance(row, bytes) else row for row in rows]
        for name, value in self.parameters(query):
            chosen = self.filtered(chosen, name, value)
        return self.ordered(chosen)

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        """The query's parameters, decoded, filters by what they mean."""
        return by_meaning(parse_qsl(query.decode("latin-1"), keep_blank_values=True))

    def filtered(self, rows: Rows, name: str, value: str) -> list[Mapping[str, Any]]:
        """The batches that fit one filter; an unknown one is ignored. Raises :class:`Refused`."""
        if name in other_filters():
            return [row for row in rows if compared(name, row, value)]
        if name == STATUS:
            wanted = self.status(value)
            return [row for row in rows if self.state(row) == wanted]
        if name == AFTER:
            return self.after(rows, self.bound(name, value))
        if name == BEFORE:
            return self.before(rows, self.bound(name, value))
        return list(rows)

    def after(self, rows: Rows, bound: Fraction) -> list[Mapping[str, Any]]:
        """The batches created later."""
        return [row for row in rows if self.is_dated(row) and self.moment(row) > bound]

    def before(self, rows: Rows, bound: Fraction) -> list[Mapping[str, Any]]:
        """The batches created earlier."""
        return [row for row in rows if self.is_dated(row) and self.moment(row) < bound]

    def status(self, value: str) -> str:
        """A status that there is. Raises :class:`Refused`."""
        known = documented_statuses()
        if known and value not in known:
            raise Refused(f"{wire_name(STATUS)} must be one of {', '.join(known)}")
        return value

    def state(self, row: Mapping[str, Any]) -> object:
        """The status of a batch, whatever the contract in use calls it."""
        return state_of(row)

    def bound(self, name: str, value: str) -> Fraction:
        """A date-time, in seconds since 1970; without an offset it is UTC. Raises :class:`Refused`."""
        for text in (value, f"{value}Z"):
            instant = parse_date_time(text)
            if not isinstance(instant, str):
                return instant.seconds + instant.fraction
        raise Refused(f"{wire_name(name)} must be an ISO 8601 date-time")

    def moment(self, row: Mapping[str, Any]) -> Fraction:
        """When a batch was created, in seconds since 1970; 0 where an edited contract has no such date."""
        return self.bound("created_at", read(row, created_member())) if self.is_dated(row) else self.number(row)

    def number(self, row: Mapping[str, Any]) -> Fraction:
        """The number that an edited contract may have in place of a date; 0 where there is none."""
        return moment_of(row) or Fraction(0)

    def is_dated(self, row: Mapping[str, Any]) -> bool:
        """Whether a batch tells when it was created, as a date-time: an edited contract may have it otherwise."""
        # A mutant shows no object at all.
        value = read(row, created_member()) if isinstance(row, Mapping) else None
        return isinstance(value, str) and not isinstance(parse_date_time(value), str)

    def ordered(self, rows: Rows) -> list[Mapping[str, Any]]:
        """Newest first."""
        return sorted(rows, key=self.moment, reverse=True)
