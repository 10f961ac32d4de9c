"""Checks of ``server.method.*``: methods other than GET, on unknown ids."""

from __future__ import annotations

from batch_conformance.checks.by_operation import NO_KEY
from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.statuses import absences, either_status, refusals


@SERVER_CHECKS.check("server.method.unauthenticated", needs=["methods", "unauthenticated"])
def unauthenticated(record: Record, result: CheckResult) -> None:
    """Check that no method succeeds without a key."""
    usual_statuses = {exchange.status for exchange in record.of("missing-key")} - refusals(record.operation)
    looks_like = entity_of(record.operation).looks_like
    for exchange in record.of("methods"):
        if exchange.intent.key_kind != "missing":
            continue
        if exchange.status in usual_statuses:
            result.set_aside("server.auth.missing-key")
            continue
        if exchange.response is None:
            result.limit(f"no answer came to {exchange.intent.label}")
            continue
        result.observe()
        if not 200 <= exchange.response.status < 300:
            continue
        if exchange.request.method == "OPTIONS" and not looks_like(exchange.response.json.value):
            continue  # OPTIONS may be answered without a key (decision 15)
        result.fail(
            exchange,
            exchange.intent.label,
            code="admitted",
            expected=f"a refusal: {either_status(refusals(record.operation) | {404, 405})}",
            actual=exchange.outcome(),
        )
    if not result.observations and current_contract().operation(record.operation).key is None:
        result.note(NO_KEY)


@SERVER_CHECKS.check("server.method.unsupported", needs=["methods"])
def unsupported(record: Record, result: CheckResult) -> None:
    """Check that other methods get 404, or 405 with an Allow header."""
    for exchange in record.of("methods"):
        options = exchange.request.method == "OPTIONS" and exchange.status is not None and exchange.status < 300
        if exchange.intent.key_kind != "valid" or options:
            continue
        result.observe()
        allow = exchange.response.header_values("allow") if exchange.response else []
        if exchange.status == 405 and not allow:
            result.fail(
                exchange,
                f"{exchange.intent.label}: a 405 without Allow",
                code="header",
                expected="an Allow header",
                actual="none",
            )
        elif exchange.status not in {404, 405} | absences(record.operation):
            result.fail(
                exchange,
                exchange.intent.label,
                code="status",
                expected=f"{either_status(absences(record.operation))}, or 405 with Allow",
                actual=exchange.outcome(),
            )
