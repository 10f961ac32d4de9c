"""Reports of partial runs: clauses that were not selected have no verdict."""

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
    """The report of a run that was stopped early (``-x``), without verdicts on the ``unreached`` clauses.

    A report on a subject that could not be judged is left as it is.
    """
    if not unreached or document["verdict"] == "error":
        return document
    clauses = [_left_out(one) if one["id"] in unreached else one for one in document["clauses"]]
    verdict = run_verdict((clause["verdict"] for clause in clauses), partial=True)
    # No clause was reached: neither an error of the suite nor a verdict.
    return document | {"clauses": clauses, "verdict": "partial" if verdict == "error" else verdict}


def _left_out(clause: dict[str, Any]) -> dict[str, Any]:
    row = {name: clause[name] for name in ("id", "level", "title", "source") if name in clause}
    rest = {"verdict": "not-exercised", "reason": _STOPPED, "exchanges": 0, "evidence": [], "limits": []}
    return row | rest | {"selected": False}
