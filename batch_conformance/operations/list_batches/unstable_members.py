"""Members that change illegally between reads, which ``server.poll.*`` and transition rules report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.contract.clause_list import clause_list
from batch_conformance.contract.pointers import split
from batch_conformance.operations.list_batches.entries import view

_OVER_TIME = "server.poll."

#: By batch id: the members that change illegally, each with the clause that reports it.
Unsteady = Mapping[str, Mapping[str, str]]


def unsteady(record: Record) -> Unsteady:
    """Return the members that change illegally between reads of a batch, in lists or in Get Batch responses.

    They are taken from the findings of the other checks, so nothing is ignored that no clause reports.
    """
    return record.kept("unsteady", lambda: _unsteady(record))


def _unsteady(record: Record) -> Unsteady:
    views = [view(record, _OVER_TIME)]
    if record.whole is not None:
        views.append(record.whole.of_operation("get"))
    found: dict[str, dict[str, str]] = {}
    for clause in _clauses(record):
        check = SERVER_CHECKS.find(clause)
        for finding in (finding for one in views for finding in check(one).findings):
            if finding.exchange is not None:
                members = found.setdefault(finding.exchange.intent.id, {})
                for name in _members(finding, record):
                    members.setdefault(name, clause)
    return found


def _clauses(record: Record) -> list[str]:
    """Return the clauses about two reads: ``server.poll.*``, and those of the contract's transition rules."""
    moving = [rule.code for rule in record.entity.stated_rules if rule.transition]
    rules = {clause_list().of_rule(code, record.operation) for code in moving}
    return [clause for clause in clause_list().clauses if clause.startswith(_OVER_TIME) or clause in rules]


def _members(finding: Finding, record: Record) -> Iterator[str]:
    """Yield the members that a finding is about; a rule may name several."""
    if finding.pointer:
        yield split(clause_list().own(finding.pointer))[0]
        return
    for rule in record.entity.stated_rules:
        if rule.code == finding.code:
            yield from (split(rule.pointer + name)[0] for name in rule.names if rule.pointer + name)
