"""Client cases of Get Outputs."""

from __future__ import annotations

from batch_conformance.operations.usual_cases import usual_cases, usual_ordinary

OPERATION = "outputs"
cases = usual_cases(OPERATION)
ordinary = usual_ordinary(OPERATION)
