"""List Batches in the reference server: filters and order, in small methods that mutants override."""

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
    """Raised for a filter with an invalid value. The message is for the error body."""


class Lister:
    """Selects the batches that a query asks for, and sorts them."""

    def answer(self, rows: Rows, query: bytes) -> list[Mapping[str, Any]]:
        """Return the batches that fit all filters, newest first. Raises :class:`Refused`."""
        # Mutants may give a batch as bytes, to control how it is serialised.
        chosen: list[Any] = [json.loads(row) if isinstance(row, bytes) else row for row in rows]
        for name, value in self.parameters(query):
            chosen = self.filtered(chosen, name, value)
        return self.ordered(chosen)

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        """Parse a query; filters are returned under their internal names."""
        return by_meaning(parse_qsl(query.decode("latin-1"), keep_blank_values=True))

    def filtered(self, rows: Rows, name: str, value: str) -> list[Mapping[str, Any]]:
        """Return the batches that fit one filter; an unknown one is ignored. Raises :class:`Refused`."""
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
        """Return the batches created after the bound."""
        return [row for row in rows if self.is_dated(row) and self.moment(row) > bound]

    def before(self, rows: Rows, bound: Fraction) -> list[Mapping[str, Any]]:
        """Return the batches created before the bound."""
        return [row for row in rows if self.is_dated(row) and self.moment(row) < bound]

    def status(self, value: str) -> str:
        """Return a documented status unchanged. Raises :class:`Refused` for another."""
        known = documented_statuses()
        if known and value not in known:
            raise Refused(f"{wire_name(STATUS)} must be one of {', '.join(known)}")
        return value

    def state(self, row: Mapping[str, Any]) -> object:
        """Return the status of a batch, under its name in the contract in use."""
        return state_of(row)

    def bound(self, name: str, value: str) -> Fraction:
        """Return a date-time in seconds since 1970, as UTC if it has no offset. Raises :class:`Refused`."""
        for text in (value, f"{value}Z"):
            instant = parse_date_time(text)
            if not isinstance(instant, str):
                return instant.seconds + instant.fraction
        raise Refused(f"{wire_name(name)} must be an ISO 8601 date-time")

    def moment(self, row: Mapping[str, Any]) -> Fraction:
        """Return the date of creation in seconds since 1970; without one, :meth:`number`."""
        return self.bound("created_at", read(row, created_member())) if self.is_dated(row) else self.number(row)

    def number(self, row: Mapping[str, Any]) -> Fraction:
        """Return the number or day that an edited contract may have in place of a date-time, else 0."""
        return moment_of(row) or Fraction(0)

    def is_dated(self, row: Mapping[str, Any]) -> bool:
        """Whether the date of creation is a date-time; an edited contract may define it otherwise."""
        # Mutants may list values that are not objects.
        value = read(row, created_member()) if isinstance(row, Mapping) else None
        return isinstance(value, str) and not isinstance(parse_date_time(value), str)

    def ordered(self, rows: Rows) -> list[Mapping[str, Any]]:
        """Return the batches newest first."""
        return sorted(rows, key=self.moment, reverse=True)
