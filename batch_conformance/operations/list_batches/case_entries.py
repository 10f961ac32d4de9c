"""Entries and lists for the client cases of List Batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, TypeVar

from batch_conformance.client_runner.cases.case import CallStep, CaseFactory, ordinary_values
from batch_conformance.client_runner.cases.plugged import drawn_members
from batch_conformance.client_runner.stub.answers import json_body
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import entry_entity, list_shape
from batch_conformance.contract.pointers import split
from batch_conformance.generate.ordinary import NotInContract, Ordinary
from batch_conformance.operations.list_batches.answers import answer_of
from batch_conformance.operations.list_batches.client_record import OPERATION, Arguments, Batches
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    STATUS,
    created,
    documented_statuses,
    has_own_clause,
)

T = TypeVar("T")

#: Values of the date filters, in their order.
IN_UTC = ("2024-01-15T10:30:00Z", "2024-06-30T23:59:59.250Z")
#: More entries than a client is likely to assume for a page or a buffer.
MANY = 1001


class EntryFactory(CaseFactory):
    """Makes list entries, with the seed and random state of the given factory."""

    def __init__(self, factory: CaseFactory) -> None:
        self.seed, self.operation, self.random = factory.seed, OPERATION, factory.random

    @property
    def values(self) -> Ordinary:
        """Ordinary values of an entry."""
        return entry_values()

    def entry(self, member: str, value: Any) -> dict[str, Any]:
        """Return an ordinary entry with this value at a pointer, if the contract allows that."""
        made = self.batch()
        with suppress(NotInContract):
            if member:
                name, *below = split(member)
                return self.values.with_at(made, member, value) if below else self.values.changed(made, {name: value})
        return made


@cached_by_contract
def entry_values() -> Ordinary:
    """Return the ordinary values of an entry by the contract in use."""
    entity = entry_entity()
    if entity.operation.name != OPERATION:
        return ordinary_values(entity.operation.name)
    return Ordinary(entity, current_contract(), drawn_members("get"))


def has_own_schema() -> bool:
    """Whether entries have a schema of their own, other than Get Batch's."""
    return entry_entity().operation.name == OPERATION


def every_filter() -> dict[str, str]:
    """Return a value for each filter that the contract has."""
    every = {AFTER: IN_UTC[0], BEFORE: IN_UTC[1], STATUS: "".join(documented_statuses()[-1:])}
    return {name: value for name, value in every.items() if value and has_own_clause(name)}


def applies(clause: str) -> bool:
    """Whether a clause holds for List Batches."""
    return OPERATION in current_contract().clauses[clause].operations


def newest_first(rows: Sequence[T], batch_of: Callable[[T], object] = lambda row: row) -> list[T]:
    """Sort entries newest first, as the contract requires; those without a valid date last."""
    return sorted(rows, key=lambda row: -(created(batch_of(row)) or Fraction(-(10**12))))


def most_entries() -> int:
    """Return the largest number of entries that the contract allows, at most :data:`MANY`."""
    shape = list_shape()
    return MANY if shape is None or shape.most is None else shape.most


def portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split entries into lists of the largest size that the contract allows."""
    size = max(len(rows) if most_entries() >= MANY else most_entries(), 1)
    return (rows[at : at + size] for at in range(0, max(len(rows), 1), size))


def list_call(rows: Sequence[Mapping[str, Any]], *, refusable: bool = False, **given: str) -> CallStep:
    """Return a call with these filters that receives a list, newest first unless it is ``refusable``."""
    rows = rows if refusable else newest_first(rows)
    expected = Batches({}, refusable, batches=tuple(rows))
    body = json_body(None).with_body(json.dumps(answer_of(list(rows)), ensure_ascii=False))
    return CallStep("", expected, (body,), arguments=Arguments.of(given))
