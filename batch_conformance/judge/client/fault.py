"""Clauses ``client.fault.*``: whatever happens on the way, the caller gets an error, in time."""

from __future__ import annotations

from batch_conformance.judge.client.material import CLIENT_BENCH, Broken, ClientRecord
from batch_conformance.judge.client.reject import FALSE_KINDS
from batch_conformance.judge.finding import Judgement

#: What a broken connection may be called.
_CONNECTION = frozenset({"transport", "timeout"})


def _an_error_in_time(record: ClientRecord, judgement: Judgement) -> None:
    for play, turn in record.turns(judgement):
        if not isinstance(turn.told, Broken):
            continue
        judgement.look()
        error = turn.reply.error
        expected = "an error of kind transport or timeout" if _has_a_name(turn.told) else "an error"
        if error is None:
            judgement.blame(
                turn.last, f"taken for a batch: {turn.told.what}", expected=expected, actual=turn.said()
            )
        elif not _may_be_called(turn.told, error.kind):
            judgement.blame(
                turn.last, f"another kind of error: {play.title}", expected=expected, actual=turn.said()
            )


def _has_a_name(told: Broken) -> bool:
    """Whether a client must be able to name the fault: one that decodes while it reads may take it for a bad body."""
    return told.kind in ("refused", "reset", "timeout") and not told.begun


def _may_be_called(told: Broken, kind: str) -> bool:
    if _has_a_name(told):
        return kind in _CONNECTION
    return told.kind == "redirect-loop" or kind not in FALSE_KINDS


for _kind in ("refused", "reset", "truncated", "timeout", "drip", "redirect-loop"):
    CLIENT_BENCH.judges_clause(f"client.fault.{_kind}")(_an_error_in_time)
