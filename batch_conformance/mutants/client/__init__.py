"""Single-fault mutants of the reference client, and its legal variations, by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

from batch_conformance.mutants.client.base import ClientMutant, ClientVariation, Registry
from batch_conformance.mutants.modules import modules_of

__all__ = ["ClientMutant", "ClientVariation", "client_mutants", "client_variations"]


@cache
def client_mutants() -> Mapping[str, ClientMutant]:
    """Return all mutants by name; each names its clause, and others that the same fault breaks."""
    members = (row for module in modules_of(sys.modules[__name__]) for row in vars(module).values())
    registries = dict.fromkeys(row for row in members if isinstance(row, Registry))
    return {name: mutant for registry in registries for name, mutant in registry.mutants.items()}


@cache
def client_variations() -> Mapping[str, ClientVariation]:
    """Return all legal variations by name; none breaks a clause."""
    modules_of(sys.modules[__name__])
    from batch_conformance.mutants.client.legal import VARIATIONS

    return VARIATIONS
