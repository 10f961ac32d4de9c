"""The member that holds the status of a batch, under its name in the contract in use."""

from __future__ import annotations

from batch_conformance.client_runner.cases.case import CaseFactory
from batch_conformance.contract.pointers import split


def in_state(factory: CaseFactory, status: str) -> dict[str, str]:
    """Return the status member with this value; empty if the contract lacks the value or nests the member."""
    cycle = factory.values.entity.lifecycle
    own = cycle.pointer.removeprefix(factory.values.entity.place)
    names = split(own) if own else []
    return {names[0]: status} if len(names) == 1 and status in cycle.values else {}


def underway(factory: CaseFactory) -> dict[str, str]:
    """Return the status member of a batch in progress."""
    return in_state(factory, "PROCESSING")
