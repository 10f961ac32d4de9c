"""Mutants: servers and clients that break one clause each, and legal variations that break none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batch_conformance.mutants.derived import Unprovable


def variants(side: str, name: str | None = None) -> Mapping[str, Any]:
    """Return all mutants and legal variations of a side, ``server`` or ``client``, by name.

    With ``name``, derived mutants are only made if the name is that of a derived one.
    """
    from batch_conformance.mutants.derived import derived_mutants, is_derived

    made = derived_mutants(side) if name is None or is_derived(name) else {}
    if side == "server":
        from batch_conformance.mutants.server import server_mutants, server_variations

        return {**server_variations(), **server_mutants(), **made}
    from batch_conformance.mutants.client import client_mutants, client_variations

    return {**client_variations(), **client_mutants(), **made}


def listed_variants(side: str) -> tuple[Mapping[str, Any], Sequence[Unprovable], str]:
    """Return all variants of a side, the places without a mutant, and why no derived ones are there, if so.

    Raises ``NoValidValue`` if the current contract has no valid response.
    """
    from batch_conformance.contract.rules import RuntimeMissing
    from batch_conformance.mutants.derived import unprovable

    try:
        return variants(side), unprovable(side), ""
    except RuntimeMissing as error:
        # Handwritten mutants need no CEL runtime.
        return variants(side, ""), (), f"mutants derived from the contract are not listed: {error}"
