"""Groups equal findings: one entry with the number of times, and of batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from batch_conformance.checks.finding import Finding
from batch_conformance.contract import Side
from batch_conformance.http import Redactor
from batch_conformance.known_failures.patterns import kind_of, seen_of


@dataclass
class Group:
    """Equal findings, represented by the first. ``ids`` are the known batches that they are about."""

    finding: Finding
    times: int = 0
    ids: set[str] = field(default_factory=set)

    @property
    def labelled(self) -> bool:
        """Whether the request was special in some way."""
        return bool(self.finding.exchange and self.finding.exchange.intent.label)

    @property
    def batches(self) -> int:
        """The number of known batches concerned; 0 if findings are not about known batches."""
        return len(self.ids)


def grouped(findings: Iterable[Finding], redactor: Redactor, side: Side) -> list[Group]:
    """Group findings that differ only in ids, times and states, in their order.

    Patterns of known failures ignore the same parts, so no group mixes findings that a file distinguishes. Different
    variants of a key or of an id stay apart. A client is asked for another batch each time: it has no number of them.
    """
    groups: dict[tuple[str, str, str], Group] = {}
    kinds: dict[tuple[str, str, bool], tuple[str, str]] = {}
    for finding in findings:
        intent = finding.exchange.intent if finding.exchange else None
        # For an id that the suite made up, the id is what the finding is about.
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
