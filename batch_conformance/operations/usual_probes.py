"""Probes for another operation on one batch: those of Get Batch, sent to the operation's own path.

They have the same names, so that the checks about keys, ids, errors and answers find their exchanges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def usual_probes(operation: str) -> Mapping[str, Callable[[ProbeContext], Probe]]:
    """Return the probes for an operation on one batch, by name, in sending order."""
    return {name: partial(_sent_to, operation, get.PROBES[name]) for name in _NAMES}


def usual_before_first_auth(operation: str) -> Callable[[ProbeContext], Probe]:
    """Return the probe to send to the operation before the valid key was ever sent."""
    return partial(_sent_to, operation, get.before_first_auth)


def _sent_to(operation: str, probe: Callable[[ProbeContext], Probe], context: ProbeContext) -> Probe:
    if not context.ids:
        return
    profile = PROFILES[_IN_THE_MANNER_OF[context.profile.name]]
    # States are those of batches, which Get Batch's own reads tell.
    running = probe(replace(context, profile=profile, states={}))
    try:
        planned = next(running)
        while True:
            planned = running.send((yield replace(planned, operation=operation)))
    except StopIteration:
        return
