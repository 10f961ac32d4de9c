"""Plan of an update of the known-failures file: outdated entries and missing ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseVerdict
from batch_conformance.known_failures.entries import KnownFailure, KnownFailures
from batch_conformance.known_failures.patterns import Evidence, Expected, Seen, Sentence, patterns_of, seen_of


class Observation(TypedDict):
    """The result of one clause before known failures were applied; plain JSON."""

    verdict: ClauseVerdict
    #: Each with the members of :class:`Seen`.
    evidence: Sequence[tuple[str, str, str, str, str]]


#: By clause id; only clauses with a verdict.
Observations = dict[str, Observation]


def observe(run: RunResult, selected: Collection[str] | None = None) -> Observations:
    """Return the clauses that passed or were broken, with all evidence, redacted.

    Empty for a run that was interrupted or has the verdict ``error``.
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
    """Changes to a file. Entries are named by number, items of evidence by their index within an entry.

    ``rewritten`` replaces message patterns of version 0.1.0 by items with code, pointer and operation.
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
    """Plan the changes that make the file agree with a run; entries for other clauses stay as they are.

    A broken ``should`` that is only a warning gets no entry.
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
    rewritten = {entry.number: _rewritten(entry, evidence) for entry in entries if entry.outdated}
    expected: list[Evidence] = [item for entry in entries for item in entry.evidence]
    expected += [item for items in rewritten.values() for made in items.values() for item in made]
    rest = patterns_of(seen for seen in evidence if not _named(seen, expected))
    for entry in entries:
        dead = [index for index, item in enumerate(entry.evidence) if not any(item.matches(seen) for seen in evidence)]
        if len(dead) == len(entry.evidence):
            if rest:
                plan.dropped[entry.number], plan.gained[entry.number], rest = dead, rest, []
            else:
                plan.removed[entry.number] = "the clause fails in other ways only"
        else:
            renamed = rewritten.get(entry.number, {})
            # Patterns whose evidence other items of the entry already name are dropped.
            dead = sorted([*dead, *(index for index, made in renamed.items() if not made)])
            if dead:
                plan.dropped[entry.number] = dead
            if any(renamed.values()):
                plan.rewritten[entry.number] = {index: made for index, made in renamed.items() if made}
    if rest:
        # Other evidence is another failure, which needs a reason and an issue of its own.
        plan.added[entries[0].clause] = rest


def _rewritten(entry: KnownFailure, evidence: list[Seen]) -> dict[int, list[Expected]]:
    """Return code, pointer and operation for each message pattern of an entry that still matches, by index."""
    made: list[Evidence] = [item for item in entry.evidence if not isinstance(item, Sentence)]
    rewritten: dict[int, list[Expected]] = {}
    for index, item in enumerate(entry.evidence):
        matched = [seen for seen in evidence if item.matches(seen)]
        if isinstance(item, Sentence) and matched:
            rewritten[index] = patterns_of(seen for seen in matched if not _named(seen, made))
            made += rewritten[index]
    return rewritten


def _named(seen: Seen, expected: Iterable[Evidence]) -> bool:
    return any(item.matches(seen) for item in expected)
