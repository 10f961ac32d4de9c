"""The same finding many times is one entry that says how often, and in how many batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from batch_conformance.checks.finding import Finding
from batch_conformance.contract import Side
from batch_conformance.http import Redactor
from batch_conformance.known_failures.patterns import kind_of, seen_of


@dataclass
class Group:
    """Findings that say the same, by the first of them. ``ids`` are the known batches that they are about."""

    finding: Finding
    times: int = 0
    ids: set[str] = field(default_factory=set)

    @property
    def labelled(self) -> bool:
        """Whether the request that shows it was special in some way."""
        return bool(self.finding.exchange and self.finding.exchange.intent.label)

    @property
    def batches(self) -> int:
        """How many known batches they are about; 0 where batches have no part in it."""
        return len(self.ids)


def grouped(findings: Iterable[Finding], redactor: Redactor, side: Side) -> list[Group]:
    """The findings in their order, those that differ in no more than ids, times and states put together.

    Known failures leave out the same, so nothing that a file would tell apart is put together. Different
    variants of a key or of an id stay apart. A client is asked for another batch each time: it has no number of them.
    """
    groups: dict[tuple[str, str, str], Group] = {}
    kinds: dict[tuple[str, str, bool], tuple[str, str]] = {}
    for finding in findings:
        intent = finding.exchange.intent if finding.exchange else None
        # An id that was made up is what the finding is about.
        known = intent is None or intent.id_kind == "known"
        text = (finding.message, finding.actual, known)
        if text not in kinds:
            seen = seen_of(finding, redactor)
            kinds[text] = kind_of(seen, quoted=side == "server") if known else (seen.message, seen.actual)
        # Variants of keys and ids are what a finding is about; how a valid read was sent, or a case is called, is not.
        variant = intent is not None and not (known and intent.key_kind == "valid")
        group = groups.setdefault((*kinds[text], intent.label if intent and variant else ""), Group(finding))
        if intent and not intent.label and group.labelled:
            # The plainest request shows it best.
            group.finding = finding
        group.times += 1
        if intent and known and side == "server":
            group.ids.add(intent.id)
    return list(groups.values())
