"""Clauses ``server.body.*``: the members of the batch object, judged by the schema and by what it cannot say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record, is_batch
from batch_conformance.contract import cached_by_contract, parse_date_time, schema_violations
from batch_conformance.contract.id_form import is_uuid
from batch_conformance.contract.load import COUNTS, STATUSES
from batch_conformance.http import Exchange, read_json

_NEEDS = ["reads", "late-reads", "burst"]
_NO_BATCH = "no answer held a batch object"
_FORBIDDEN_IN_URL = re.compile(r"[\x00-\x20\x7f<>\"\\^`{|}]")


@SERVER_CHECKS.check("server.body.object", needs=_NEEDS)
def is_object(record: Record, result: CheckResult) -> None:
    """The batch itself, not something around it."""
    for exchange in record.good:
        assert exchange.response is not None
        read = exchange.response.json
        if not read.ok or exchange.failure is not None:
            result.set_aside("server.ok.json")
            continue
        result.observe()
        if not is_batch(read.value):
            result.fail(
                exchange,
                "the answer is not a batch object",
                expected="an object with id, created_at, status, metrics, outputUrl",
                actual=_kind(read.value),
            )
    if not record.good:
        result.note("no read of a known batch was answered with 200")


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(map(str, list(value)[:8])) or 'no members'}"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return f"the value {shown(value)}"


@SERVER_CHECKS.check("server.body.id", needs=_NEEDS)
def batch_id(record: Record, result: CheckResult) -> None:
    """A string: the id that was asked for."""
    for exchange, batch in _batches(record, result):
        told, asked = batch.get("id", MISSING), exchange.intent.id
        # A UUID may be answered in lower case, as it is to be written (RFC 9562, 4), however it was asked for.
        if told == asked or (is_uuid(asked) and told == asked.lower()):
            continue
        expected = f"the id asked for, {shown(asked)}"
        why = wrong("a string", told) if not isinstance(told, str) else ""
        if isinstance(told, str) and told in record.by_id:
            why = f"the answer is another batch's, {shown(told)}"
        _blame(result, exchange, "id", batch, expected, why, _mixed_with(exchange, told, record))
    if result.observations and len(record.by_id) < 2:
        result.limit("only one batch was read: a mix-up with another could not show")


def _mixed_with(exchange: Exchange, told: object, record: Record) -> tuple[Exchange, ...]:
    """The request whose answer may have got in the way: the last one for the batch that came, before or meanwhile."""
    rows = record.by_id.get(told, []) if isinstance(told, str) else []
    earlier = [other for other, _ in rows if other is not exchange and other.started < exchange.ended]
    return tuple(earlier[-1:])


@SERVER_CHECKS.check("server.body.created_at", needs=_NEEDS)
def created_at(record: Record, result: CheckResult) -> None:
    """An RFC 3339 date-time."""
    for exchange, batch in _batches(record, result):
        value = batch.get("created_at", MISSING)
        trouble = parse_date_time(value) if isinstance(value, str) else wrong("a string", value)
        if isinstance(trouble, str):
            _blame(result, exchange, "created_at", batch, "an RFC 3339 date-time with an offset", trouble)


@SERVER_CHECKS.check("server.body.status", needs=_NEEDS)
def status(record: Record, result: CheckResult) -> None:
    """One of the five values."""
    seen: set[str] = set()
    for exchange, batch in _batches(record, result):
        value = batch.get("status", MISSING)
        if _violations(exchange, "status"):
            why = wrong("one of the five values", value)
            _blame(result, exchange, "status", batch, f"one of {', '.join(STATUSES)}", why)
        else:
            seen.add(value)
    _remark_states(result, seen)


@SERVER_CHECKS.check("server.body.metrics", needs=_NEEDS)
def metrics(record: Record, result: CheckResult) -> None:
    """Four counts, integers of at least 0."""
    for exchange, batch in _batches(record, result):
        value = batch.get("metrics", MISSING)
        if not isinstance(value, dict):
            _blame(
                result, exchange, "metrics", batch, "an object with four counts", wrong("an object", value)
            )
            continue
        for name in dict.fromkeys(_violations(exchange, "metrics")):
            expected = "an integer of at least 0"
            result.fail(
                exchange,
                f"metrics.{name}: {wrong(expected, value.get(name, MISSING))}",
                expected=expected,
                actual=shown(value.get(name, MISSING)),
            )


@SERVER_CHECKS.check("server.body.metrics-sum", needs=_NEEDS)
def metrics_sum(record: Record, result: CheckResult) -> None:
    """The parts never exceed the total."""
    for exchange, _, (total, success, failed, pending) in _counted(record, result):
        result.observe()
        if success + failed + pending > total:
            result.fail(
                exchange,
                "success_count + failed_count + pending_count",
                expected=f"at most total_generations, {total}",
                actual=f"{success} + {failed} + {pending} = {success + failed + pending}",
            )


@SERVER_CHECKS.check("server.body.completed-none-pending", needs=_NEEDS)
def completed_none_pending(record: Record, result: CheckResult) -> None:
    """Nothing pending once COMPLETED."""
    for exchange, _, (_, _, _, pending) in _counted(record, result, status="COMPLETED"):
        result.observe()
        if pending != 0:
            result.fail(exchange, "pending_count of a COMPLETED batch", expected="0", actual=str(pending))


@SERVER_CHECKS.check("server.body.completed-adds-up", needs=_NEEDS)
def completed_adds_up(record: Record, result: CheckResult) -> None:
    """Success and failed make the total once COMPLETED."""
    for exchange, _, (total, success, failed, pending) in _counted(record, result, status="COMPLETED"):
        # A sum above the total, or something still pending, is another clause's matter.
        if success + failed + pending > total:
            result.set_aside("server.body.metrics-sum")
            continue
        if pending and success + failed + pending == total:
            result.set_aside("server.body.completed-none-pending")
            continue
        result.observe()
        if success + failed + pending < total:
            result.fail(
                exchange,
                "success_count + failed_count of a COMPLETED batch",
                expected=f"total_generations, {total}",
                actual=f"{success} + {failed} = {success + failed}",
            )


@SERVER_CHECKS.check("server.body.outputUrl", needs=_NEEDS)
def output_url(record: Record, result: CheckResult) -> None:
    """A string; a URL once COMPLETED."""
    completed = False
    for exchange, batch in _batches(record, result):
        value = batch.get("outputUrl", MISSING)
        completed = completed or batch.get("status") == "COMPLETED"
        expected, why = "a string, in every state", wrong("a string", value)
        if isinstance(value, str):
            if batch.get("status") != "COMPLETED" or is_absolute_http_url(value):
                continue
            expected = "an absolute http(s) URL, since the batch is COMPLETED"
            why = wrong("an absolute http(s) URL", value)
        _blame(result, exchange, "outputUrl", batch, expected, why)
    if result.observations and not completed:
        result.limit("no COMPLETED batch was seen")


@SERVER_CHECKS.check("server.body.webhookUrl", needs=_NEEDS)
def webhook_url(record: Record, result: CheckResult) -> None:
    """Absent, null or a string."""
    there = False
    for exchange, batch in _batches(record, result):
        value = batch.get("webhookUrl")
        there = there or value is not None
        if _violations(exchange, "webhookUrl"):
            why = wrong("a string or null", value)
            _blame(result, exchange, "webhookUrl", batch, "absent, null or a string", why)
    if result.observations and not there:
        result.limit("no batch had a webhookUrl")


@SERVER_CHECKS.check("server.body.open", needs=_NEEDS)
def stays_open(record: Record, result: CheckResult) -> None:
    """The suite's own promise: put unknown members into what came, and the verdict must stay the same."""
    for exchange, _ in _batches(record, result):
        assert exchange.response is not None
        for message in _refused_members(exchange.response.body):
            result.fail(
                exchange,
                "the suite refuses members it does not know (a defect of the suite)",
                expected="extra members accepted",
                actual=message,
            )


