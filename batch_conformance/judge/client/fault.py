"""Clauses ``client.fault.*``: whatever happens on the way, the caller gets an error, in time."""

from __future__ import annotations

from batch_conformance.judge.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.judge.client.material import CLIENT_BENCH, Broken, ClientRecord
from batch_conformance.judge.finding import Judgement

_REDIRECTS = "client.reject.other-status"
_CUT_OFF_JSON = "client.reject.not-json"


def _an_error_in_time(record: ClientRecord, judgement: Judgement) -> None:
    for play, turn in record.turns(judgement):
        if not isinstance(turn.told, Broken):
            continue
        cause = record.explained(turn, judgement.clause)
        if (
            turn.told.kind == "redirect-loop"
            and turn.reply.batch is not None
            and record.is_broken(_REDIRECTS)
        ):
            cause = _REDIRECTS
        if cause:
            judgement.set_aside(cause)
            continue
        judgement.look()
        error = turn.reply.error
        kinds = _kinds_of(record, turn.told, judgement.clause)
        if error is None:
            problem = f"taken for a batch: {turn.told.what}"
        elif error.kind not in kinds:
            problem = f"another kind of error: {play.title}"
        else:
            if turn.told.kind == "redirect-loop" and turn.requests <= 1:
                judgement.limit("the client did not follow the redirects")
            continue
        judgement.blame(turn.last, problem, expected=shown_kinds(kinds), actual=turn.said())


def _kinds_of(record: ClientRecord, told: Broken, clause: str) -> frozenset[str]:
    """What a fault may be called: an answer that breaks off, also what the client calls JSON that breaks off."""
    kinds = accepted_kinds(clause)
    if not told.begun:
        return kinds
    if told.kind not in ("drip", "drip-head"):
        kinds |= accepted_kinds(clause, "begun")
    called = {
        turn.reply.error.kind
        for play in record.plays
        if play.clauses[0] == _CUT_OFF_JSON
        for turn in play.turns
        if turn.reply.error is not None
    }
    return kinds | (called & accepted_kinds(clause, "like"))


for _kind, _needs in {
    "refused": [],
    "reset": [_CUT_OFF_JSON],
    "truncated": [_CUT_OFF_JSON, "client.fault.reset", "client.decode.transfer"],
    "timeout": [_CUT_OFF_JSON],
    "drip": [_CUT_OFF_JSON],
    "drip-head": [_CUT_OFF_JSON, "client.fault.drip", "client.fault.timeout"],
    "redirect-loop": [_REDIRECTS],
}.items():
    CLIENT_BENCH.judges_clause(f"client.fault.{_kind}", needs=_needs)(_an_error_in_time)
