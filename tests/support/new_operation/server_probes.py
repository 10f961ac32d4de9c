"""Probes of Get Outputs."""

from __future__ import annotations

from batch_conformance.operations.usual_probes import USUAL_BUDGETS, usual_before_first_auth, usual_probes

OPERATION = "outputs"
PROBES = usual_probes(OPERATION)
BUDGETS = USUAL_BUDGETS
before_first_auth = usual_before_first_auth(OPERATION)
