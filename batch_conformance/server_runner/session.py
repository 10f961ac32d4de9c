"""Judge a server from beginning to end: run the probes, run the checks, make the verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from batch_conformance.checks.by_operation import JUDGED, merged, of_clause, operations_of_run, unasked, untested_hints
from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.result import CouldNotRun, RunResult, Subject
from batch_conformance.checks.server import SERVER_CHECKS, Record
from batch_conformance.checks.verdict import ClauseResult, clause_result, unselected
from batch_conformance.contract import current_contract
from batch_conformance.contract.parts import part_of
from batch_conformance.generate import keys
from batch_conformance.http import Exchange
from batch_conformance.server_runner.gateway import tunnel_hints
from batch_conformance.server_runner.hiding import hide_keys
from batch_conformance.server_runner.liveness import GivenUp
from batch_conformance.server_runner.operation_probes import most_requests
from batch_conformance.server_runner.probe import ProbeContext
from batch_conformance.server_runner.profile import PROFILES
from batch_conformance.server_runner.rate_limit import budget_hints, is_rate_limited
from batch_conformance.server_runner.recovery import TargetLost, described
from batch_conformance.server_runner.runner import ServerRunner
from batch_conformance.server_runner.target import Target
from batch_conformance.server_runner.transport import Transport

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

#: Clauses with a special role: the one about rates, and the fallback for server failures.
_RATE_CLAUSE, _FAILURE_CLAUSE = "server.rate.429", "server.error.documented-status"
_STATUS_CLAUSE = "server.ok.status"


def judge_server(
    target: Target,
    *,
    profile: str = "default",
    selected: Collection[str] | None = None,
    strict: bool = False,
    seed: int = 0,
    timeout: float = 10.0,
    progress: Callable[[int], None] | None = None,
    expect: Callable[[int], None] | None = None,
    database: ExampleDatabase | None = None,
    operations: Sequence[str] | None = None,
) -> RunResult:
    """Check a server against the selected clauses (all when None). Never raises for what the target does.

    ``operations`` are those to test, all of the contract when None. ``timeout`` is in seconds, for each
    exchange. ``progress`` is called with the number of requests sent so far, ``expect`` once with the
    expected total. ``database`` stores the failing examples of ``thorough`` runs. For a target that cannot be
    judged, the result has ``error`` set; for a run that the user stops, ``incomplete``.
    """
    chosen = set(selected) if selected is not None else {row.id for row in current_contract().of_side("server")}
    context = ProbeContext(
        key=keys.valid_key(target.api_key, target.api_key_env),
        variable=target.api_key_env,
        ids=list(target.batch_ids),
        profile=PROFILES[profile],
        seed=seed,
        operations=operations_of_run(operations),
        other_key=target.other_key,
        revoked_key=target.revoked_key,
        database=database,
    )
    result = RunResult(
        Subject("server", target.name, "", target.url),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=profile,
        seed=seed,
        strict=strict,
        budget=most_requests(profile, context.operations),
        operations=context.operations,
    )
    began = time.monotonic()
    transport = Transport(target.url, timeout=timeout, ssl_context=target.ssl_context, headers=target.header_fields)
    runner = ServerRunner(target, context, transport, progress)
    applicable = [clause for clause in current_contract().of_side("server") if of_clause(clause, context.operations)]
    wanted = SERVER_CHECKS.needs([clause.id for clause in applicable if clause.id in chosen])
    lost = False
    try:
        runner.preflight(target.batch_ids, wanted)
        if expect:
            expect(runner.expected(wanted))
        runner.run(wanted)
    except (CouldNotRun, GivenUp) as error:
        result.error = str(error)
        lost = isinstance(error, TargetLost)
    except KeyboardInterrupt:
        result.incomplete = True
    finally:
        transport.close()
    hide_keys(result, context, target.headers)
    result.exchanges = runner.exchanges
    result.requests = runner.requests
    result.rate_limited = sum(map(is_rate_limited, runner.exchanges))
    result.hints = [*untested_hints(), *runner.hints, *runner.advice]
    result.hints += budget_hints(runner.exchanges)
    if target.rate is None and target.name != "embedded":
        result.hints += tunnel_hints(runner.exchanges)
    result.results = _verdicts(runner, chosen, result, lost=lost)
    result.seconds = round(time.monotonic() - began, 3)
    return result


def _verdicts(runner: ServerRunner, chosen: set[str], result: RunResult, *, lost: bool) -> list[ClauseResult]:
    """Return the verdict on each clause.

    Of a target that was ``lost`` during the run, failures found before stand.
    """
    clauses = {clause.id: clause for clause in current_contract().of_side("server")}
    judged = {}
    if not result.error or lost:
        record = Record(runner.exchanges, secrets=[runner.context.secret])
        parts: dict[str, dict[str, CheckResult]] = {}
        for operation in result.operations:
            about = record.of_operation(operation)
            applicable = [clause for clause in clauses if clause in chosen and of_clause(clauses[clause], [operation])]
            judgements = judge_record(about, applicable)
            crashes = [crash for crash in runner.crashes if crash.intent.operation == operation]
            _report_crashes(crashes, judgements, strict=result.strict)
            for clause, part in judgements.items():
                parts.setdefault(clause, {})[operation] = part
        for clause, rows in parts.items():
            checked = merged(clause, rows)
            if not checked.observations:
                for remark in runner.remarks:
                    checked.note(remark)
            if clause == _RATE_CLAUSE:
                for hint in runner.hints:
                    checked.note(hint)
            if clause == _STATUS_CLAUSE:
                for hint in runner.advice:
                    checked.note(hint)
            if runner.cut_short & SERVER_CHECKS.find(clause).needs:
                checked.limit("the request budget was used up before all was sent")
            clause_verdict = clause_result(clauses[clause], checked, strict=result.strict)
            judged[clause] = _unfinished(clause_verdict, runner) if result.incomplete else clause_verdict
    for clause in chosen & clauses.keys():
        if not of_clause(clauses[clause], result.operations):
            judged[clause] = unasked(clauses[clause], result.operations)
    if result.error:
        for clause in clauses:
            fails = clause in judged and judged[clause].verdict == "fail"
            if clause in chosen and not fails and of_clause(clauses[clause], result.operations or JUDGED):
                judged[clause] = ClauseResult(clauses[clause], "error", result.error)
    order = list(clauses)
    return sorted([*judged.values(), *unselected(clauses, chosen)], key=lambda item: order.index(item.clause.id))


def judge_record(about: Record, asked: Sequence[str]) -> dict[str, CheckResult]:
    """Check clauses against the record of one operation; for a list, entry by entry. Sends nothing."""
    own = part_of(about.operation, "entries")
    if own is None:
        return SERVER_CHECKS.judge(about, asked)
    judgements = SERVER_CHECKS.judge(about, asked, own.view)
    for result in judgements.values():
        result.findings = [own.placed(finding) for finding in result.findings]
    return judgements


def _report_crashes(crashes: Collection[Exchange], judgements: Mapping[str, CheckResult], *, strict: bool) -> None:
    """Make each request that crashed the target fail a clause: its probe's, or the one about 5xx."""
    levels = {clause.id: clause.level for clause in current_contract().of_side("server")}
    fallback = judgements.get(_FAILURE_CLAUSE)
    for crash in crashes:
        reported = any(
            finding.exchange is crash
            for clause, checked in judgements.items()
            if strict or levels[clause] == "must"
            for finding in checked.findings
        )
        if fallback is not None and not reported:
            fallback.observe()
            fallback.fail(
                crash,
                described(crash),
                expected="no status from 500 up, and a target that stays up",
                actual=crash.outcome(),
                code="status",
            )


def _unfinished(clause_verdict: ClauseResult, runner: ServerRunner) -> ClauseResult:
    """Return the result of a clause in an interrupted run: only a failure, or a completed probe, counts."""
    if clause_verdict.findings or SERVER_CHECKS.find(clause_verdict.clause.id).needs <= runner.done:
        return clause_verdict
    return ClauseResult(
        clause_verdict.clause, "not-exercised", "not reached: the run was interrupted", clause_verdict.exchanges
    )
