"""Single-fault mutants of the reference client, and legal variations of it, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from batch_conformance.mutants.client.base import ClientMutant, ClientVariation

__all__ = ["ClientMutant", "ClientVariation", "client_mutants", "client_variations"]


@cache
def client_mutants() -> Mapping[str, ClientMutant]:
    """All mutants: each breaks one clause, and says which others the same fault cannot but break too."""
    from batch_conformance.mutants.client import (
        auth,
        decode,
        error,
        list_batches,
        list_shared,
        reading,
        reject,
        request,
        retry,
        subtle,
    )

    themes = (request, auth, decode, reading, reject, error, retry, subtle, list_batches, list_shared)
    return {name: mutant for theme in themes for name, mutant in theme.mutant.mutants.items()}


@cache
def client_variations() -> Mapping[str, ClientVariation]:
    """All legal variations: none breaks a clause."""
    from batch_conformance.mutants.client import list_batches  # noqa: F401
    from batch_conformance.mutants.client.legal import VARIATIONS

    return VARIATIONS
