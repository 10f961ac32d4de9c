"""Checks of ``client.decode.*``: a valid batch reaches the caller as it was sent.

Each fault is reported by one clause. ``fields`` reports members that never arrive or arrive in the wrong
place; changed values are reported by the member's own clause (``members``). Clauses about something else
(transfer, extra members…) only look at members that arrive right in ordinary responses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from batch_conformance.checks.client.compare import (
    CLAUSE_OF_KIND,
    FIELDS,
    STATUS,
    Difference,
    changes,
    differences,
    entity,
    holders,
    integer_faults,
    leaves_of,
    name_of,
    never_handed,
    shown,
    sound_places,
    state_of,
    value_at,
)
from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.members import ONE_BY_ONE
from batch_conformance.checks.client.optional import is_left_to_optional
from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    CallResult,
    CaseResult,
    ClientRunRecord,
    ValidBatch,
    accepted,
    is_mixture,
)
from batch_conformance.checks.client.replies import FRESH, blame_wrong_replies
from batch_conformance.checks.client.request import ID_ENCODING, encoding_problem
from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.contract.leaves import Leaf

_TRANSFER, _UNKNOWN_FIELDS = "client.decode.transfer", "client.decode.unknown-fields"


@CLIENT_CHECKS.check(FIELDS, needs=[_TRANSFER])
def fields(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that an ordinary batch arrives with every member in its place."""
    never = never_handed(record)
    for _, call_result in record.turns(result, ordinary=True):
        if not isinstance(call_result.expected, ValidBatch):
            continue
        result.observe()
        sent, decoded = call_result.expected.batch, call_result.reply.batch
        if decoded is None:
            _blame_refusal(result, call_result, "an ordinary batch did not reach the caller", "")
            continue
        held, faults = holders(sent), integer_faults(never, sent, decoded)
        misplaced = {leaf for leaf, fault in faults.items() if fault == FIELDS}
        for one in differences(sent, decoded):
            if is_left_to_optional(record, one.leaf, never):
                continue
            elsewhere = one.leaf.pointer in held and _shows_in_integers(one, faults)
            own = CLAUSE_OF_KIND.get(one.leaf.kind, FIELDS) == FIELDS and not elsewhere
            if own or one.leaf.place in never or one.leaf in misplaced:
                _blame_place(result, call_result, one)
    _check_places(record, result)
    _check_branches(record, result)
    _check_odd_ids(record, result)
    _check_mixtures(record, result)


def _shows_in_integers(one: Difference, faults: Collection[Leaf]) -> bool:
    """Whether client.decode.counts reports what is wrong with an object or an array."""
    below = any(leaf.pointer.startswith(f"{one.leaf.pointer}/") for leaf in faults)
    return below or not isinstance(one.decoded, Mapping | list)


def _check_places(record: ClientRunRecord, result: CheckResult) -> None:
    """Check ordinary batches in which one place holds another of its values: that value arrives."""
    never = never_handed(record)
    for case_result, call_result in record.turns(result, ordinary=False):
        if not isinstance(call_result.expected, ValidBatch) or case_result.place is None:
            continue
        if not record.decodes:
            result.set_aside(FIELDS)
            continue
        result.observe()
        if call_result.reply.batch is None:
            _blame_refusal(result, call_result, f"a valid batch was refused: {case_result.title}", case_result.place)
            continue
        for one in differences(call_result.expected.batch, call_result.reply.batch):
            own = CLAUSE_OF_KIND.get(one.leaf.kind, FIELDS) == FIELDS
            if f"{one.leaf.pointer}/".startswith(f"{case_result.place}/") and (own or one.leaf.place in never):
                _blame_place(result, call_result, one, case_result)


