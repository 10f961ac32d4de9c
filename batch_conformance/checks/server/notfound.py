"""Checks of ``server.notfound.*``: only the exact id of a batch finds it."""

from __future__ import annotations

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record, below_the_api, is_form_check
from batch_conformance.checks.server.spelling import is_canonical_redirect
from batch_conformance.contract import parse_date_time
from batch_conformance.contract.entity import MISSING, entity_of
from batch_conformance.contract.id_form import same_uuid
from batch_conformance.contract.statuses import absences, either_status, undocumented_absences
from batch_conformance.http import Exchange

_UNKNOWN = "server.notfound.unknown-id"


@SERVER_CHECKS.check(_UNKNOWN, needs=["unknown-ids"])
def unknown_id(record: Record, result: CheckResult) -> None:
    """Check that unknown ids get 404, or what the contract documents instead."""
    for exchange in record.of("unknown-ids"):
        _expect_absent(exchange, record, result)


@SERVER_CHECKS.check("server.notfound.near-id", needs=["near-ids", "overrides", "reads", "unknown-ids"])
def near_id(record: Record, result: CheckResult) -> None:
    """Check that variants of known ids get 404.

    Allowed are variants that are another batch's id (decision 14) and refusals of malformed ids (decision
    18).
    """
    for exchange in record.of("near-ids", "overrides"):
        if _is_another_batch(exchange, record):
            continue
        if _is_usual(exchange, record):
            result.set_aside(_UNKNOWN)
        elif _is_same_batch(exchange, record):
            result.observe()
        else:
            _expect_absent(exchange, record, result)


def _expect_absent(exchange: Exchange, record: Record, result: CheckResult) -> None:
    if exchange.status in undocumented_absences(record.operation):
        result.set_aside("server.error.documented-status")
        return
    result.observe()
    absent = absences(record.operation)
    allowed = is_form_check(exchange, record) or is_canonical_redirect(exchange) or _refuses_its_query(exchange)
    if exchange.status not in absent and not allowed:
        _report(exchange, result, either_status(absent))


def _refuses_its_query(exchange: Exchange) -> bool:
    """Whether an undocumented query parameter was refused (decision 27)."""
    return exchange.intent.probe == "overrides" and exchange.status in (400, 422)


def _report(exchange: Exchange, result: CheckResult, expected: str) -> None:
    code = "admitted" if exchange.status is not None and exchange.status < 300 else "status"
    result.fail(exchange, _request_words(exchange), code=code, expected=expected, actual=exchange.outcome())


def _request_words(exchange: Exchange) -> str:
    return f"a read of {exchange.intent.id!r}, {exchange.intent.label}"


def _is_same_batch(exchange: Exchange, record: Record) -> bool:
    """Whether another spelling of a UUID brought the batch that it names (decision 18)."""
    known = same_uuid(exchange.intent.id, record.known_ids)
    received = _received_id(exchange, record)
    if exchange.status != 200 or known is None or not isinstance(received, str):
        return False
    return same_uuid(received, [known]) is not None


def _received_id(exchange: Exchange, record: Record) -> object:
    """Return the id in the received batch, or MISSING."""
    entity = entity_of(record.operation)
    body = exchange.response.json.value if exchange.response else None
    return entity.value_at(body, entity.echo) if entity.echo and isinstance(body, dict) else MISSING


def _is_another_batch(exchange: Exchange, record: Record) -> bool:
    """Whether a variant of an id is another batch's id: the batch has that id, and is not a known one."""
    if exchange.status != 200 or exchange.response is None or _received_id(exchange, record) != exchange.intent.id:
        return False
    marks = _marks(exchange.response.json.value, record)
    return bool(marks) and marks not in _known_marks(record)


def _marks(body: object, record: Record) -> dict[str, object]:
    """Return the members, other than the id, that identify a batch because they never change."""
    entity = entity_of(record.operation)
    pointers = [one for one in entity.identity if one != entity.echo]
    found = {one: entity.value_at(body, one) for one in pointers} if isinstance(body, dict) else {}
    return {one: _instant(value) for one, value in found.items() if value is not MISSING}


def _instant(value: object) -> object:
    """Return a date-time as an instant, so that all spellings of it are equal; other values unchanged."""
    read = parse_date_time(value) if isinstance(value, str) else value
    return value if isinstance(read, str) else read


def _known_marks(record: Record) -> list[dict[str, object]]:
    return [_marks(row, record) for rows in record.by_id.values() for _, row in rows]


def _is_usual(exchange: Exchange, record: Record) -> bool:
    """Whether ordinary unknown ids get the same status instead of 404, as server.notfound.unknown-id reports.

    A response with a known batch is not the same, unless all their responses hold one as well.
    """
    same = [other for other in record.of("unknown-ids") if other.status == exchange.status]
    if not same or exchange.status in absences(record.operation):
        return False
    return not _holds_known(exchange, record) or all(_holds_known(other, record) for other in same)


def _holds_known(exchange: Exchange, record: Record) -> bool:
    marks = _marks(exchange.response.json.value if exchange.response else None, record)
    return bool(marks) and marks in _known_marks(record)


@SERVER_CHECKS.check("server.notfound.hostile-id", needs=["hostile-ids", "generated-ids", "unknown-ids"])
def hostile_id(record: Record, result: CheckResult) -> None:
    """Check that hostile ids get an error below 500, or a redirect to the canonical path (decision 12)."""
    for exchange in record.of("hostile-ids", "generated-ids"):
        refused = exchange.status is not None and 400 <= exchange.status < 500
        if not refused and _is_usual(exchange, record):
            result.set_aside(_UNKNOWN)
            continue
        result.observe()
        if not refused and not is_canonical_redirect(exchange):
            _report(exchange, result, f"{either_status(absences(record.operation))}, or another error below 500")


@SERVER_CHECKS.check("server.notfound.hostile-id-404", needs=["hostile-ids", "generated-ids", "unknown-ids", "reads"])
def hostile_id_404(record: Record, result: CheckResult) -> None:
    """Check that the error for a hostile id is 404, where decisions 12 and 18 do not allow another."""
    for exchange in record.of("hostile-ids", "generated-ids"):
        if exchange.status is None or not 400 <= exchange.status < 500:
            continue
        if _is_usual(exchange, record):
            result.set_aside(_UNKNOWN)
            continue
        result.observe()
        absent = absences(record.operation) | undocumented_absences(record.operation)
        if exchange.status not in absent and not below_the_api(exchange) and not is_form_check(exchange, record):
            _report(exchange, result, either_status(absences(record.operation)))
    if not result.observations:
        result.note("no hostile id was answered with an error below 500")
