"""What an update changes: the entries that a run makes out of date, and the ones it lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseVerdict
from batch_conformance.known_failures.entries import KnownFailure, KnownFailures
from batch_conformance.known_failures.patterns import Expected, ReceivedRequest, patterns_of, seen_of


class Observation(TypedDict):
    """What a run found of one clause, before any entry was held against it; plain JSON."""

    verdict: ClauseVerdict
    evidence: Sequence[tuple[str, str]]


#: By clause id; only what the run settled.
Observations = dict[str, Observation]


def observe(run: RunResult, selected: Collection[str] | None = None) -> Observations:
    """What the run settled: clauses that passed, and those that were broken with all of their evidence, redacted.

    Nothing, if the run was interrupted or could not judge.
    """
    if run.error or run.incomplete:
        return {}
    return {
        result.clause.id: {
            "verdict": result.verdict,
            "evidence": list(dict.fromkeys(seen_of(item, run.redactor) for item in result.findings)),
        }
        for result in run.results
        if result.verdict in ("pass", "fail", "warn") and (selected is None or result.clause.id in selected)
    }


@dataclass
class Plan:
    """Changes to a file. Entries go by their number; items of evidence by their index within an entry."""

    removed: dict[int, str] = field(default_factory=dict)
    dropped: dict[int, list[int]] = field(default_factory=dict)
    gained: dict[int, list[Expected]] = field(default_factory=dict)
    added: dict[str, list[Expected]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to change."""
        return bool(self.removed or self.dropped or self.gained or self.added)


def plan_update(known: KnownFailures, observations: Mapping[str, Observation]) -> Plan:
    """What brings the file in line with what was seen; clauses that were not settled stay as they are.

    A ``should`` clause that only warns needs no entry, so it gets none.
    """
    plan = Plan()
    for clause, observation in observations.items():
        entries = known.of(clause)
        evidence = [ReceivedRequest(*pair) for pair in observation["evidence"]]
        if entries and not evidence:
            plan.removed |= dict.fromkeys((entry.number for entry in entries), "the clause passes now")
        elif entries:
            _revise(plan, entries, evidence)
        elif observation["verdict"] == "fail":
            plan.added[clause] = patterns_of(evidence)
    return plan


def _revise(plan: Plan, entries: list[KnownFailure], evidence: list[ReceivedRequest]) -> None:
    expected = [item for entry in entries for item in entry.evidence]
    rest = patterns_of(seen for seen in evidence if not _named(seen, expected))
    for entry in entries:
        dead = [
            index
            for index, item in enumerate(entry.evidence)
            if not any(item.matches(seen) for seen in evidence)
        ]
        if len(dead) == len(entry.evidence):
            if rest:
                plan.dropped[entry.number], plan.gained[entry.number], rest = dead, rest, []
            else:
                plan.removed[entry.number] = "the clause fails in other ways only"
        elif dead:
            plan.dropped[entry.number] = dead
    if rest:
        # What fails besides is another failure, with a reason and an issue of its own.
        plan.added[entries[0].clause] = rest


def _named(seen: ReceivedRequest, expected: Iterable[Expected]) -> bool:
    return any(item.matches(seen) for item in expected)
