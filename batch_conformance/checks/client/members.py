"""Checks of ``client.decode.*`` about one member each: id, status, created_at, counts.

They report changed values; ``client.decode.fields`` reports members that never arrive or are misplaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from batch_conformance.checks.client.compare import (
    COUNTS,
    CREATED_AT,
    FIELDS,
    MICROSECOND,
    STATUS,
    Difference,
    changes,
    entity,
    holders,
    id_of,
    instant_problem,
    integer_faults,
    leaves_of,
    lost_as,
    name_of,
    never_handed,
    places_of_kind,
    problem_at,
    refused_statuses,
    shown,
    sound_places,
    value_at,
)
from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    CallResult,
    CaseResult,
    ClientRunRecord,
    ValidBatch,
    accepted,
    is_mixture,
)
from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.contract.leaves import Leaf
from batch_conformance.contract.numbers import is_number, same

#: Clauses that explain faults in a batch that is special in one way.
ONE_BY_ONE = (
    "client.decode.status",
    "client.decode.created_at",
    "client.decode.counts",
    "client.decode.optional",
    "client.decode.unknown-fields",
    "client.decode.transfer",
)
#: Clauses about forms that not every library reads. A refusal breaks these; a misread value breaks the
#: member's.
_LETTERS = "client.decode.created_at-letters"
_FRACTION = "client.decode.counts-fraction"
#: A case, its call, the batch that was sent, and the one that was decoded.
Row = tuple[CaseResult, CallResult, Mapping[str, Any], dict[str, Any]]


def mixtures(record: ClientRunRecord, result: CheckResult) -> Iterator[Row]:
    """Yield decoded batches, special in several ways, in which only the clause's own places are wrong.

    A batch that is refused, or special in a way that is misread by itself, is not set against one member.
    """
    clause = result.clause
    rows = [
        (case_result, call_result, call_result.expected.batch, call_result.reply.batch)
        for case_result in record.plays
        if is_mixture(case_result)
        for call_result in case_result.turns
        if isinstance(call_result.expected, ValidBatch) and call_result.reply.batch is not None
        if not call_result.is_remembered
    ]
    kind = places_of_kind((sent for _, _, sent, _ in rows), clause)
    if not kind:
        return
    plain, sound = record.without_mixtures, sound_places(record)
    cause = next((other for other in ONE_BY_ONE if other != clause and plain.is_broken(other)), "")
    # Includes the objects and arrays that contain them.
    own = kind | {place.rpartition("/")[0] for place in kind} - {""}
    for case_result, call_result, sent, decoded in rows:
        wrong = {one.leaf.place in own for one in changes(sent, decoded, sound | own)}
        if cause:
            result.set_aside(cause)
        elif wrong == {True, False}:
            result.set_aside(FIELDS)
        else:
            yield case_result, call_result, sent, decoded


def _misread(record: ClientRunRecord, clause: str) -> Iterator[Row]:
    """Yield decoded batches of cases in which ``clause`` itself only reports refusals."""
    for case_result in record.plays:
        if case_result.clauses[0] == clause:
            for call_result in case_result.turns:
                if isinstance(call_result.expected, ValidBatch) and call_result.reply.batch is not None:
                    yield case_result, call_result, call_result.expected.batch, call_result.reply.batch


def never_arrives(record: ClientRunRecord, result: CheckResult, pointer: str | None) -> bool:
    """Whether the place is missing in every decoded batch. If so, its observations are set aside."""
    if pointer not in never_handed(record):
        return False
    result.set_aside(
        FIELDS,
        sum(1 for _, call_result in record.turns(result) if isinstance(call_result.expected, ValidBatch)),
    )
    return True


def _of_kind(sent: Mapping[str, Any], kind: str) -> list[Leaf]:
    return [leaf for leaf in leaves_of(sent) if leaf.kind == kind]


@CLIENT_CHECKS.check("client.decode.id", needs=[FIELDS])
def id_that_came(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that the id of the response is reported when it is not the requested one, or an error."""
    echo = entity().echo
    if echo is None or never_arrives(record, result, echo):
        return
    name = name_of(echo)
    sound = echo in sound_places(record) and not record.is_broken(FIELDS)
    kinds = accepted_kinds(result.clause)
    for case_result, call_result in record.turns(result):
        if not isinstance(call_result.expected, ValidBatch):
            continue
        if not record.decodes or not sound:
            result.set_aside(FIELDS)
            continue
        result.observe()
        returned, requested, error = (
            id_of(call_result.expected.batch),
            call_result.call.batch_id,
            call_result.reply.error,
        )
        if error is not None and error.kind in kinds:
            result.limit("a batch with another id than the one asked for is refused")
            continue
        decoded = id_of(call_result.reply.batch)
        if error is None and decoded == returned:
            continue
        problem = "the id asked for is reported" if decoded == requested else "another id than the one that came"
        result.fail(
            call_result.last,
            f"{problem}: {case_result.title}",
            expected=f"{name}: {shown(returned)}, or {shown_kinds(kinds)}",
            actual=call_result.said() if error is not None else f"{name}: {shown(decoded)}",
            code="kind" if error is not None else "changed",
            pointer=echo,
        )


