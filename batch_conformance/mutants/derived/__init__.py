"""Single-fault mutants derived from the current contract: its places, statuses, rules and lifecycle steps.

A derived mutant is named ``derived:<place>:<code>``. Nothing here is specific to one contract, so an edited
contract gets mutants of its own, which prove its checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batch_conformance.contract import current_contract
from batch_conformance.generate.satisfiable import require_values
from batch_conformance.mutants.derived.names import PREFIX, Derived, Unprovable

__all__ = ["PREFIX", "Derived", "Unprovable", "derived_mutants", "is_derived", "unprovable"]


def is_derived(name: str) -> bool:
    """Whether a mutant's name is that of a derived one."""
    return name.startswith(PREFIX)


def derived_mutants(side: str) -> Mapping[str, Derived[Any]]:
    """Return all derived mutants of a side, ``server`` or ``client``, by name.

    Raises :class:`NoValidValue` if the current contract has no valid response.
    """
    return _faults(side)[0]


def unprovable(side: str) -> tuple[Unprovable, ...]:
    """Return the places of a side that have no derived mutant, each with the reason."""
    return _faults(side)[1]


def _faults(side: str) -> tuple[Mapping[str, Derived[Any]], tuple[Unprovable, ...]]:
    # Without a valid value no mutant can be made, and the search for one would not end.
    require_values(current_contract())
    if side == "server":
        from batch_conformance.mutants.derived.server import server_faults

        return server_faults()
    from batch_conformance.mutants.derived.client import client_faults

    return client_faults()
