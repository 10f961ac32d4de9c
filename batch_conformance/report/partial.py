"""Reports of partial runs, in which some clauses were not selected and so have no verdict."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from batch_conformance.checks.verdict import run_verdict
from batch_conformance.report.labels import Document

_STOPPED = "not reached: the run was stopped before its test"


def is_partial(document: Document) -> bool:
    """Whether only some clauses were selected."""
    return not all(clause.get("selected", True) for clause in document["clauses"])


def without_unreached(document: Document, unreached: Collection[str]) -> Document:
    """Return the report of a run that was stopped early (``-x``), without verdicts on the ``unreached`` clauses.

    A report with the verdict ``error`` is returned unchanged.
    """
    if not unreached or document["verdict"] == "error":
        return document
    clauses = [_left_out(one) if one["id"] in unreached else one for one in document["clauses"]]
    verdict = run_verdict((clause["verdict"] for clause in clauses), partial=True)
    # The verdict is an error if no clause has a verdict; here that is only a partial run.
    return document | {"clauses": clauses, "verdict": "partial" if verdict == "error" else verdict}


def _left_out(clause: dict[str, Any]) -> dict[str, Any]:
    row = {name: clause[name] for name in ("id", "level", "title", "source") if name in clause}
    rest = {"verdict": "not-exercised", "reason": _STOPPED, "exchanges": 0, "evidence": [], "limits": []}
    return row | rest | {"selected": False}
