"""Clauses ``server.method.*``: other methods, on unknown ids."""

from __future__ import annotations

from batch_conformance.judge.finding import Judgement
from batch_conformance.judge.server.record import SERVER_BENCH, Record, is_batch


@SERVER_BENCH.judges_clause("server.method.unauthenticated", needs=["methods", "unauthenticated"])
def unauthenticated(record: Record, judgement: Judgement) -> None:
    """Without a key, no method has an effect or shows anything."""
    usual = {exchange.status for exchange in record.of("missing-key")} - {401}
    for exchange in record.of("methods"):
        if exchange.intent.key_kind != "missing":
            continue
        if exchange.status in usual:
            judgement.set_aside("server.auth.missing-key")
            continue
        judgement.look()
        if exchange.status is None or not 200 <= exchange.status < 300:
            continue
        assert exchange.response is not None
        if exchange.request.method == "OPTIONS" and not is_batch(exchange.response.json.value):
            continue  # decision 15
        judgement.blame(
            exchange, exchange.intent.label, expected="a refusal: 401, 404 or 405", actual=exchange.outcome()
        )


@SERVER_BENCH.judges_clause("server.method.unsupported", needs=["methods"])
def unsupported(record: Record, judgement: Judgement) -> None:
    """404, or 405 that says what is allowed."""
    for exchange in record.of("methods"):
        options = (
            exchange.request.method == "OPTIONS" and exchange.status is not None and exchange.status < 300
        )
        if exchange.intent.key_kind != "valid" or options:
            continue
        judgement.look()
        allow = exchange.response.header_values("allow") if exchange.response else []
        if exchange.status == 405 and not allow:
            judgement.blame(
                exchange,
                f"{exchange.intent.label}: a 405 without Allow",
                expected="an Allow header",
                actual="none",
            )
        elif exchange.status not in (404, 405):
            judgement.blame(
                exchange, exchange.intent.label, expected="404, or 405 with Allow", actual=exchange.outcome()
            )
