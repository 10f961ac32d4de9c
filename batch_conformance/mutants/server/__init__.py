"""Single-fault mutants of the reference server, and legal variations of it, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from batch_conformance.mutants.server.base import REGISTRY, VARIATIONS, ServerMutant

__all__ = ["ServerMutant", "server_mutants", "server_variations"]


@cache
def server_mutants() -> Mapping[str, ServerMutant]:
    """All mutants: each breaks one clause of one server, and says which."""
    from batch_conformance.mutants.server import (  # noqa: F401
        auth,
        batch,
        company,
        errors,
        list_batches,
        list_subtle,
        lookup,
        polling,
        shortcuts,
        spelling,
        subtle,
        tenants,
        transfer,
    )
    return REGISTRY


@cache
def server_variations() -> Mapping[str, ServerMutant]:
    """All legal variations: each differs from the reference server, and none breaks a clause."""
    from batch_conformance.mutants.server import legal, list_legal, shortcuts, tenants  # noqa: F401
    return VARIATIONS
