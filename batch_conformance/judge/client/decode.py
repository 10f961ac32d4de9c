"""Clauses ``client.decode.*``: a valid batch reaches the caller as it was sent.

Each member has one clause that is blamed for it. ``fields`` answers for what never arrives or arrives in the wrong
place; a value that is garbled on the way is the business of the member's own clause (``members``). Clauses about
something else (transfer, extra members…) look only at members that arrive right when there is nothing special about
the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batch_conformance.exchange import Exchange
from batch_conformance.judge.client.compare import (
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
from batch_conformance.judge.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.judge.client.material import (
    CLIENT_BENCH,
    ClientRecord,
    Turn,
    Valid,
    accepted,
    is_mixture,
    member,
)
from batch_conformance.judge.client.members import ONE_BY_ONE
from batch_conformance.judge.client.replies import FRESH, blame_wrong_replies
from batch_conformance.judge.client.request import ID_ENCODING, encoding_problem
from batch_conformance.judge.finding import ABSENT, Judgement

_TRANSFER = "client.decode.transfer"


@CLIENT_BENCH.judges_clause(FIELDS, needs=[_TRANSFER])
def fields(record: ClientRecord, judgement: Judgement) -> None:
    """An ordinary batch arrives, with every member in its place."""
    never = never_handed(record)
    for _, turn in record.turns(judgement, ordinary=True):
        if not isinstance(turn.told, Valid):
            continue
        judgement.look()
        sent, handed = turn.told.batch, turn.reply.batch
        if handed is None:
            judgement.blame(
                turn.last,
                "an ordinary batch did not reach the caller",
                expected="the batch",
                actual=turn.said(),
            )
            continue
        for name in TEXTS:
            if member(handed, name) != sent[name]:
                _blame_member(judgement, turn.last, name, sent[name], member(handed, name))
        for name in ("created_at", "status", "metrics"):
            if name in never:
                _blame_member(judgement, turn.last, name, sent[name], member(handed, name))
        if isinstance(member(handed, "metrics"), Mapping):
            for name, fault in count_faults(never, sent, handed).items():
                if fault == FIELDS:
                    value = member(handed["metrics"], name)
                    _blame_member(judgement, turn.last, f"metrics.{name}", sent["metrics"][name], value)
    _judge_odd_ids(record, judgement)
    _judge_mixtures(record, judgement)


def _judge_odd_ids(record: ClientRecord, judgement: Judgement) -> None:
    """Ordinary batches whose ids are odd: where the request is right, the batch arrives, with its id."""
    if not record.decodes:
        return
    sound = sound_members(record)
    for play in record.plays:
        if play.clauses[0] != ID_ENCODING:
            continue
        for turn in play.turns:
            if not isinstance(turn.told, Valid) or turn.reply.broken is not None:
                continue
            sent = turn.gets
            if not sent or encoding_problem(sent[0].request.url, turn.call.base_url, turn.call.batch_id):
                judgement.set_aside(ID_ENCODING)
                continue
            if record.is_broken(_TRANSFER):
                judgement.set_aside(_TRANSFER)  # an odd id makes an odd body as well
                continue
            judgement.look()
            if turn.reply.batch is None:
                judgement.blame(
                    turn.last,
                    f"an ordinary batch did not reach the caller: {play.title}",
                    expected="the batch",
                    actual=turn.said(),
                )
                continue
            for name, wire, value in changes(turn.told.batch, turn.reply.batch, sound):
                _blame_member(judgement, turn.last, name, wire, value)


def _judge_mixtures(record: ClientRecord, judgement: Judgement) -> None:
    """Batches that are special in several ways at once: blamed only where no other clause has an explanation."""
    broken = (clause for clause in ONE_BY_ONE if record.decodes and record.is_broken(clause))
    cause = next(broken, "")
    if cause or not record.decodes:
        judgement.set_aside(cause, sum(is_mixture(play) for play in record.plays) if cause else 0)
        return
    sound = sound_members(record)
    for play, turn in record.turns(judgement, ordinary=False):
        if not isinstance(turn.told, Valid) or play.clauses[0] == ID_ENCODING:
            continue
        judgement.look()
        if turn.reply.batch is None:
            judgement.blame(
                turn.last,
                f"a valid batch was refused: {play.title}",
                expected="the batch",
                actual=turn.said(),
            )
            continue
        for name, wire, value in changes(turn.told.batch, turn.reply.batch, sound):
            _blame_member(judgement, turn.last, name, wire, value)


def _blame_member(judgement: Judgement, exchange: Exchange | None, name: str, sent: Any, handed: Any) -> None:
    judgement.blame(
        exchange,
        f"{name} {'does not reach' if handed in (ABSENT, None) else 'reaches'} the caller"
        + ("" if handed in (ABSENT, None) else " with another value"),
        expected=f"{name}: {shown(sent)}",
        actual=f"{name}: {shown(handed)}",
    )


@CLIENT_BENCH.judges_clause("client.decode.optional", needs=[FIELDS, "client.decode.status"])
def optional(record: ClientRecord, judgement: Judgement) -> None:
    """No webhookUrl stays none, an empty outputUrl stays empty."""
    never = never_handed(record)
    for _, turn, sent, handed in accepted(record, judgement, refused_statuses(record)):
        special = {
            name for name, value in (("webhookUrl", None), ("outputUrl", "")) if sent.get(name) == value
        }
        if special <= never:
            judgement.set_aside(FIELDS)
            continue
        judgement.look()
        webhook, output = member(handed, "webhookUrl"), member(handed, "outputUrl")
        if sent.get("webhookUrl") is None and webhook not in (None, ABSENT):
            given = "null" if "webhookUrl" in sent else "absent"
            judgement.blame(
                turn.last,
                f"webhookUrl was {given}, and is turned into something",
                expected="webhookUrl: null, or left out",
                actual=f"webhookUrl: {shown(webhook)}",
            )
        if sent["outputUrl"] == "" and output != "" and "outputUrl" not in never:
            judgement.blame(
                turn.last,
                "an empty outputUrl is turned into something else",
                expected='outputUrl: ""',
                actual=f"outputUrl: {shown(output)}",
            )


@CLIENT_BENCH.judges_clause("client.decode.unknown-fields", needs=[FIELDS, "client.decode.transfer"])
def unknown_fields(record: ClientRecord, judgement: Judgement) -> None:
    """Extra members are no reason to refuse, and change nothing."""
    if record.is_broken("client.decode.transfer"):
        # Extra members make a body longer, and another one: that alone may be too much.
        _set_aside_what_fails(record, judgement, "client.decode.transfer")
        return
    _unchanged(record, judgement, "extra members change it")


@CLIENT_BENCH.judges_clause("client.decode.transfer", needs=[FIELDS])
def transfer(record: ClientRecord, judgement: Judgement) -> None:
    """However a batch is written down and sent, it is the same batch."""
    _unchanged(record, judgement, "the way it was sent changes it")


def _unchanged(record: ClientRecord, judgement: Judgement, how: str) -> None:
    sound = sound_members(record)
    for play, turn, sent, handed in accepted(record, judgement):
        if not sound:
            judgement.set_aside(FIELDS)
            continue
        judgement.look()
        for name, wire, value in changes(sent, handed, sound):
            judgement.blame(
                turn.last, f"{name}: {how}: {play.title}", expected=f"{name}: {shown(wire)}",
                actual=f"{name}: {shown(value)}",
            )  # fmt: skip


def _set_aside_what_fails(record: ClientRecord, judgement: Judgement, cause: str) -> None:
    """Count what arrives right, and leave the rest to ``cause``."""
    sound = sound_members(record)
    for _, turn in record.turns(judgement):
        if not isinstance(turn.told, Valid):
            continue
        handed = turn.reply.batch
        if handed is None or not sound or any(changes(turn.told.batch, handed, sound)):
            judgement.set_aside(cause)
        else:
            judgement.look()


@CLIENT_BENCH.judges_clause(FRESH, needs=[FIELDS])
def fresh(record: ClientRecord, judgement: Judgement) -> None:
    """Each call of a play sees its own answer, whatever the calls before it met."""
    sound = sound_members(record)
    if not record.decodes:
        judgement.remark("the client hands over no batch at all: see client.decode.fields")
    for play in record.plays:
        if judgement.clause not in play.clauses or play.together:
            continue
        found = len(judgement.findings)
        if record.decodes:
            for before, turn in zip(play.turns, play.turns[1:], strict=False):
                stale = _stale(before, turn, sound)
                if stale:
                    judgement.look()
                    judgement.blame(
                        turn.last or before.last,
                        f"a call sees the answer of the one before: {play.title}",
                        expected=f"what its own answer says ({shown(stale[0])})",
                        actual=f"what the answer before said ({shown(stale[1])})",
                    )
        if len(judgement.findings) == found:
            blame_wrong_replies(record, judgement, play)


def _stale(before: Turn, turn: Turn, sound: frozenset[str]) -> tuple[Any, Any] | None:
    """What the second answer said and what was reported instead, if that is what the first answer said."""
    if isinstance(turn.told, Valid) and isinstance(before.told, Valid):
        if turn.reply.batch is None:
            return None
        for name, wire, value in changes(turn.told.batch, turn.reply.batch, sound):
            old = value_at(before.told.batch, name)
            if value == old != wire:
                return f"{name}: {wire}", f"{name}: {value}"
        return None
    if isinstance(before.told, Valid) and turn.reply.batch is not None:
        # Another batch than the first one is not remembered but made up.
        changed = list(changes(before.told.batch, turn.reply.batch, sound))
        return None if changed else ("an error", turn.said())
    first, second = before.reply.error, turn.reply.error
    if (
        isinstance(turn.told, Valid)
        and first
        and second
        and (first.kind, first.status) == (second.kind, second.status)
    ):
        return "a batch", turn.said()
    return None


@CLIENT_BENCH.judges_clause("client.decode.unknown-status", needs=[FIELDS, "client.decode.status"])
def unknown_status(record: ClientRecord, judgement: Judgement) -> None:
    """Handed on to the letter, or refused as not decodable (decision 9)."""
    lost = not record.decodes or "status" in never_handed(record)
    kinds = accepted_kinds(judgement.clause)
    for _, turn in record.turns(judgement):
        if not isinstance(turn.told, Valid):
            continue
        if lost:
            judgement.set_aside(FIELDS)
            continue
        wire = turn.told.batch["status"]
        expected = f"status {shown(wire)} handed on, or {shown_kinds(kinds)}"
        if turn.reply.batch is None:
            judgement.look()
            if turn.reply.error is None or turn.reply.error.kind not in kinds:
                judgement.blame(turn.last, "an unknown status leads to another error", expected=expected,
                                actual=turn.said())  # fmt: skip
        elif member(turn.reply.batch, "status") != wire:
            if record.is_broken("client.decode.status"):
                # Known statuses are renamed as well.
                judgement.set_aside("client.decode.status")
                continue
            judgement.look()
            judgement.blame(
                turn.last,
                "an unknown status is renamed",
                expected=expected,
                actual=f"status: {shown(member(turn.reply.batch, 'status'))}",
            )
        else:
            judgement.look()
