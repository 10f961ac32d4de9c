"""Single-fault mutants of the reference client, and its legal variations, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from batch_conformance.mutants.client.base import ClientMutant, ClientVariation

__all__ = ["ClientMutant", "ClientVariation", "client_mutants", "client_variations"]


@cache
def client_mutants() -> Mapping[str, ClientMutant]:
    """Return all mutants by name; each names its clause, and others that the same fault breaks."""
    from batch_conformance.mutants.client import (
        auth,
        decode,
        error,
        list_batches,
        list_memory,
        list_shared,
        reading,
        reject,
        request,
        retry,
        subtle,
    )

    themes = (request, auth, decode, reading, reject, error, retry, subtle, list_batches, list_shared, list_memory)
    registries = [*(theme.mutant for theme in themes), list_memory.mutant_of_both]
    return {name: mutant for registry in registries for name, mutant in registry.mutants.items()}


@cache
def client_variations() -> Mapping[str, ClientVariation]:
    """Return all legal variations by name; none breaks a clause."""
    from batch_conformance.mutants.client import list_batches, list_memory  # noqa: F401
    from batch_conformance.mutants.client.legal import VARIATIONS

    return VARIATIONS
