"""Probes for another operation on one batch: those of Get Batch, sent to the operation's own path.

They have the same names, so that the checks about keys, ids, errors and answers find their exchanges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from batch_conformance.operations.get_batch import server_probes as get
from batch_conformance.server_runner.probe import Probe, ProbeContext
from batch_conformance.server_runner.profile import PROFILES

#: The most requests by profile; None for no cap.
USUAL_BUDGETS: Mapping[str, int | None] = {"quick": 25, "default": 80, "thorough": None}
#: Fewer variants than for Get Batch, whose server code these operations usually share.
_IN_THE_MANNER_OF = {"quick": "quick", "default": "quick", "thorough": "default"}
_NAMES = (
    "reads", "header-case", "auth-per-request", "unauthenticated", "invalid-keys", "near-keys", "wrong-place",
    "conditional", "other-org", "revoked-key", "unknown-ids", "near-ids", "hostile-keys", "unusual-requests",
    "hostile-ids", "late-reads",
)  # fmt: skip


#: As for Get Batch: probes that may be under way together, and those whose chains alternate.
USUAL_TOGETHER: Sequence[Sequence[str]] = [
    kept for group in get.TOGETHER if (kept := [name for name in group if name in _NAMES])
]
USUAL_IN_TURN = get.IN_TURN


def usual_probes(operation: str) -> Mapping[str, Callable[[ProbeContext], Probe]]:
    """Return the probes for an operation on one batch, by name, in sending order."""
    return {name: partial(_of, operation, get.PROBES[name]) for name in _NAMES}


def usual_chains(operation: str) -> Mapping[str, Callable[[ProbeContext], list[Probe]]]:
    """Return the chains of those probes whose requests follow answers."""
    return {name: partial(_chains_of, operation, get.CHAINS[name]) for name in _NAMES if name in get.CHAINS}


def usual_before_first_auth(operation: str) -> Callable[[ProbeContext], Probe]:
    """Return the probe to send to the operation before the valid key was ever sent."""
    return partial(_of, operation, get.before_first_auth)


def _of(operation: str, probe: Callable[[ProbeContext], Probe], context: ProbeContext) -> Probe:
    if context.ids:
        yield from _sent_to(operation, probe(_fewer(context)))


def _chains_of(operation: str, chains: Callable[[ProbeContext], list[Probe]], context: ProbeContext) -> list[Probe]:
    return [_sent_to(operation, chain) for chain in chains(_fewer(context))] if context.ids else []


def _fewer(context: ProbeContext) -> ProbeContext:
    # States are those of batches, which Get Batch's own reads tell.
    return replace(context, profile=PROFILES[_IN_THE_MANNER_OF[context.profile.name]], states={})


def _sent_to(operation: str, running: Probe) -> Probe:
    """Send the requests of a probe of Get Batch to another operation."""
    with suppress(StopIteration):
        planned = next(running)
        while True:
            planned = running.send((yield replace(planned, operation=operation)))
