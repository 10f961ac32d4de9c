"""Clauses ``server.notfound.*``: only the id of a batch opens it."""

from __future__ import annotations

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record, below_the_api, is_form_check
from batch_conformance.checks.server.spelling import is_canonical_redirect
from batch_conformance.checks.server.statuses import absences, either, is_success
from batch_conformance.contract.id_form import same_uuid
from batch_conformance.contract.pointers import MISSING, read
from batch_conformance.http import Exchange

_UNKNOWN = "server.notfound.unknown-id"


@SERVER_CHECKS.check(_UNKNOWN, needs=["unknown-ids"])
def unknown_id(record: Record, result: CheckResult) -> None:
    """Exactly 404."""
    for exchange in record.of("unknown-ids"):
        _expect_404(exchange, record, result)


@SERVER_CHECKS.check("server.notfound.near-id", needs=["near-ids", "overrides", "reads", "unknown-ids"])
def near_id(record: Record, result: CheckResult) -> None:
    """404, unless the variant happens to be another batch (decision 14) or may be malformed (decision 18)."""
    for exchange in record.of("near-ids", "overrides"):
        if _is_another_batch(exchange, record):
            continue
        if _is_usual(exchange, record):
            result.set_aside(_UNKNOWN)
        elif _is_same_batch(exchange, record):
            result.observe()
        else:
            _expect_404(exchange, record, result)


def _expect_404(exchange: Exchange, record: Record, result: CheckResult) -> None:
    result.observe()
    allowed = is_form_check(exchange, record) or is_canonical_redirect(exchange)
    wanted = absences(record.operation)
    if exchange.status not in wanted and not allowed:
        result.fail(
            exchange, _asked(exchange), expected=either(wanted), actual=exchange.outcome(), code="not-found"
        )


def _asked(exchange: Exchange) -> str:
    return f"a read of {exchange.intent.id!r}, {exchange.intent.label}"


def _is_same_batch(exchange: Exchange, record: Record) -> bool:
    """Whether a UUID, spelled in another way, brought the batch that it names (decision 18)."""
    known = same_uuid(exchange.intent.id, record.known_ids)
    batch = exchange.response.json.value if exchange.response else None
    if not is_success(exchange.status, record.operation) or known is None:
        return False
    told = record.echoed(batch)
    return isinstance(told, str) and same_uuid(told, [known]) is not None


def _is_another_batch(exchange: Exchange, record: Record) -> bool:
    if not is_success(exchange.status, record.operation) or exchange.response is None:
        return False
    batch = exchange.response.json.value
    if not isinstance(batch, dict) or record.echoed(batch) != exchange.intent.id:
        return False
    marks = _marks(batch, record)
    return bool(marks) and marks not in _known_marks(record)


def _marks(batch: object, record: Record) -> tuple[str, ...]:
    """What an answer is recognised by under whatever id: its identity without the id, as far as it has it."""
    values = [(one, read(batch, one)) for one in record.entity.identity if one != record.entity.echo]
    if any(value is MISSING for _, value in values):
        return ()
    return tuple(f"{one} {value!r}" for one, value in values)


def _known_marks(record: Record) -> list[tuple[str, ...]]:
    """What the batches that exist are recognised by."""
    return [_marks(batch, record) for rows in record.by_id.values() for _, batch in rows]


def _is_usual(exchange: Exchange, record: Record) -> bool:
    """Whether plain unknown ids get the same in place of 404: server.notfound.unknown-id has the blame for it.

    An answer that holds a batch which exists is not the same, unless that is what plain unknown ids are given.
    """
    same = [
        other
        for other in record.of("unknown-ids")
        if other.status == exchange.status and exchange.status not in absences(record.operation)
    ]
    if not same:
        return False
    return not _holds_known(exchange, record) or all(_holds_known(other, record) for other in same)


def _holds_known(exchange: Exchange, record: Record) -> bool:
    marks = _marks(exchange.response.json.value, record) if exchange.response else ()
    return bool(marks) and marks in _known_marks(record)


@SERVER_CHECKS.check("server.notfound.hostile-id", needs=["hostile-ids", "generated-ids", "unknown-ids"])
def hostile_id(record: Record, result: CheckResult) -> None:
    """An error below 500, or a redirect to the canonical spelling of the path (decision 12)."""
    for exchange in record.of("hostile-ids", "generated-ids"):
        refused = exchange.status is not None and 400 <= exchange.status < 500
        if not refused and _is_usual(exchange, record):
            result.set_aside(_UNKNOWN)
            continue
        result.observe()
        if not refused and not is_canonical_redirect(exchange):
            result.fail(
                exchange,
                _asked(exchange),
                expected="404, or another error below 500",
                actual=exchange.outcome(),
                code="not-found",
            )


@SERVER_CHECKS.check(
    "server.notfound.hostile-id-404", needs=["hostile-ids", "generated-ids", "unknown-ids", "reads"]
)
def hostile_id_404(record: Record, result: CheckResult) -> None:
    """And that error is 404, where decisions 12 and 18 do not allow another."""
    for exchange in record.of("hostile-ids", "generated-ids"):
        if exchange.status is None or not 400 <= exchange.status < 500:
            continue
        if _is_usual(exchange, record):
            result.set_aside(_UNKNOWN)
            continue
        result.observe()
        wanted = absences(record.operation)
        if exchange.status not in wanted and not below_the_api(exchange):
            result.fail(
                exchange,
                _asked(exchange),
                expected=either(wanted),
                actual=exchange.outcome(),
                code="not-found",
            )
    if not result.observations:
        result.note("no hostile id was answered with an error below 500")
