"""Single-fault mutants of the reference server, and its legal variations, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from batch_conformance.mutants.server.base import REGISTRY, VARIATIONS, ServerMutant

__all__ = ["ServerMutant", "server_mutants", "server_variations"]


@cache
def server_mutants() -> Mapping[str, ServerMutant]:
    """Return all mutants by name; each names the clause that it breaks."""
    from batch_conformance.mutants.server import (  # noqa: F401
        auth,
        batch,
        concurrency,
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
    """Return all legal variations by name: they differ from the reference server and break no clause."""
    from batch_conformance.mutants.server import legal, list_legal, shortcuts, tenants  # noqa: F401

    return VARIATIONS
