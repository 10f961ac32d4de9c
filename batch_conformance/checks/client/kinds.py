"""The kinds of error that a clause accepts, as listed in ``contracts/clauses.yaml``."""

from __future__ import annotations

from batch_conformance.contract import load_contract
from batch_conformance.contract.load import either


def accepted_kinds(clause: str, *situations: str) -> frozenset[str]:
    """Return the kinds that a clause accepts in these situations (``kinds`` by default).

    Raises ``KeyError`` when the clause lists none under that name.
    """
    listed = load_contract().clauses[clause].kinds
    return frozenset(kind for situation in situations or ("kinds",) for kind in listed[situation])


def shown_kinds(kinds: frozenset[str]) -> str:
    """Format kinds for evidence."""
    return f"an error of kind {either(sorted(kinds))}"
