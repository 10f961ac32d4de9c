"""What an update changes: the entries that a run makes out of date, and the ones it lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseVerdict
from batch_conformance.known_failures.entries import KnownFailure, KnownFailures
from batch_conformance.known_failures.patterns import Evidence, Expected, Seen, Sentence, patterns_of, seen_of


class Observation(TypedDict):
    """What a run found of one clause, before any entry was held against it; plain JSON."""

    verdict: ClauseVerdict
    #: Each with the members of :class:`Seen`.
    evidence: Sequence[tuple[str, str, str, str, str]]


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
    """Changes to a file. Entries go by their number; items of evidence by their index within an entry.

    ``rewritten`` are items that name by sentences what the items in their place name by code and pointer.
    """

    removed: dict[int, str] = field(default_factory=dict)
    dropped: dict[int, list[int]] = field(default_factory=dict)
    gained: dict[int, list[Expected]] = field(default_factory=dict)
    rewritten: dict[int, dict[int, list[Expected]]] = field(default_factory=dict)
    added: dict[str, list[Expected]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to change."""
        return bool(self.removed or self.dropped or self.gained or self.rewritten or self.added)


def plan_update(known: KnownFailures, observations: Mapping[str, Observation]) -> Plan:
    """What brings the file in line with what was seen; clauses that were not settled stay as they are.

    A ``should`` clause that only warns needs no entry, so it gets none.
    """
    plan = Plan()
    for clause, observation in observations.items():
        entries = known.of(clause)
        evidence = [Seen(*pair) for pair in observation["evidence"]]
        if entries and not evidence:
            plan.removed |= dict.fromkeys((entry.number for entry in entries), "the clause passes now")
        elif entries:
            _revise(plan, entries, evidence)
        elif observation["verdict"] == "fail":
            plan.added[clause] = patterns_of(evidence)
    return plan


def _revise(plan: Plan, entries: list[KnownFailure], evidence: list[Seen]) -> None:
    again = {entry.number: _rewritten(entry, evidence) for entry in entries if entry.outdated}
    expected: list[Evidence] = [item for entry in entries for item in entry.evidence]
    expected += [item for items in again.values() for made in items.values() for item in made]
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
        else:
            renamed = again.get(entry.number, {})
            # What another item of the entry names as well needs no second one.
            dead = sorted([*dead, *(index for index, made in renamed.items() if not made)])
            if dead:
                plan.dropped[entry.number] = dead
            if any(renamed.values()):
                plan.rewritten[entry.number] = {index: made for index, made in renamed.items() if made}
    if rest:
        # What fails besides is another failure, with a reason and an issue of its own.
        plan.added[entries[0].clause] = rest


def _rewritten(entry: KnownFailure, evidence: list[Seen]) -> dict[int, list[Expected]]:
    """What the sentences of an entry that still show mean by code, pointer and operation, by index."""
    made: list[Evidence] = [item for item in entry.evidence if not isinstance(item, Sentence)]
    again: dict[int, list[Expected]] = {}
    for index, item in enumerate(entry.evidence):
        shown = [seen for seen in evidence if item.matches(seen)]
        if isinstance(item, Sentence) and shown:
            again[index] = patterns_of(seen for seen in shown if not _named(seen, made))
            made += again[index]
    return again


def _named(seen: Seen, expected: Iterable[Evidence]) -> bool:
    return any(item.matches(seen) for item in expected)
