"""Runs against servers and clients in this process, and their verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from batch_conformance.checks.by_operation import of_clause
from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.call import GRACE_SECONDS
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.open import LANES, MORE_LANES
from batch_conformance.client_runner.session import judge_client
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.target import embedded_target
from batch_conformance.server_runner.session import judge_server


def judged_server(app: ReferenceServer, operations: Sequence[str] | None = None) -> RunResult:
    """Test a server with all that the embedded target can stage; all operations unless some are named."""
    with embedded_target(app) as target:
        return judge_server(target, operations=operations)


def judged_client(adapter: Any, *, grace_s: float = GRACE_SECONDS, **options: Any) -> RunResult:
    """Test an in-process client, which counts as hung ``grace_s`` seconds after a deadline."""
    client = InProcessClient(adapter, spec="embedded", size=LANES + MORE_LANES, grace_s=grace_s)
    try:
        return judge_client(client, **options)
    finally:
        client.close()


def red(run: RunResult) -> set[str]:
    """Return the ids of the broken clauses, should clauses included."""
    return {result.clause.id for result in run.results if result.verdict in ("fail", "warn", "error")}


def verdicts(run: RunResult) -> set[str]:
    """Return the verdicts on the clauses of the run's operations."""
    return {result.verdict for result in run.results if of_clause(result.clause, run.operations)}


def shown(run: RunResult) -> str:
    """Return the findings, for an assertion message."""
    return run.error + "\n".join(
        f"{result.clause.id}: {finding.message}: expected {finding.expected}, got {finding.actual}"
        for result in run.results
        for finding in result.findings[:2]
    )
