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
    """The verdict on one clause, with its evidence."""

    clause: Clause
    verdict: ClauseVerdict
    reason: str = ""
    exchanges: int = 0
    findings: tuple[Finding, ...] = field(default=())


def clause_result(clause: Clause, judgement: Judgement, *, strict: bool) -> ClauseResult:
    """Weigh a judgement: a broken ``should`` warns, unless ``strict``; nothing looked at is not exercised."""
    if judgement.findings:
        verdict: ClauseVerdict = "fail" if clause.level == "must" or strict else "warn"
    elif judgement.looked_at:
        verdict = "pass"
    else:
        verdict = "not-exercised"
    reason = judgement.note
    if verdict == "not-exercised" and not reason:
        reason = "nothing in this run put it to the test"
    return ClauseResult(clause, verdict, reason, judgement.looked_at, tuple(_varied(judgement.findings)))


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
