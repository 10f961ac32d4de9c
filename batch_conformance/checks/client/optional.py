"""The check of ``client.decode.optional``: members that are absent, null or empty."""

from __future__ import annotations

from collections.abc import Collection

from batch_conformance.checks.client.compare import (
    CLAUSE_OF_KIND,
    FIELDS,
    STATUS,
    Difference,
    leaves_of,
    never_handed,
    problem_at,
    refused_statuses,
    value_at,
)
from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    CaseResult,
    ClientRunRecord,
    ValidBatch,
    accepted,
)
from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.contract.leaves import Leaf

OPTIONAL = "client.decode.optional"


def is_left_to_optional(record: ClientRunRecord, leaf: Leaf, never: Collection[str]) -> bool:
    """Whether a place is absent, null or empty in a batch, as in cases of its own clause, which reports it.

    ``never`` are the places that no decoded batch ever has: these are lost whatever they hold.
    """
    special = (leaf.empty or leaf.value == "") and leaf.place not in never
    return special and leaf.pointer in record.kept("places of optional cases", lambda: _places_of_cases(record))


def _places_of_cases(record: ClientRunRecord) -> frozenset[str]:
    return frozenset(
        one.pointer
        for case_result in record.plays
        if case_result.clauses[0] == OPTIONAL
        for call_result in case_result.turns
        if isinstance(call_result.expected, ValidBatch)
        for one in leaves_of(call_result.expected.batch)
        if _is_special(one, case_result)
    )


@CLIENT_CHECKS.check(OPTIONAL, needs=[FIELDS, STATUS])
def optional(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that absent, null and empty values arrive as such."""
    never = never_handed(record)
    for case_result, call_result, sent, decoded in accepted(record, result, refused_statuses(record)):
        special = [leaf for leaf in leaves_of(sent) if _is_special(leaf, case_result)]
        if special and {leaf.place for leaf in special} <= never:
            result.set_aside(FIELDS)
            continue
        result.observe()
        for leaf in special:
            value = value_at(decoded, leaf.pointer)
            code = problem_at(leaf, value)
            if not code or leaf.place in never:
                continue
            if leaf.pointer in record.blamed(FIELDS):
                result.set_aside(FIELDS)
                continue
            by_kind = CLAUSE_OF_KIND.get(leaf.kind)
            if by_kind and code == "changed" and record.is_broken(by_kind):
                result.set_aside(by_kind)
                continue
            one = Difference(leaf, value, code)
            given = "absent" if leaf.value is MISSING else "null" if leaf.empty else ""
            given = given or ("empty" if leaf.value == "" else "")
            result.fail(
                call_result.last,
                f"{one.name} was {given}, and is turned into something"
                if given
                else f"{one.name} {'is lost' if code == 'lost' else 'is changed'}: {case_result.title}",
                expected=one.expected()
                if not leaf.empty or leaf.place.endswith("/*")
                else f"{one.name}: null, or left out",
                actual=one.actual(),
                code=code,
                pointer=leaf.pointer,
            )


def _is_special(leaf: Leaf, case_result: CaseResult) -> bool:
    """Whether a case is about this place: its own, if it has one, else any that is absent, null or empty."""
    if case_result.place is not None:
        return leaf.pointer == case_result.place
    return leaf.empty or leaf.value == ""
