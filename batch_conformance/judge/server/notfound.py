"""Clauses ``server.notfound.*``: only the id of a batch opens it."""

from __future__ import annotations

from batch_conformance.contract.id_form import is_of_another_form
from batch_conformance.exchange import Exchange
from batch_conformance.judge.finding import Judgement
from batch_conformance.judge.server.record import SERVER_BENCH, Record


@SERVER_BENCH.judges_clause("server.notfound.unknown-id", needs=["unknown-ids"])
def unknown_id(record: Record, judgement: Judgement) -> None:
    """Exactly 404."""
    for exchange in record.of("unknown-ids"):
        _expect_404(exchange, judgement)


@SERVER_BENCH.judges_clause("server.notfound.near-id", needs=["near-ids", "reads"])
def near_id(record: Record, judgement: Judgement) -> None:
    """404, unless the variant happens to be another batch (decision 14) or may be malformed (decision 18)."""
    for exchange in record.of("near-ids"):
        if not _is_another_batch(exchange, record):
            malformed = is_of_another_form(exchange.intent.id, list(record.by_id))
            _expect_404(exchange, judgement, also=frozenset({400}) if malformed else frozenset())


def _expect_404(exchange: Exchange, judgement: Judgement, also: frozenset[int] = frozenset()) -> None:
    judgement.look()
    if exchange.status != 404 and exchange.status not in also:
        judgement.blame(
            exchange,
            f"a read of {exchange.intent.id!r}, {exchange.intent.label}",
            expected="404",
            actual=exchange.outcome(),
        )


def _is_another_batch(exchange: Exchange, record: Record) -> bool:
    if exchange.status != 200 or exchange.response is None:
        return False
    batch = exchange.response.json.value
    if not isinstance(batch, dict) or batch.get("id") != exchange.intent.id:
        return False
    known = [row.get("created_at") for rows in record.by_id.values() for _, row in rows]
    return "created_at" in batch and batch["created_at"] not in known


def _usual(record: Record) -> frozenset[int | None]:
    """What plain unknown ids get in place of 404, if it is an error: server.notfound.unknown-id has that blame."""
    statuses = {exchange.status for exchange in record.of("unknown-ids")}
    return frozenset(status for status in statuses if status is None or status >= 400) - {404}


@SERVER_BENCH.judges_clause(
    "server.notfound.hostile-id", needs=["hostile-ids", "generated-ids", "unknown-ids"]
)
def hostile_id(record: Record, judgement: Judgement) -> None:
    """An error below 500."""
    usual = _usual(record)
    for exchange in record.of("hostile-ids", "generated-ids"):
        judgement.look()
        if (exchange.status is None or not 400 <= exchange.status < 500) and exchange.status not in usual:
            judgement.blame(
                exchange,
                f"a read of {exchange.intent.id!r}, {exchange.intent.label}",
                expected="404, or another error below 500",
                actual=exchange.outcome(),
            )


@SERVER_BENCH.judges_clause("server.notfound.hostile-id-404", needs=["hostile-ids", "unknown-ids"])
def hostile_id_404(record: Record, judgement: Judgement) -> None:
    """And that error is 404."""
    usual = _usual(record)
    for exchange in record.of("hostile-ids", "generated-ids"):
        if exchange.status is not None and 400 <= exchange.status < 500:
            judgement.look()
            if exchange.status != 404 and exchange.status not in usual:
                judgement.blame(
                    exchange,
                    f"a read of {exchange.intent.id!r}, {exchange.intent.label}",
                    expected="404",
                    actual=exchange.outcome(),
                )
    if not judgement.looked_at:
        judgement.remark("no hostile id was answered with an error below 500")
