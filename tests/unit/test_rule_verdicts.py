"""Verdicts on rules that cannot be evaluated on some or all responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.by_operation import NO_OPERATION, merged, unasked
from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.verdict import clause_result
from batch_conformance.contract import Clause, load_contract
from batch_conformance.reference.server import ReferenceServer
from tests.support.judging import judged_server
from tests.support.overlays import BATCH, remove, update, using
from tests.unit.test_server_contract_edits import batch, judged, reads

CLAUSE = Clause("server.rule.ratio", "must", "p", "s", derived=True)
RATIO = {"code": "ratio", "rule": "self.metrics.total_generations / self.metrics.pending_count >= 2", "message": "m"}
GROWS = {"code": "ratio", "rule": "self.metrics.total_generations / oldSelf.metrics.pending_count >= 2", "message": "m"}


def with_pending(total: int, pending: int) -> dict[str, Any]:
    """Return a batch that is in progress."""
    metrics = {"total_generations": total, "success_count": 0, "failed_count": 0, "pending_count": pending}
    return batch(status="PROCESSING", metrics=metrics)


@pytest.mark.parametrize("row", [RATIO, GROWS], ids=["an answer", "two reads"])
@pytest.mark.parametrize(
    ("bodies", "verdict", "of"),
    [
        ([with_pending(4, 2), with_pending(4, 2)], "pass", ""),
        ([with_pending(4, 0), with_pending(4, 2), with_pending(4, 2)], "error", "divide by zero (on 1 of "),
        ([with_pending(4, 0), with_pending(4, 0)], "error", "divide by zero (on "),
        ([with_pending(4, 4), with_pending(4, 4), with_pending(4, 0)], "fail", ""),
        ([with_pending(4, 0), with_pending(4, 4), with_pending(4, 4)], "fail", "divide by zero (on 1 of "),
    ],
)
def test_a_response_on_which_a_rule_cannot_be_evaluated(
    tmp_path: Path, row: dict[str, str], bodies: list[dict[str, Any]], verdict: str, of: str
) -> None:
    """It fails if another response breaks it, and is an error otherwise, never a pass; it is counted."""
    with using(tmp_path, update(BATCH, {"x-validations": [row]})):
        result = clause_result(CLAUSE, judged(*reads(*bodies))["server.rule.ratio"], strict=False)
    assert result.verdict == verdict
    assert of in result.reason


def test_merged_operations_keep_what_was_not_checked() -> None:
    """One operation may be complete while the other is not."""
    fine, other = CheckResult("c", observations=3), CheckResult("c")
    other.leave_unjudged("why", 2)
    whole = clause_result(CLAUSE, merged("c", {"get": fine, "list": other}), strict=False)
    assert (whole.verdict, whole.reason) == ("error", "why (on 2 of 5 answers)")
    assert whole.operations == {"get": "pass", "list": "error"}


def test_a_run_with_an_unchecked_response_does_not_conform(tmp_path: Path) -> None:
    """The run is an error, but all other clauses get their verdict."""
    rule = {"code": "note", "rule": "self.note == 'x'", "message": "m"}
    actions = [update(f"{BATCH}.properties", {"note": {"type": "string"}}), update(BATCH, {"x-validations": [rule]})]
    plain = ReferenceServer()
    with using(tmp_path, *actions):
        run = judged_server(plain)
    verdicts = {result.clause.id: result.verdict for result in run.results}
    assert run.verdict == "error"
    assert verdicts["server.rule.note"] == "error"
    assert verdicts["server.body.id"] == "pass"


def test_clauses_of_a_removed_operation_say_so(tmp_path: Path) -> None:
    """The reason is not that it was not requested, or that the client lacks it."""
    clause = next(one for one in load_contract().clauses.values() if one.operations == ("list",))
    with using(tmp_path, remove("$.paths['/v2/batch']")):
        assert unasked(clause, None).reason == f"{NO_OPERATION} list"
        assert unasked(clause, ("get",)).reason == f"{NO_OPERATION} list"


@pytest.mark.parametrize(("pending", "verdict"), [(2**64, "pass"), (2**63 + 1, "pass"), (2**65, "error")])
def test_counts_beyond_64_bits_keep_the_rules_of_the_contract(pending: int, verdict: str) -> None:
    """CEL has no such integers: the rule is evaluated in doubles, or not at all."""
    result = judged(*reads(with_pending(2**64, pending), with_pending(2**64, pending)))["server.body.metrics-sum"]
    assert clause_result(CLAUSE, result, strict=False).verdict == verdict
