"""Clauses ``client.fault.*``: whatever happens on the way, the caller gets an error, in time."""

from __future__ import annotations

from batch_conformance.judge.client.material import CLIENT_BENCH, Broken, ClientRecord
from batch_conformance.judge.client.reject import FALSE_KINDS
from batch_conformance.judge.finding import Judgement

#: Faults of the connection itself, which a client must be able to name.
_NAMED = {
    "refused": frozenset({"transport", "timeout"}),
    "reset": frozenset({"transport", "timeout"}),
    "timeout": frozenset({"transport", "timeout"}),
}


def _an_error_in_time(record: ClientRecord, judgement: Judgement) -> None:
    for play, turn in record.turns(judgement):
        if not isinstance(turn.told, Broken):
            continue
        judgement.look()
        error = turn.reply.error
        # A client that decodes while it reads cannot always tell a broken connection from a broken body.
        kinds = None if turn.told.begun else _NAMED.get(turn.told.kind)
        expected = f"an error of kind {' or '.join(sorted(kinds))}" if kinds else "an error"
        if error is None:
            judgement.blame(
                turn.last, f"taken for a batch: {turn.told.what}", expected=expected, actual=turn.said()
            )
        elif (kinds and error.kind not in kinds) or error.kind in FALSE_KINDS:
            judgement.blame(
                turn.last, f"another kind of error: {play.title}", expected=expected, actual=turn.said()
            )


for _kind in ("refused", "reset", "truncated", "timeout", "drip", "redirect-loop"):
    CLIENT_BENCH.judges_clause(f"client.fault.{_kind}")(_an_error_in_time)