@CLIENT_CHECKS.check(STATUS, needs=[FIELDS])
def status(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that each documented status arrives unchanged."""
    pointer = entity().lifecycle_pointer
    if never_arrives(record, result, pointer):
        return
    for _, call_result, sent, decoded in chain(accepted(record, result), mixtures(record, result)):
        result.observe()
        for leaf in _of_kind(sent, "lifecycle"):
            value = value_at(decoded, leaf.pointer)
            if code := problem_at(leaf, value):
                one = Difference(leaf, value, code)
                result.fail(
                    call_result.last,
                    "the status arrives as another one",
                    expected=one.expected(),
                    actual=one.actual(),
                    code=code,
                    pointer=leaf.pointer,
                )


@CLIENT_CHECKS.check(CREATED_AT, needs=[FIELDS])
def created_at(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that the instant arrives, to the millisecond. It may have any offset, but must have one."""
    never = never_handed(record)
    for case_result, call_result, sent, decoded in chain(
        accepted(record, result), mixtures(record, result), _misread(record, _LETTERS)
    ):
        leaves = _of_kind(sent, "date-time")
        arriving = [leaf for leaf in leaves if leaf.place not in never]
        if leaves and not arriving:
            result.set_aside(FIELDS)
            continue
        result.observe()
        for leaf in arriving:
            value = value_at(decoded, leaf.pointer)
            if problem := instant_problem(leaf.value, value):
                _blame_date(result, case_result, call_result, problem, leaf, value)


@CLIENT_CHECKS.check("client.decode.created_at-precision", needs=[FIELDS, CREATED_AT])
def precision(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that the instant arrives to the microsecond, where the millisecond is right."""
    coarse = record.is_broken(CREATED_AT)
    for case_result, call_result in record.turns(result):
        if not isinstance(call_result.expected, ValidBatch):
            continue
        sent, decoded = call_result.expected.batch, call_result.reply.batch
        if decoded is None or coarse:
            places = {leaf.place for leaf in _of_kind(sent, "date-time")}
            never = not record.decodes or places <= never_handed(record)
            result.set_aside(FIELDS if never else CREATED_AT)
            continue
        result.observe()
        for leaf in _of_kind(sent, "date-time"):
            value = value_at(decoded, leaf.pointer)
            problem = instant_problem(leaf.value, value, MICROSECOND)
            if problem and leaf.place not in never_handed(record):
                _blame_date(result, case_result, call_result, problem, leaf, value)


@CLIENT_CHECKS.check(_LETTERS, needs=[FIELDS, CREATED_AT])
def letters(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that dates in lower case do not make the client refuse a batch."""

    def right(sent: Mapping[str, Any], decoded: dict[str, Any]) -> bool:
        return not any(
            instant_problem(leaf.value, value_at(decoded, leaf.pointer)) for leaf in _of_kind(sent, "date-time")
        )

    _no_reason_to_refuse(record, result, CREATED_AT, right)


def _no_reason_to_refuse(
    record: ClientRunRecord,
    result: CheckResult,
    plainly: str,
    right: Callable[[Mapping[str, Any], dict[str, Any]], bool],
) -> None:
    """Report refusals only.

    The clause ``plainly`` reports what is misread, and everything if it is broken.
    """
    broken = record.is_broken(plainly)
    never = never_handed(record)
    for case_result, call_result in record.turns(result):
        if not isinstance(call_result.expected, ValidBatch):
            continue
        decoded = call_result.reply.batch
        kind = places_of_kind([call_result.expected.batch], plainly)
        lost = any(f"{place}/".startswith(f"{one}/") for one in never for place in kind)
        if decoded is not None and right(call_result.expected.batch, decoded):
            result.observe()
        elif not record.decodes or (decoded is not None and lost):
            result.set_aside(FIELDS)
        elif broken or decoded is not None:
            result.set_aside(plainly)
        else:
            result.observe()
            result.fail(
                call_result.last,
                f"a valid batch was refused: {case_result.title}",
                expected="the batch",
                actual=call_result.said(),
                code="refused",
            )


def _blame_date(
    result: CheckResult,
    case_result: CaseResult,
    call_result: CallResult,
    problem: str,
    leaf: Leaf,
    decoded: Any,
) -> None:
    name = name_of(leaf.pointer)
    result.fail(
        call_result.last,
        f"{problem}: {case_result.title}",
        expected=f"{name}: the instant {leaf.value}, with an offset",
        actual=f"{name}: {shown(decoded)}",
        code="lost" if decoded is MISSING or decoded is None else "changed",
        pointer=leaf.pointer,
    )


@CLIENT_CHECKS.check(COUNTS, needs=[FIELDS, STATUS])
def counts(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that integers arrive exactly as sent."""
    never = never_handed(record)
    misplaced = never | {
        leaf.place
        for _, call_result, sent in record.ordinary
        for leaf, fault in integer_faults(never, sent, call_result.reply.batch or {}).items()
        if fault == FIELDS
    }
    for case_result, call_result, sent, decoded in chain(
        accepted(record, result, refused_statuses(record)), mixtures(record, result)
    ):
        held = {above: value_at(decoded, above) for above in sorted(holders(sent)) if above not in never}
        wrong = {above for above, holder in held.items() if not isinstance(holder, Mapping | list)}
        if any(above.startswith(f"{place}/") for above in wrong for place in record.blamed(FIELDS) - {""}):
            # Within something larger that is lost or changed.
            result.set_aside(FIELDS)
            continue
        if wrong:
            result.observe()
            for above in wrong:
                _blame_holder(result, call_result, above, held[above])
            continue
        faults = integer_faults(never, sent, decoded)
        lost = {leaf for leaf in _of_kind(sent, "integer") if leaf.place in misplaced or faults.get(leaf) == FIELDS}
        if lost and len(lost) == len(_of_kind(sent, "integer")):
            result.set_aside(FIELDS)
            continue
        result.observe()
        for leaf, fault in faults.items():
            if leaf not in lost:
                _blame_count(result, case_result, call_result, fault, leaf, decoded)
    for case_result, call_result, sent, decoded in _misread(record, _FRACTION):
        result.observe()
        for leaf in _of_kind(sent, "integer"):
            if leaf.place not in misplaced and not _is_number(value_at(decoded, leaf.pointer), leaf.value):
                _blame_count(result, case_result, call_result, "arrives changed", leaf, decoded)


@CLIENT_CHECKS.check(_FRACTION, needs=[FIELDS, COUNTS])
def counts_fraction(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a count such as 5.0 is not refused. It may be reported as 5.0."""

    def right(sent: Mapping[str, Any], decoded: dict[str, Any]) -> bool:
        leaves = _of_kind(sent, "integer")
        return all(_is_number(value_at(decoded, leaf.pointer), leaf.value) for leaf in leaves)

    _no_reason_to_refuse(record, result, COUNTS, right)


def _blame_holder(result: CheckResult, call_result: CallResult, pointer: str, decoded: Any) -> None:
    name = name_of(pointer)
    result.fail(
        call_result.last,
        f"{name} is not what holds the counts",
        expected=f"{name}: an object or an array",
        actual=f"{name}: {shown(decoded)}",
        code="lost" if decoded is MISSING or decoded is None else "changed",
        pointer=pointer,
    )


def _is_number(value: Any, expected: Any) -> bool:
    return is_number(value) and same(value, expected)


def _blame_count(
    result: CheckResult,
    case_result: CaseResult,
    call_result: CallResult,
    fault: str,
    leaf: Leaf,
    decoded: object,
) -> None:
    one = Difference(leaf, value_at(decoded, leaf.pointer), lost_as(fault))
    result.fail(
        call_result.last,
        f"{one.name} {fault}: {case_result.title}",
        expected=one.expected(),
        actual=one.actual(),
        code=one.code,
        pointer=leaf.pointer,
    )
