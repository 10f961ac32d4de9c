"""Mutants: servers and clients that break one clause each, and legal variations that break none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
