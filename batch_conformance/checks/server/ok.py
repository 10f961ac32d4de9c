"""Checks of ``server.ok.*``: a known batch is answered with 200 and one JSON value."""

from __future__ import annotations

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.checks.server.statuses import either, fits, is_success, success_media, success_statuses
from batch_conformance.contract.media_types import contradicts
from batch_conformance.http import Exchange

_STATUS = "server.ok.status"
_NO_200 = "no read of a known batch was answered with 200"


@SERVER_CHECKS.check(_STATUS, needs=["reads", "late-reads", "auth-per-request", "burst", "unusual-requests"])
def status(record: Record, result: CheckResult) -> None:
    """Check that each ordinary read gets a documented success."""
    for exchange in record.reads:
        result.observe()
        if not is_success(exchange.status, record.operation):
            result.fail(
                exchange,
                f"a read of {_target_words(exchange, record)}{' with the valid key' if record.documented.key else ''}",
                expected=either(success_statuses(record.operation)),
                actual=exchange.outcome(),
                code="status",
            )


@SERVER_CHECKS.check("server.ok.media-type", needs=["reads", "late-reads", "unusual-requests"])
def media_type(record: Record, result: CheckResult) -> None:
    """Check that successes have a documented media type; case and undocumented parameters do not matter."""
    documented = success_media(record.operation)
    success = record.documented.success
    names = list(success.media_types) if success else []
    for exchange in record.good:
        assert exchange.response is not None
        result.observe()
        values = exchange.response.header_values("content-type")
        other = documented and not fits(exchange.response.media_type, documented)
        if other or any(contradicts(value, names) for value in values):
            result.fail(
                exchange,
                "the Content-Type of a batch",
                expected=" or ".join(names),
                actual=" and ".join(values) if values else "no Content-Type",
                code="media-type",
            )
    _no_200(record, result)


@SERVER_CHECKS.check("server.ok.json", needs=["reads", "late-reads", "unusual-requests"])
def json(record: Record, result: CheckResult) -> None:
    """Check that the body is complete and one well-formed JSON value."""
    for exchange in record.in_json:
        assert exchange.response is not None
        result.observe()
        error = exchange.response.json.error
        if exchange.failure is not None:
            result.fail(
                exchange,
                "the body of a batch did not arrive whole",
                expected="one JSON value",
                actual=exchange.outcome(),
                code="cut-off",
            )
        elif coding := _coding_not_accepted(exchange):
            result.fail(
                exchange,
                "a body comes in a coding that was not asked for",
                expected="gzip, deflate, or none (RFC 9110, 12.5.3)",
                actual=f"Content-Encoding: {coding}",
                code="coding",
            )
        elif error is not None:
            result.fail(
                exchange,
                f"the body of a batch is not JSON: {error.message}",
                expected="one well-formed JSON value in UTF-8 (RFC 8259)",
                actual=_excerpt(exchange.response.body),
                code="not-json",
            )
    _no_200(record, result)


@SERVER_CHECKS.check("server.ok.unique-names", needs=["reads", "late-reads", "unusual-requests"])
def unique_names(record: Record, result: CheckResult) -> None:
    """Check that no object has a member name twice."""
    for exchange in record.in_json:
        assert exchange.response is not None
        read = exchange.response.json
        if read.ok:
            result.observe()
        else:
            result.set_aside("server.ok.json")
        for member in read.repeated:
            result.fail(
                exchange,
                "a member name stands more than once in one object",
                expected=f"{member.name!r} at most once",
                actual=f"{member.name!r} {member.times} times",
                code="repeated-name",
            )
    _no_200(record, result)


def _target_words(exchange: Exchange, record: Record) -> str:
    if not exchange.intent.id:
        return "the list of batches"
    is_listed = any(other.intent.probe == "discovery" for other in record.exchanges)
    return f"the known batch {exchange.intent.id!r}{', which the list names,' if is_listed else ''}"


def _no_200(record: Record, result: CheckResult) -> None:
    """Note that no read succeeded, and leave the reads to server.ok.status."""
    if not record.good:
        result.note(_NO_200)
        result.set_aside(_STATUS, len(record.reads))


def _coding_not_accepted(exchange: Exchange) -> str:
    """Return the first content coding that the request did not accept; "" if there is none."""
    assert exchange.response is not None
    offered = ",".join(exchange.request.header_values("accept-encoding"))
    known = {name.partition(";")[0].strip().lower() for name in f"{offered},identity,x-gzip".split(",")}
    if not offered or "*" in known:
        return ""
    values = exchange.response.header_values("content-encoding")
    sent = [name.strip().lower() for value in values for name in value.split(",")]
    return next((name for name in sent if name not in known), "")


def _excerpt(body: bytes) -> str:
    text = body[:120].decode("utf-8", "backslashreplace")
    return f"{text}… ({len(body):,} bytes)" if len(body) > 120 else text or "nothing"