def is_absolute_http_url(text: str) -> bool:
    """Whether a string is an absolute http or https URL with a host (RFC 3986, 4.3)."""
    if _FORBIDDEN_IN_URL.search(text) or any(char.isspace() for char in text):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "://" in text[:8]


def shown(value: object) -> str:
    """A JSON value as JSON, shortened."""
    if value is MISSING:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"


def wrong(expected: str, value: object, name: str = "") -> str:
    """What is wrong with a value, in words: "expected a string, got null"."""
    return (f"{name}: " if name else "") + f"expected {expected}, got {_named(value)}"


def _named(value: object) -> str:
    if value is MISSING:
        return "nothing: it is absent"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"the number {shown(value)}"
    if isinstance(value, str):
        text = shown(value)
        return f"the string {text}" if len(text) <= 60 else f"a string of {len(value):,} characters"
    return "an array" if isinstance(value, list) else "an object"


def _blame(
    result: CheckResult,
    exchange: Exchange,
    name: str,
    batch: dict[str, Any],
    expected: str,
    why: str = "",
    prelude: tuple[Exchange, ...] = (),
) -> None:
    state = batch.get("status")
    when = f" of a {state} batch" if state in STATUSES and name != "status" else ""
    result.fail(
        exchange,
        f"{name}{when}" + (f": {why}" if why else ""),
        expected=expected,
        actual=shown(batch.get(name, MISSING)),
        prelude=prelude,
    )


