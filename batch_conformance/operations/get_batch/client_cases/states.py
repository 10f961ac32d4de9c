"""Members that say in which state a batch is, as the contract in use calls them."""

from __future__ import annotations

from batch_conformance.client_runner.cases.case import CaseFactory
from batch_conformance.contract.pointers import split


def in_state(factory: CaseFactory, status: str) -> dict[str, str]:
    """The member that says so, by its name; none where the contract has no such status, or keeps it deeper."""
    cycle = factory.values.entity.lifecycle
    own = cycle.pointer.removeprefix(factory.values.entity.place)
    names = split(own) if own else []
    return {names[0]: status} if len(names) == 1 and status in cycle.values else {}


def underway(factory: CaseFactory) -> dict[str, str]:
    """The member that says that a batch is not done."""
    return in_state(factory, "PROCESSING")
