"""Clauses ``client.reject.*``: a 200 that holds no batch is an error, never a batch."""

from __future__ import annotations

from batch_conformance.judge.client.material import CLIENT_BENCH, ClientRecord, Unfit
from batch_conformance.judge.finding import Judgement

_NEEDS = ["client.decode.fields"]
#: Kinds that tell the caller of an HTTP status which the server never sent.
FALSE_KINDS = frozenset({"unauthorized", "not_found", "rate_limited", "server_error"})


@CLIENT_BENCH.judges_clause("client.reject.not-json", needs=_NEEDS)
def not_json(record: ClientRecord, judgement: Judgement) -> None:
    """No JSON, no batch."""
    _never_a_batch(record, judgement)


@CLIENT_BENCH.judges_clause("client.reject.not-object", needs=_NEEDS)
def not_object(record: ClientRecord, judgement: Judgement) -> None:
    """No object, no batch."""
    _never_a_batch(record, judgement)


@CLIENT_BENCH.judges_clause("client.reject.wrong-types", needs=_NEEDS)
def wrong_types(record: ClientRecord, judgement: Judgement) -> None:
    """A required member missing, null or of another type: no batch."""
    _never_a_batch(record, judgement)


def _never_a_batch(record: ClientRecord, judgement: Judgement) -> None:
    if not record.decodes:
        judgement.remark(
            "the client hands over no batch at all, so that a refusal shows nothing: see client.decode.fields"
        )
        return
    for _, turn in record.turns(judgement):
        if not isinstance(turn.told, Unfit):
            continue
        judgement.look()
        error = turn.reply.error
        if error is None:
            judgement.blame(
                turn.last, f"taken for a batch: {turn.told.what}", expected="an error", actual=turn.said()
            )
        elif error.kind in FALSE_KINDS:
            judgement.blame(
                turn.last,
                f"reported as an HTTP status that never came: {turn.told.what}",
                expected="an error of kind decode",
                actual=turn.said(),
            )
