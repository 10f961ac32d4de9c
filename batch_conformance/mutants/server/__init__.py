"""Single-fault mutants of the reference server, and its legal variations, by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

from batch_conformance.mutants.modules import modules_of
from batch_conformance.mutants.server.base import REGISTRY, VARIATIONS, ServerMutant

__all__ = ["ServerMutant", "server_mutants", "server_variations"]


@cache
def server_mutants() -> Mapping[str, ServerMutant]:
    """Return all mutants by name; each names the clause that it breaks."""
    modules_of(sys.modules[__name__])
    return REGISTRY


@cache
def server_variations() -> Mapping[str, ServerMutant]:
    """Return all legal variations by name: they differ from the reference server and break no clause."""
    modules_of(sys.modules[__name__])
    return VARIATIONS
