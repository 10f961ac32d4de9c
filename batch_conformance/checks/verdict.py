"""Verdicts of clauses and of runs, made from the results of checks. The same for servers and clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from batch_conformance.checks.finding import CheckResult, Finding
from batch_conformance.contract import Clause

#: The reason where a check gave none.
NOT_TRIED = "nothing in this run put it to the test"

ClauseVerdict = Literal["pass", "fail", "warn", "known-failure", "not-exercised", "error"]
RunVerdict = Literal["pass", "fail", "partial", "error"]


@dataclass(frozen=True)
class ClauseResult:
    """The verdict on one clause, with its evidence; ``limits`` is what a pass did not cover.

    ``selected`` is False for a clause that was not selected in this run. Where a known-failures file changes
    the verdict, ``subject_verdict`` is the one without the file, and ``file_at_fault`` is set if only the
    file is wrong. ``operations`` are the verdicts on each operation of the run to which the clause applies.
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
    """Make the verdict on a clause from the result of its check.

    A broken ``should`` is a warning, unless ``strict``. Without a finding, a response that could not be
    judged makes an error, since it may have broken the clause. Observations that were set aside do not count:
    if there are no others, the clause is not exercised, and the reason names the clauses that explain them;
    otherwise they are a limit of the pass.
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
        reason = reason or NOT_TRIED
    findings = tuple(_one_of_each_first(result.findings))
    operations = {
        name: verdict if part is result else clause_result(clause, part, strict=strict).verdict
        for name, part in result.parts.items()
    }
    return ClauseResult(clause, verdict, reason, result.observations, findings, limits, operations=operations)


def _unjudged(result: CheckResult) -> Iterator[str]:
    """Yield why responses could not be judged, and how many of how many."""
    for why, count in result.unjudged.items():
        yield f"{why} (on {count} of {count + result.observations} answers)"


def _explained(counts: Mapping[str, int]) -> str:
    """Name the clauses that explain the observations set aside, with counts; empty if there are none."""
    parts = [f"{clause}: {count} observation{'s' if count != 1 else ''}" for clause, count in counts.items()]
    return f"explained by {', '.join(parts)}" if parts else ""


def _one_of_each_first(findings: list[Finding]) -> list[Finding]:
    """Sort findings so that one of each kind comes first: repetitions could hide a worse one."""
    seen: Counter[str] = Counter()
    rank = []
    for finding in findings:
        rank.append(seen[finding.actual])
        seen[finding.actual] += 1
    return [finding for _, finding in sorted(zip(rank, findings, strict=True), key=lambda pair: pair[0])]


def run_verdict(verdicts: Iterable[ClauseVerdict], *, partial: bool = False) -> RunVerdict:
    """Return the verdict of a run. An error outweighs a failure; a run that exercised nothing is an error.

    If nothing failed, a run of some clauses only (``partial``) has no verdict on the subject.
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
    """Return the result of a clause that was not selected in this run."""
    return ClauseResult(clause, "not-exercised", reason, selected=False)


def unselected(clauses: Mapping[str, Clause], judged: Iterable[str]) -> list[ClauseResult]:
    """Return results for the clauses that were not judged, so that a report lists every clause."""
    done = set(judged)
    return [not_selected(clause) for clause in clauses.values() if clause.id not in done]
