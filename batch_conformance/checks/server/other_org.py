"""Check of ``server.auth.other-org``: batches of another organisation are hidden."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.oracle import distinguishing_features
from batch_conformance.checks.server.record import SERVER_CHECKS, Record, known_and_unknown
from batch_conformance.checks.server.unauthenticated import (
    EVERY_REQUEST,
    admission,
    carried_over,
    is_carried_over,
)
from batch_conformance.contract.statuses import absences, either_status, undocumented_absences
from batch_conformance.http import Exchange


@SERVER_CHECKS.check(
    "server.auth.other-org", needs=["other-org", "burst", "unknown-ids", "keyless-on-authed-connection"]
)
def other_org(record: Record, result: CheckResult) -> None:
    """Check that another organisation's batch is answered like an unknown id."""
    absent = absences(record.operation)
    rows = record.of("other-org", "burst-other-org")
    foreign, unknown = known_and_unknown(rows)
    as_unknown = {exchange.status for exchange in record.of("unknown-ids")} - absent
    carried = carried_over(record)
    for exchange in foreign:
        if exchange.status in undocumented_absences(record.operation):
            result.set_aside("server.error.documented-status")
        elif exchange.status in as_unknown and (exchange.status or 0) >= 300:
            result.set_aside("server.notfound.unknown-id")
        elif is_carried_over(exchange, record, carried):
            result.set_aside(EVERY_REQUEST)
        elif exchange.intent.probe == "burst-other-org" and (exchange.status or 500) >= 400:
            # Errors under load are judged by the clauses about reads; here, the single request is judged.
            result.observe(exchange.status in absent)
        else:
            result.observe()
            if exchange.status not in absent:
                result.fail(
                    exchange,
                    f"a read with {exchange.intent.label}",
                    code=admission(exchange),
                    expected=either_status(absent),
                    actual=exchange.outcome(),
                )
    _report_disclosure(foreign, unknown, absent, result)
    if not rows:
        result.note("no batch was asked for with another organisation's key (--batch-other-key-env)")


def _report_disclosure(
    foreign: Sequence[Exchange], unknown: Sequence[Exchange], absent: Collection[int], result: CheckResult
) -> None:
    """Report differences between the bodies for another organisation's batches and for unknown ids."""
    if not unknown or len(foreign) < 2 or any(row.status not in absent for row in (*foreign, *unknown)):
        return
    for name, ours, theirs in distinguishing_features(foreign, unknown, only_body=True):
        result.fail(
            foreign[0],
            f"with {foreign[0].intent.label}, {name} tells a batch of others from an unknown id",
            code="disclosed",
            expected=f"the same for both: {theirs} for an unknown id",
            actual=ours,
            prelude=unknown[:1],
        )
