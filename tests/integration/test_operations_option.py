"""``--batch-operations``: the operations that a run tests, and their verdicts in the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from batch_conformance.checks.by_operation import UnknownOperations, merged, read_operations
from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.verdict import clause_result
from batch_conformance.contract import load_contract
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.target import embedded_target
from batch_conformance.report.document import check_document, report_document
from batch_conformance.server_runner.session import judge_server
from tests.support.running import CLIENT, SERVER, run


def test_the_report_names_the_operations(tmp_path: Path) -> None:
    """``run.operations``, and each clause's verdict on each of them."""
    outcome = run(tmp_path, SERVER, "--batch-profile=quick", "--batch-target=embedded", "--batch-operations=get")
    assert outcome.status == 0, outcome.text
    document = outcome.report()
    assert document["run"]["operations"] == ["get"]
    judged = [row for row in document["clauses"] if row["verdict"] in ("pass", "fail", "warn")]
    assert judged
    assert all(row["operations"] == {"get": row["verdict"]} for row in judged)
    assert document["verdict"] == "pass"


@pytest.mark.parametrize("value", ["post", "get,post", "get;list", "GET"])
def test_an_unknown_operation_is_wrong_usage(tmp_path: Path, value: str) -> None:
    """One line names the possible values."""
    outcome = run(tmp_path, CLIENT, "--batch-client", "embedded", "--batch-operations", value)
    assert outcome.status == 4
    line = next(line for line in outcome.text.splitlines() if "ERROR" in line)
    assert "operation" in line
    assert "give get" in line
    assert "--batch-operations" in line


def test_clauses_of_unselected_operations_leave_a_full_verdict() -> None:
    """They are not exercised, and the verdict is that of a full run."""
    with embedded_target(ReferenceServer()) as target:
        document = report_document(judge_server(target, profile="quick", operations=("get",)))
    check_document(document)
    row = next(row for row in document["clauses"] if row["id"] == "server.list.array")
    assert (row["verdict"], row["reason"]) == ("not-exercised", "not asked for")
    assert "selected" not in row
    assert "operations" not in row
    assert document["verdict"] == "pass"


def test_a_clause_is_broken_down_by_operation() -> None:
    """It fails if it fails for one operation."""
    clause = load_contract().clauses["server.ok.status"]
    good, bad = CheckResult(clause.id, observations=3), CheckResult(clause.id, observations=2)
    bad.fail(None, "wrong", expected="right", actual="wrong", code="status")
    result = clause_result(clause, merged(clause.id, {"get": good, "list": bad}), strict=False)
    assert result.verdict == "fail"
    assert result.exchanges == 5
    assert dict(result.operations) == {"get": "pass", "list": "fail"}


def test_an_operation_that_was_not_tried_is_a_limit() -> None:
    """The profile quick tries fewer keys on List Batches; a pass says so where its check gave no other reason."""
    clause = load_contract().clauses["server.auth.hostile-key"]
    good, none = CheckResult(clause.id), CheckResult(clause.id)
    good.observe()
    result = clause_result(clause, merged(clause.id, {"get": good, "list": none}), strict=False)
    assert (result.verdict, result.limits) == ("pass", ("List Batches: nothing in this run put it to the test",))
    none.set_aside("server.ok.status")
    result = clause_result(clause, merged(clause.id, {"get": good, "list": none}), strict=False)
    assert result.limits == ("explained by server.ok.status: 1 observation",)


def test_an_operation_that_an_overlay_removed_is_named() -> None:
    """An operation unknown to the suite is an error, whatever the contract has."""
    with pytest.raises(UnknownOperations, match="unknown operation 'delete': give get"):
        read_operations("get, delete")
