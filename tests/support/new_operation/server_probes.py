"""Probes of Get Outputs."""

from __future__ import annotations

from batch_conformance.operations.usual_probes import (
    USUAL_BUDGETS,
    USUAL_IN_TURN,
    USUAL_TOGETHER,
    usual_before_first_auth,
    usual_chains,
    usual_probes,
)

OPERATION = "outputs"
PROBES = usual_probes(OPERATION)
BUDGETS = USUAL_BUDGETS
TOGETHER, CHAINS, IN_TURN = USUAL_TOGETHER, usual_chains(OPERATION), USUAL_IN_TURN
before_first_auth = usual_before_first_auth(OPERATION)
