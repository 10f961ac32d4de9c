"""Clauses ``client.decode.*``: a valid batch reaches the caller as it was sent.

Each member has one clause that is blamed for it. ``fields`` answers for what never arrives or arrives in the wrong
place; a value that is garbled on the way is the business of the member's own clause (``members``). Clauses about
something else (transfer, extra members…) look only at members that arrive right when there is nothing special about
the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batch_conformance.checks.client.compare import (
    FIELDS,
    TEXTS,
    changes,
    count_faults,
    never_handed,
    refused_statuses,
    shown,
    sound_members,
    value_at,
)
from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.members import ONE_BY_ONE
from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    CallResult,
    ClientRunRecord,
    ValidBatch,
    accepted,
    is_mixture,
    member,
)
from batch_conformance.checks.client.replies import FRESH, blame_wrong_replies
from batch_conformance.checks.client.request import ID_ENCODING, encoding_problem
from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.http import Exchange

_TRANSFER = "client.decode.transfer"


@CLIENT_CHECKS.check(FIELDS, needs=[_TRANSFER])
def fields(record: ClientRunRecord, result: CheckResult) -> None:
    """An ordinary batch arrives, with every member in its place."""
    never = never_handed(record)
    for _, turn in record.turns(result, ordinary=True):
        if not isinstance(turn.expected, ValidBatch):
            continue
        result.observe()
        sent, handed = turn.expected.batch, turn.reply.batch
        if handed is None:
            result.fail(
                turn.last,
                "an ordinary batch did not reach the caller",
                expected="the batch",
                actual=turn.said(),
            )
            continue
        for name in TEXTS:
            if member(handed, name) != sent[name]:
                _blame_member(result, turn.last, name, sent[name], member(handed, name))
        for name in ("created_at", "status", "metrics"):
            if name in never:
                _blame_member(result, turn.last, name, sent[name], member(handed, name))
        if isinstance(member(handed, "metrics"), Mapping):
            for name, fault in count_faults(never, sent, handed).items():
                if fault == FIELDS:
                    value = member(handed["metrics"], name)
                    _blame_member(result, turn.last, f"metrics.{name}", sent["metrics"][name], value)
    _judge_odd_ids(record, result)
    _judge_mixtures(record, result)


def _judge_odd_ids(record: ClientRunRecord, result: CheckResult) -> None:
    """Ordinary batches whose ids are odd: where the request is right, the batch arrives, with its id."""
    if not record.decodes:
        return
    sound = sound_members(record)
    for play in record.plays:
        if play.clauses[0] != ID_ENCODING:
            continue
        for turn in play.turns:
            if not isinstance(turn.expected, ValidBatch) or turn.reply.broken is not None:
                continue
            sent = turn.gets
            if not sent or encoding_problem(sent[0].request.url, turn.call.base_url, turn.call.batch_id):
                result.set_aside(ID_ENCODING)
                continue
            if record.is_broken(_TRANSFER):
                result.set_aside(_TRANSFER)  # an odd id makes an odd body as well
                continue
            result.observe()
            if turn.reply.batch is None:
                result.fail(
                    turn.last,
                    f"an ordinary batch did not reach the caller: {play.title}",
                    expected="the batch",
                    actual=turn.said(),
                )
                continue
            for name, wire, value in changes(turn.expected.batch, turn.reply.batch, sound):
                _blame_member(result, turn.last, name, wire, value)


def _judge_mixtures(record: ClientRunRecord, result: CheckResult) -> None:
    """Batches that are special in several ways at once: blamed only where no other clause has an explanation."""
    broken = (clause for clause in ONE_BY_ONE if record.decodes and record.is_broken(clause))
    cause = next(broken, "")
    if cause or not record.decodes:
        result.set_aside(cause, sum(is_mixture(play) for play in record.plays) if cause else 0)
        return
    sound = sound_members(record)
    for play, turn in record.turns(result, ordinary=False):
        if not isinstance(turn.expected, ValidBatch) or play.clauses[0] == ID_ENCODING:
            continue
        result.observe()
        if turn.reply.batch is None:
            result.fail(
                turn.last,
                f"a valid batch was refused: {play.title}",
                expected="the batch",
                actual=turn.said(),
            )
            continue
        for name, wire, value in changes(turn.expected.batch, turn.reply.batch, sound):
            _blame_member(result, turn.last, name, wire, value)


def _blame_member(result: CheckResult, exchange: Exchange | None, name: str, sent: Any, handed: Any) -> None:
    result.fail(
        exchange,
        f"{name} {'does not reach' if handed in (MISSING, None) else 'reaches'} the caller"
        + ("" if handed in (MISSING, None) else " with another value"),
        expected=f"{name}: {shown(sent)}",
        actual=f"{name}: {shown(handed)}",
    )


@CLIENT_CHECKS.check("client.decode.optional", needs=[FIELDS, "client.decode.status"])
def optional(record: ClientRunRecord, result: CheckResult) -> None:
    """No webhookUrl stays none, an empty outputUrl stays empty."""
    never = never_handed(record)
    for _, turn, sent, handed in accepted(record, result, refused_statuses(record)):
        special = {
            name for name, value in (("webhookUrl", None), ("outputUrl", "")) if sent.get(name) == value
        }
        if special <= never:
            result.set_aside(FIELDS)
            continue
        result.observe()
        webhook, output = member(handed, "webhookUrl"), member(handed, "outputUrl")
        if sent.get("webhookUrl") is None and webhook not in (None, MISSING):
            given = "null" if "webhookUrl" in sent else "absent"
            result.fail(
                turn.last,
                f"webhookUrl was {given}, and is turned into something",
                expected="webhookUrl: null, or left out",
                actual=f"webhookUrl: {shown(webhook)}",
            )
        if sent["outputUrl"] == "" and output != "" and "outputUrl" not in never:
            result.fail(
                turn.last,
                "an empty outputUrl is turned into something else",
                expected='outputUrl: ""',
                actual=f"outputUrl: {shown(output)}",
            )


@CLIENT_CHECKS.check("client.decode.unknown-fields", needs=[FIELDS, "client.decode.transfer"])
def unknown_fields(record: ClientRunRecord, result: CheckResult) -> None:
    """Extra members are no reason to refuse, and change nothing."""
    if record.is_broken("client.decode.transfer"):
        # Extra members make a body longer, and another one: that alone may be too much.
        _set_aside_what_fails(record, result, "client.decode.transfer")
        return
    _unchanged(record, result, "extra members change it")


@CLIENT_CHECKS.check("client.decode.transfer", needs=[FIELDS])
def transfer(record: ClientRunRecord, result: CheckResult) -> None:
    """However a batch is written down and sent, it is the same batch."""
    _unchanged(record, result, "the way it was sent changes it")


def _unchanged(record: ClientRunRecord, result: CheckResult, how: str) -> None:
    sound = sound_members(record)
    for play, turn, sent, handed in accepted(record, result):
        if not sound:
            result.set_aside(FIELDS)
            continue
        result.observe()
        for name, wire, value in changes(sent, handed, sound):
            result.fail(
                turn.last, f"{name}: {how}: {play.title}", expected=f"{name}: {shown(wire)}",
                actual=f"{name}: {shown(value)}",
            )  # fmt: skip


def _set_aside_what_fails(record: ClientRunRecord, result: CheckResult, cause: str) -> None:
    """Count what arrives right, and leave the rest to ``cause``."""
    sound = sound_members(record)
    for _, turn in record.turns(result):
        if not isinstance(turn.expected, ValidBatch):
            continue
        handed = turn.reply.batch
        if handed is None or not sound or any(changes(turn.expected.batch, handed, sound)):
            result.set_aside(cause)
        else:
            result.observe()


@CLIENT_CHECKS.check(FRESH, needs=[FIELDS])
def fresh(record: ClientRunRecord, result: CheckResult) -> None:
    """Each call of a play sees its own answer, whatever the calls before it met."""
    sound = sound_members(record)
    if not record.decodes:
        result.note("the client hands over no batch at all: see client.decode.fields")
    for play in record.plays:
        if result.clause not in play.clauses or play.together:
            continue
        found = len(result.findings)
        if record.decodes:
            for before, turn in zip(play.turns, play.turns[1:], strict=False):
                stale = _stale(before, turn, sound)
                if stale:
                    result.observe()
                    result.fail(
                        turn.last or before.last,
                        f"a call sees the answer of the one before: {play.title}",
                        expected=f"what its own answer says ({shown(stale[0])})",
                        actual=f"what the answer before said ({shown(stale[1])})",
                    )
        if len(result.findings) == found:
            blame_wrong_replies(record, result, play)


def _stale(before: CallResult, turn: CallResult, sound: frozenset[str]) -> tuple[Any, Any] | None:
    """What the second answer said and what was reported instead, if that is what the first answer said."""
    if isinstance(turn.expected, ValidBatch) and isinstance(before.expected, ValidBatch):
        if turn.reply.batch is None:
            return None
        for name, wire, value in changes(turn.expected.batch, turn.reply.batch, sound):
            old = value_at(before.expected.batch, name)
            if value == old != wire:
                return f"{name}: {wire}", f"{name}: {value}"
        return None
    if isinstance(before.expected, ValidBatch) and turn.reply.batch is not None:
        # Another batch than the first one is not remembered but made up.
        changed = list(changes(before.expected.batch, turn.reply.batch, sound))
        return None if changed else ("an error", turn.said())
    first, second = before.reply.error, turn.reply.error
    if (
        isinstance(turn.expected, ValidBatch)
        and first
        and second
        and (first.kind, first.status) == (second.kind, second.status)
    ):
        return "a batch", turn.said()
    return None


@CLIENT_CHECKS.check("client.decode.unknown-status", needs=[FIELDS, "client.decode.status"])
def unknown_status(record: ClientRunRecord, result: CheckResult) -> None:
    """Handed on to the letter, or refused as not decodable (decision 9)."""
    lost = not record.decodes or "status" in never_handed(record)
    kinds = accepted_kinds(result.clause)
    for _, turn in record.turns(result):
        if not isinstance(turn.expected, ValidBatch):
            continue
        if lost:
            result.set_aside(FIELDS)
            continue
        wire = turn.expected.batch["status"]
        expected = f"status {shown(wire)} handed on, or {shown_kinds(kinds)}"
        if turn.reply.batch is None:
            result.observe()
            if turn.reply.error is None or turn.reply.error.kind not in kinds:
                result.fail(turn.last, "an unknown status leads to another error", expected=expected,
                                actual=turn.said())  # fmt: skip
        elif member(turn.reply.batch, "status") != wire:
            if record.is_broken("client.decode.status"):
                # Known statuses are renamed as well.
                result.set_aside("client.decode.status")
                continue
            result.observe()
            result.fail(
                turn.last,
                "an unknown status is renamed",
                expected=expected,
                actual=f"status: {shown(member(turn.reply.batch, 'status'))}",
            )
        else:
            result.observe()