def _check_branches(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that members of other branches of the schema arrive, which no ordinary batch has."""
    if not record.decodes:
        return
    usual = {leaf.place for _, _, sent in record.ordinary for leaf in leaves_of(sent) if not leaf.empty}
    for case_result in record.plays:
        for call_result in case_result.turns:
            expected, decoded = call_result.expected, call_result.reply.batch
            if decoded is None or not isinstance(expected, ValidBatch):
                continue
            if all(leaf.empty or leaf.place in usual for leaf in leaves_of(expected.batch)):
                continue
            result.observe()
            for one in differences(expected.batch, decoded):
                own = case_result.place is not None and f"{one.leaf.pointer}/".startswith(f"{case_result.place}/")
                if not (one.leaf.empty or one.leaf.place in usual or own):
                    _blame_place(result, call_result, one, case_result)


def _check_odd_ids(record: ClientRunRecord, result: CheckResult) -> None:
    """Check ordinary batches with odd ids: if the request is right, the batch arrives with its id."""
    if not record.decodes:
        return
    sound = sound_places(record)
    for case_result in record.plays:
        if case_result.clauses[0] != ID_ENCODING:
            continue
        for call_result in case_result.turns:
            if not isinstance(call_result.expected, ValidBatch) or call_result.reply.broken is not None:
                continue
            sent = call_result.gets
            if not sent or encoding_problem(sent[0].request.url, call_result.call.base_url, call_result.call.batch_id):
                result.set_aside(ID_ENCODING)
                continue
            if record.is_broken(_TRANSFER):
                result.set_aside(_TRANSFER)  # an odd id also makes an odd body
                continue
            result.observe()
            if call_result.reply.batch is None:
                _blame_refusal(
                    result,
                    call_result,
                    f"an ordinary batch did not reach the caller: {case_result.title}",
                    "",
                )
                continue
            _blame_changed_places(record, result, call_result, sound)


def _check_mixtures(record: ClientRunRecord, result: CheckResult) -> None:
    """Check batches that are special in several ways at once, where no other clause explains a fault."""
    broken = (clause for clause in ONE_BY_ONE if record.decodes and record.is_broken(clause))
    cause = next(broken, "")
    if cause or not record.decodes:
        result.set_aside(cause, sum(is_mixture(case_result) for case_result in record.plays) if cause else 0)
        return
    sound = sound_places(record)
    for case_result, call_result in record.turns(result, ordinary=False):
        if not isinstance(call_result.expected, ValidBatch) or not is_mixture(case_result):
            continue
        result.observe()
        if call_result.reply.batch is None:
            _blame_refusal(result, call_result, f"a valid batch was refused: {case_result.title}", "")
            continue
        _blame_changed_places(record, result, call_result, sound)


def _blame_changed_places(
    record: ClientRunRecord, result: CheckResult, call_result: CallResult, sound: Collection[str]
) -> None:
    assert isinstance(call_result.expected, ValidBatch)
    for one in changes(call_result.expected.batch, call_result.reply.batch, sound):
        if not is_left_to_optional(record, one.leaf, never_handed(record)):
            _blame_place(result, call_result, one)


def _blame_refusal(result: CheckResult, call_result: CallResult, message: str, pointer: str) -> None:
    said = call_result.said()
    result.fail(call_result.last, message, expected="the batch", actual=said, code="refused", pointer=pointer)


def _blame_place(
    result: CheckResult, call_result: CallResult, one: Difference, case_result: CaseResult | None = None
) -> None:
    what = "does not reach the caller" if one.code == "lost" else "reaches the caller with another value"
    result.fail(
        call_result.last,
        f"{one.name} {what}" + (f": {case_result.title}" if case_result else ""),
        expected=one.expected(),
        actual=one.actual(),
        code=one.code,
        pointer=one.leaf.pointer,
    )


@CLIENT_CHECKS.check(_UNKNOWN_FIELDS, needs=[FIELDS, "client.decode.transfer"])
def unknown_fields(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that extra members are ignored, neither refused nor changing others."""
    if record.is_broken("client.decode.transfer"):
        # A client that cannot read a body of another size or form fails here too.
        _set_aside_what_fails(record, result, "client.decode.transfer")
        return
    _unchanged(record, result, "extra members change it")


@CLIENT_CHECKS.check("client.decode.unknown-fields-case", needs=[FIELDS, _UNKNOWN_FIELDS])
def unknown_fields_case(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that names are compared case-sensitively (RFC 8259, 8.3), which some parsers do not."""
    sound = sound_places(record)
    for case_result in record.plays:
        for call_result in case_result.turns if result.clause in case_result.clauses else ():
            sent, decoded = call_result.expected, call_result.reply.batch
            if not isinstance(sent, ValidBatch) or not sound or not record.decodes:
                result.set_aside(FIELDS)
                continue
            if decoded is None and record.is_broken(_UNKNOWN_FIELDS):
                result.set_aside(_UNKNOWN_FIELDS)
                continue
            if decoded is None:
                result.observe()
                _blame_refusal(result, call_result, f"a valid batch was refused: {case_result.title}", "")
                continue
            _blame_changes(
                result,
                case_result,
                call_result,
                changes(sent.batch, decoded, sound),
                "names in another case change it",
            )


@CLIENT_CHECKS.check("client.decode.transfer", needs=[FIELDS])
def transfer(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that a batch arrives unchanged however its JSON is written and transferred."""
    _unchanged(record, result, "the way it was sent changes it")


def _unchanged(record: ClientRunRecord, result: CheckResult, how: str) -> None:
    sound = sound_places(record)
    for case_result, call_result, sent, decoded in accepted(record, result):
        if not sound:
            result.set_aside(FIELDS)
            continue
        _blame_changes(result, case_result, call_result, changes(sent, decoded, sound), how)


def _blame_changes(
    result: CheckResult,
    case_result: CaseResult,
    call_result: CallResult,
    found: Sequence[Difference],
    how: str,
) -> None:
    """Report members that arrive right in ordinary responses, but not in this special one."""
    result.observe()
    for one in found:
        result.fail(
            call_result.last, f"{one.name}: {how}: {case_result.title}", expected=one.expected(), actual=one.actual(),
            code=one.code, pointer=one.leaf.pointer,
        )  # fmt: skip


def _set_aside_what_fails(record: ClientRunRecord, result: CheckResult, cause: str) -> None:
    """Count what arrives right, and set the rest aside as explained by ``cause``."""
    sound = sound_places(record)
    for _, call_result in record.turns(result):
        if not isinstance(call_result.expected, ValidBatch):
            continue
        decoded = call_result.reply.batch
        if decoded is None or not sound or changes(call_result.expected.batch, decoded, sound):
            result.set_aside(cause)
        else:
            result.observe()


@CLIENT_CHECKS.check(FRESH, needs=[FIELDS])
def fresh(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that each call of a case returns its own response, whatever came before."""
    sound = sound_places(record)
    if not record.decodes:
        result.note("the client hands over no batch at all: see client.decode.fields")
    for case_result in record.plays:
        if result.clause not in case_result.clauses or case_result.together:
            continue
        found = len(result.findings)
        if record.decodes:
            for before, call_result in zip(case_result.turns, case_result.turns[1:], strict=False):
                stale = _stale(before, call_result, sound)
                if stale:
                    result.observe()
                    result.fail(
                        call_result.last or before.last,
                        f"a call sees the answer of the one before: {case_result.title}",
                        expected=f"what its own answer says ({shown(stale[0])})",
                        actual=f"what the answer before said ({shown(stale[1])})",
                        code="stale",
                    )
        if len(result.findings) == found:
            blame_wrong_replies(record, result, case_result)


def _stale(before: CallResult, call_result: CallResult, sound: frozenset[str]) -> tuple[Any, Any] | None:
    """Return what the second response said, and what was reported from the first one instead, if so."""
    if isinstance(call_result.expected, ValidBatch) and isinstance(before.expected, ValidBatch):
        if call_result.reply.batch is None:
            return None
        for one in changes(call_result.expected.batch, call_result.reply.batch, sound):
            # Null and absent are the same to a caller.
            old, value, sent = (
                None if each is MISSING else each
                for each in (value_at(before.expected.batch, one.leaf.pointer), one.decoded, one.leaf.value)
            )
            if value == old != sent:
                return f"{one.name}: {sent}", f"{one.name}: {value}"
        return None
    if isinstance(before.expected, ValidBatch) and call_result.reply.batch is not None:
        # A batch unlike the first one is not remembered but made up.
        changed = changes(before.expected.batch, call_result.reply.batch, sound)
        return None if changed else ("an error", call_result.said())
    first, second = before.reply.error, call_result.reply.error
    if (
        isinstance(call_result.expected, ValidBatch)
        and first
        and second
        and (first.kind, first.status) == (second.kind, second.status)
    ):
        return "a batch", call_result.said()
    return None


@CLIENT_CHECKS.check("client.decode.unknown-status", needs=[FIELDS, STATUS])
def unknown_status(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that an unknown status is passed on unchanged, or refused as not decodable (decision 9)."""
    pointer = entity().lifecycle_pointer
    name = name_of(pointer)
    lost = not record.decodes or pointer in never_handed(record)
    kinds = accepted_kinds(result.clause)
    for _, call_result in record.turns(result):
        if not isinstance(call_result.expected, ValidBatch):
            continue
        if lost:
            result.set_aside(FIELDS)
            continue
        sent, decoded = state_of(call_result.expected.batch), state_of(call_result.reply.batch)
        expected = f"{name} {shown(sent)} handed on, or {shown_kinds(kinds)}"
        if call_result.reply.batch is None:
            result.observe()
            if call_result.reply.error is None or call_result.reply.error.kind not in kinds:
                result.fail(call_result.last, "an unknown status leads to another error", expected=expected,
                            actual=call_result.said(), code="kind", pointer=pointer)  # fmt: skip
        elif decoded != sent:
            if record.is_broken(STATUS):
                # Known statuses are renamed too.
                result.set_aside(STATUS)
                continue
            result.observe()
            result.fail(
                call_result.last, "an unknown status is renamed", expected=expected, actual=f"{name}: {shown(decoded)}",
                code="renamed", pointer=pointer,
            )  # fmt: skip
        else:
            result.observe()
