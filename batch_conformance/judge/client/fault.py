"""Clauses ``client.fault.*``: whatever happens on the way, the caller gets an error, in time."""

from __future__ import annotations

from batch_conformance.judge.client.material import CLIENT_BENCH, Broken, ClientRecord, Turn
from batch_conformance.judge.client.reject import FALSE_KINDS
from batch_conformance.judge.finding import Judgement

#: What a broken connection may be called; and what, by a client that decodes while it reads.
_CONNECTION = frozenset({"transport", "timeout"})
_BEGUN = _CONNECTION | {"decode"}


def _an_error_in_time(record: ClientRecord, judgement: Judgement) -> None:
    for play, turn in record.turns(judgement):
        if not isinstance(turn.told, Broken):
            continue
        if plainly := record.explained(turn, judgement.clause):
            judgement.remark(f"{turn.told.what}: see {plainly}")
            continue
        judgement.look()
        error = turn.reply.error
        kinds = _kinds_of(record, turn)
        expected = "an error" if kinds is None else f"an error of kind {' or '.join(sorted(kinds))}"
        if error is None:
            judgement.blame(
                turn.last, f"taken for a batch: {turn.told.what}", expected=expected, actual=turn.said()
            )
        elif error.kind in FALSE_KINDS or (kinds is not None and error.kind not in kinds):
            judgement.blame(
                turn.last, f"another kind of error: {play.title}", expected=expected, actual=turn.said()
            )


def _kinds_of(record: ClientRecord, turn: Turn) -> frozenset[str] | None:
    """What the fault may be called; None where a client is free to call it what it likes."""
    assert isinstance(turn.told, Broken)
    if turn.told.kind == "redirect-loop":
        # A client that does not follow redirects has seen an answer, and may say of it what it says of any.
        return _begun(record) | {"http"} if turn.requests > 1 else None
    named = turn.told.kind != "drip" and not turn.told.begun
    return _CONNECTION if named else _begun(record)


def _begun(record: ClientRecord) -> frozenset[str]:
    """What an answer that breaks off may be called: also what the client calls JSON that breaks off."""
    called = {
        turn.reply.error.kind
        for play in record.plays
        if play.clauses[0] == "client.reject.not-json"
        for turn in play.turns
        if turn.reply.error is not None
    }
    return _BEGUN | (called & {"other"})


for _kind in ("refused", "reset", "truncated", "timeout", "drip", "redirect-loop"):
    _needs = ["client.reject.not-json"]
    _needs += ["client.fault.reset", "client.decode.transfer"] if _kind == "truncated" else []
    CLIENT_BENCH.judges_clause(f"client.fault.{_kind}", needs=_needs)(_an_error_in_time)
