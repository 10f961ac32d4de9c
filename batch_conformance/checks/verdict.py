"""From judgements to verdicts: the words of the report, the same for both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from batch_conformance.checks.finding import CheckResult, Finding
from batch_conformance.contract import Clause

ClauseVerdict = Literal["pass", "fail", "warn", "known-failure", "not-exercised", "error"]
RunVerdict = Literal["pass", "fail", "partial", "error"]


@dataclass(frozen=True)
class ClauseResult:
    """The verdict on one clause, with its evidence; ``limits`` is what a pass did not see.

    ``selected`` is False for a clause that this run was not asked about. Where a known-failures file has a say,
    ``subject_verdict`` is the verdict without it, and ``file_at_fault`` tells that nothing but the file is wrong.
    ``operations`` are the verdicts on each operation of the run for which the clause holds.
    """

    clause: Clause
    verdict: ClauseVerdict
    reason: str = ""
    exchanges: int = 0
    findings: tuple[Finding, ...] = field(default=())
    limits: tuple[str, ...] = field(default=())
    selected: bool = True
    subject_verdict: ClauseVerdict | None = None
    file_at_fault: bool = False
    operations: Mapping[str, ClauseVerdict] = field(default_factory=dict, hash=False)


def clause_result(clause: Clause, result: CheckResult, *, strict: bool) -> ClauseResult:
    """Weigh a result: a broken ``should`` warns, unless ``strict``; nothing looked at is not exercised.

    Where nothing is broken, an answer that could not be judged makes an error: it may have broken the clause.

    What was set aside does not count: when nothing else was looked at, the reason names the clauses that
    explain it, and when something was, it is a limit of the pass.
    """
    if result.findings:
        verdict: ClauseVerdict = "fail" if clause.level == "must" or strict else "warn"
    elif result.unjudged:
        verdict = "error"
    elif result.observations:
        verdict = "pass"
    else:
        verdict = "not-exercised"
    left_out = _explained(result.explained)
    limits = (*result.limits, *([left_out] if left_out else [])) if verdict == "pass" else ()
    reason = "; ".join(filter(None, [*_unjudged(result), result.reason]))
    if verdict == "not-exercised":
        reason = "; ".join(filter(None, [reason, left_out])) or "; ".join(result.limits)
        reason = reason or "nothing in this run put it to the test"
    findings = tuple(_varied(result.findings))
    operations = {
        name: verdict if part is result else clause_result(clause, part, strict=strict).verdict
        for name, part in result.parts.items()
    }
    return ClauseResult(clause, verdict, reason, result.observations, findings, limits, operations=operations)


def _unjudged(result: CheckResult) -> Iterator[str]:
    """What could not be judged, with the number of answers, and of those that could."""
    for why, count in result.unjudged.items():
        yield f"{why} (on {count} of {count + result.observations} answers)"


def _explained(aside: Mapping[str, int]) -> str:
    """Which clauses explain the observations that were set aside, and how many each; empty without any."""
    parts = [f"{clause}: {count} observation{'s' if count != 1 else ''}" for clause, count in aside.items()]
    return f"explained by {', '.join(parts)}" if parts else ""


def _varied(findings: list[Finding]) -> list[Finding]:
    """One finding of each kind first: ten times the same would hide the one that is worse."""
    met: Counter[str] = Counter()
    rank = []
    for finding in findings:
        rank.append(met[finding.actual])
        met[finding.actual] += 1
    return [finding for _, finding in sorted(zip(rank, findings, strict=True), key=lambda pair: pair[0])]


def run_verdict(verdicts: Iterable[ClauseVerdict], *, partial: bool = False) -> RunVerdict:
    """The verdict of a run: an error outweighs a failure, and a run that exercised nothing is an error.

    Where nothing failed, a run of some clauses only (``partial``) has no verdict on the subject.
    """
    seen = set(verdicts)
    if "error" in seen:
        return "error"
    if "fail" in seen:
        return "fail"
    if not seen & {"pass", "warn", "known-failure"}:
        return "error"
    return "partial" if partial else "pass"


def not_selected(clause: Clause, reason: str = "not selected in this run") -> ClauseResult:
    """The result for a clause that this run was not asked about."""
    return ClauseResult(clause, "not-exercised", reason, selected=False)


def unselected(clauses: Mapping[str, Clause], judged: Iterable[str]) -> list[ClauseResult]:
    """Results for the clauses nobody asked about, so that a report never stays silent on one."""
    done = set(judged)
    return [not_selected(clause) for clause in clauses.values() if clause.id not in done]
