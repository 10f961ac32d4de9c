"""Single-fault mutants made from the contract in use: one for every place, keyword, status, rule and lifecycle step.

A derived mutant is named ``derived:<place>:<code>``. Nothing here is written for one contract: an edited one brings
mutants of its own, and so proves itself.
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
    """All derived mutants of a side, ``server`` or ``client``, under the contract in use, by name.

    Raises :class:`NoValidValue` where the contract has no valid answer.
    """
    return _faults(side)[0]


def unprovable(side: str) -> tuple[Unprovable, ...]:
    """The places that no derived mutant of a side stands for, each with the reason."""
    return _faults(side)[1]


def _faults(side: str) -> tuple[Mapping[str, Derived[Any]], tuple[Unprovable, ...]]:
    # Without a valid value there is nothing that a mutant could do otherwise, and searching for one has no end.
    require_values(current_contract())
    if side == "server":
        from batch_conformance.mutants.derived.server import server_faults

        return server_faults()
    from batch_conformance.mutants.derived.client import client_faults

    return client_faults()
