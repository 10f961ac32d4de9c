"""From judgements to verdicts: the words of the report, the same for both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from batch_conformance.contract import Clause
from batch_conformance.judge.finding import Finding, Judgement

ClauseVerdict = Literal["pass", "fail", "warn", "known-failure", "not-exercised", "error"]
RunVerdict = Literal["pass", "fail", "error"]


@dataclass(frozen=True)
class ClauseResult:
    """The verdict on one clause, with its evidence; ``limits`` is what a pass did not see."""

    clause: Clause
    verdict: ClauseVerdict
    reason: str = ""
    exchanges: int = 0
    findings: tuple[Finding, ...] = field(default=())
    limits: tuple[str, ...] = field(default=())


def clause_result(clause: Clause, judgement: Judgement, *, strict: bool) -> ClauseResult:
    """Weigh a judgement: a broken ``should`` warns, unless ``strict``; nothing looked at is not exercised.

    What was set aside does not count: when nothing else was looked at, the reason names the clauses that
    explain it, and when something was, it is a limit of the pass.
    """
    if judgement.findings:
        verdict: ClauseVerdict = "fail" if clause.level == "must" or strict else "warn"
    elif judgement.looked_at:
        verdict = "pass"
    else:
        verdict = "not-exercised"
    left_out = _explained(judgement.explained)
    limits = (*judgement.limits, *([left_out] if left_out else [])) if verdict == "pass" else ()
    reason = judgement.note
    if verdict == "not-exercised":
        reason = "; ".join(filter(None, [reason, left_out])) or "; ".join(judgement.limits)
        reason = reason or "nothing in this run put it to the test"
    findings = tuple(_varied(judgement.findings))
    return ClauseResult(clause, verdict, reason, judgement.looked_at, findings, limits)


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


def run_verdict(verdicts: Iterable[ClauseVerdict]) -> RunVerdict:
    """The verdict of a run: an error outweighs a failure, and a run that exercised nothing is an error."""
    seen = set(verdicts)
    if "error" in seen:
        return "error"
    if "fail" in seen:
        return "fail"
    return "pass" if seen & {"pass", "warn", "known-failure"} else "error"


def unselected(clauses: Mapping[str, Clause], judged: Iterable[str]) -> list[ClauseResult]:
    """Results for the clauses nobody asked about, so that a report never stays silent on one."""
    done = set(judged)
    return [
        ClauseResult(clause, "not-exercised", "not selected in this run")
        for clause in clauses.values()
        if clause.id not in done
    ]