def _violations(exchange: Exchange, member: str) -> tuple[str, ...]:
    """Where the schema is broken within a member: names below it, or the member's own name."""
    assert exchange.response is not None
    return tuple(place for name, place in _schema_faults(exchange.response.body) if name == member)


@cached_by_contract
def _schema_faults(body: bytes) -> tuple[tuple[str, str], ...]:
    """Members that break the schema, with the place within each. Servers send the same bytes again and again."""
    faults: list[tuple[str, str]] = []
    for violation in schema_violations("batch", read_json(body).value):
        missing = re.match(r"'(\w+)' is a required property", violation.message)
        path = [str(part) for part in violation.path] + ([missing[1]] if missing else [])
        if path:
            faults.append((path[0], path[1] if len(path) > 1 else path[0]))
    return tuple(faults)


@cached_by_contract
def _refused_members(body: bytes) -> tuple[str, ...]:
    """What the schema says against members it does not know, as the body came and with more of them put in."""
    batch = read_json(body).value
    metrics_value = batch.get("metrics")
    more = {"xFuture": {"id": None, "status": 0}, "_links": [], **batch}
    if isinstance(metrics_value, dict):
        more["metrics"] = {"canceled_count": -1, **metrics_value}
    return tuple(
        violation.message
        for value in (batch, more)
        for violation in schema_violations("batch", value)
        if "dditional" in violation.message or "nevaluated" in violation.message
    )


def _batches(record: Record, result: CheckResult) -> Iterator[tuple[Exchange, dict[str, Any]]]:
    if not record.batches:
        result.note(_NO_BATCH)
        result.set_aside(
            "server.body.object", sum(row.response.json.ok for row in record.good if row.response)
        )
    for exchange, batch in record.batches:
        result.observe()
        yield exchange, batch


def _counted(
    record: Record, result: CheckResult, status: str | None = None
) -> Iterator[tuple[Exchange, dict[str, Any], tuple[int, int, int, int]]]:
    """Batches whose counts are integers, in one state if given: others are server.body.metrics' matter."""
    for exchange, batch in record.batches:
        value = batch.get("metrics")
        if status is None or batch.get("status") == status:
            if not isinstance(value, dict) or _violations(exchange, "metrics"):
                result.set_aside("server.body.metrics")
                continue
            total, success, failed, pending = (int(value[name]) for name in COUNTS)
            yield exchange, batch, (total, success, failed, pending)
    if not result.observations:
        result.note(
            f"no {status} batch with four counts was seen" if status else "no batch with four counts was seen"
        )


def _remark_states(result: CheckResult, seen: Iterable[str]) -> None:
    missing = [name for name in STATUSES if name not in set(seen)]
    if result.observations and missing and len(missing) < len(STATUSES):
        result.limit(f"no batch was seen in {', '.join(missing)}")
