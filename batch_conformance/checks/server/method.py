"""Clauses ``server.method.*``: other methods, on unknown ids."""

from __future__ import annotations

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.checks.server.statuses import refusals


@SERVER_CHECKS.check("server.method.unauthenticated", needs=["methods", "unauthenticated"])
def unauthenticated(record: Record, result: CheckResult) -> None:
    """Without a key, no method has an effect or shows anything."""
    usual = {exchange.status for exchange in record.of("missing-key")} - set(refusals(record.operation))
    for exchange in record.of("methods"):
        if exchange.intent.key_kind != "missing":
            continue
        if exchange.status in usual:
            result.set_aside("server.auth.missing-key")
            continue
        result.observe()
        if exchange.status is None or not 200 <= exchange.status < 300:
            continue
        assert exchange.response is not None
        if exchange.request.method == "OPTIONS" and not record.holds(exchange.response.json.value):
            continue  # decision 15
        result.fail(
            exchange,
            exchange.intent.label,
            expected="a refusal: 401, 404 or 405",
            actual=exchange.outcome(),
            code="admitted",
        )


@SERVER_CHECKS.check("server.method.unsupported", needs=["methods"])
def unsupported(record: Record, result: CheckResult) -> None:
    """404, or 405 that says what is allowed."""
    for exchange in record.of("methods"):
        options = (
            exchange.request.method == "OPTIONS" and exchange.status is not None and exchange.status < 300
        )
        if exchange.intent.key_kind != "valid" or options:
            continue
        result.observe()
        allow = exchange.response.header_values("allow") if exchange.response else []
        if exchange.status == 405 and not allow:
            result.fail(
                exchange,
                f"{exchange.intent.label}: a 405 without Allow",
                expected="an Allow header",
                actual="none",
                code="allow",
            )
        elif exchange.status not in (404, 405):
            result.fail(
                exchange,
                exchange.intent.label,
                expected="404, or 405 with Allow",
                actual=exchange.outcome(),
                code="status",
            )
