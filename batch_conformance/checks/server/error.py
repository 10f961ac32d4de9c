"""Checks of ``server.error.*`` and ``server.rate.429``: form and status of errors."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

from batch_conformance.checks.by_operation import title_of
from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.body import NOT_IN_CONTRACT
from batch_conformance.checks.server.internals import INTERNALS
from batch_conformance.checks.server.record import SERVER_CHECKS, Record, is_form_check
from batch_conformance.checks.server.statuses import (
    documented_error,
    documented_keys,
    documents,
    error_media,
    fits,
    has_member,
)
from batch_conformance.checks.words import dotted, shown, wrong
from batch_conformance.contract import MediaType, cached_by_contract, current_contract
from batch_conformance.contract.clause_list import place_of_status
from batch_conformance.contract.entity import judge_of
from batch_conformance.contract.pointers import read as at_pointer
from batch_conformance.contract.pointers import split
from batch_conformance.contract.rule_list import beside, parts
from batch_conformance.contract.schema import Violation, expectation
from batch_conformance.contract.statuses import refusals
from batch_conformance.http import Exchange, Response, read_json

_NEEDS = ["unauthenticated", "unknown-ids", "invalid-keys", "near-ids", "staged", "methods", "hostile-ids"]
_NO_ERROR = "no answer from 400 up was seen"


@SERVER_CHECKS.check("server.error.body", needs=_NEEDS)
def body(record: Record, result: CheckResult) -> None:
    """Check that each error body is as documented for its status."""
    for exchange in record.errors:
        result.observe()
        _judge_body(record, exchange, result)
        _report_schemathesis(exchange, result, "JsonSchemaError", "MalformedJson", "ContentDeserializationError")
    _limit_to_seen(record, result)
    if not record.errors:
        result.note(_NO_ERROR)


def _judge_body(record: Record, exchange: Exchange, result: CheckResult) -> None:
    """Validate a body by what is documented for its status; for an undocumented one, by another error."""
    assert exchange.response is not None
    assert exchange.status is not None
    media = documented_error(record.operation, exchange.status, exchange.response.media_type)
    if media is None:
        return
    read = exchange.response.json
    if read.error is not None:
        text = exchange.response.body[:200].decode("utf-8", "backslashreplace")
        result.fail(
            exchange,
            f"the body of a {exchange.status} is not JSON: {read.error.message}",
            expected=_form(media),
            actual=text or "nothing",
            code="not-json",
        )
        return
    for violation in _faults(record.operation, exchange.status, exchange.response):
        value = at_pointer(read.value, violation.pointer)
        expected = _expected(media, violation)
        result.fail(
            exchange,
            f"the body of a {exchange.status}: {wrong(expected, value, dotted(violation.pointer))}",
            expected=expected,
            actual=shown(read.value),
            code=violation.code,
            pointer=violation.pointer,
        )


def _form(media: MediaType) -> str:
    """Describe the documented body in a few words."""
    rows = beside(media.schema, current_contract().document.content)
    names = list(dict.fromkeys(name for layer in rows for name in layer.get("required", ())))
    return f"an object with {' and '.join(names)}" if names else "JSON, as documented"


def _expected(media: MediaType, violation: Violation) -> str:
    """Describe the expectation at a place: its types if they are what is violated, else the violation's."""
    document = current_contract().document.content
    nodes: list[Any] = [media.schema]
    for part in split(violation.pointer):
        nodes = [inner for node in nodes for inner in parts(node, document, part)]
    if violation.code in ("required", "oneOf", "anyOf", "type"):
        layers = [layer for node in nodes for layer in beside(node, document)]
        types = list(dict.fromkeys(_type(layer) for layer in layers if "type" in layer))
        if types:
            return " or ".join(types)
    return violation.expected


def _type(layer: dict[str, Any]) -> str:
    own = expectation("type", layer["type"])
    items = layer.get("items")
    inner = items.get("type") if isinstance(items, dict) else None
    return f"{own} of {inner}s" if own == "an array" and isinstance(inner, str) else own


def _limit_to_seen(record: Record, result: CheckResult) -> None:
    """Add a limit for documented errors that were not seen."""
    seen = {exchange.status for exchange in record.errors}
    documented = sorted(record.documented.documented_statuses - {429})
    unseen = [str(status) for status in documented if status >= 400 and status not in seen]
    if unseen and result.observations:
        result.limit(f"no {' or '.join(unseen)} was seen")


def _faults(operation: str, status: int, response: Response) -> tuple[Violation, ...]:
    """Return the schema violations of an error body."""
    return _body_faults(operation, status, response.media_type, response.body)


@cached_by_contract
def _body_faults(operation: str, status: int, media: str | None, body: bytes) -> tuple[Violation, ...]:
    documented = documented_error(operation, status, media)
    return tuple(judge_of(documented).violations(read_json(body).value)) if documented else ()


@SERVER_CHECKS.check("server.error.status-agrees", needs=_NEEDS)
def status_agrees(record: Record, result: CheckResult) -> None:
    """Check that the status in the body is the HTTP status."""
    pointer = place_of_status(result.clause)
    documented = False
    for exchange in record.errors:
        assert exchange.response is not None
        assert exchange.status is not None
        if pointer is None or not has_member(record.operation, exchange.status, pointer):
            continue
        documented = True
        stated = at_pointer(exchange.response.json.value, pointer)
        status = _as_status(record, exchange, pointer, stated)
        if status is None:
            result.set_aside("server.error.body")
            continue
        result.observe()
        if status != exchange.status:
            result.fail(
                exchange,
                f"{dotted(pointer)} of an error body",
                expected=f"{exchange.status}, the HTTP status",
                actual=shown(stated),
                code="status-member",
                pointer=pointer,
            )
    if record.errors and not documented:
        result.note(NOT_IN_CONTRACT)
        return
    _limit_to_seen(record, result)
    if not result.observations:
        result.note(f"no error body held a number as its {dotted(pointer or '')}")


def _as_status(record: Record, exchange: Exchange, pointer: str, stated: object) -> float | None:
    """Return the status that a body states, as a number, or in digits where the contract wants a string."""
    assert exchange.response is not None
    assert exchange.status is not None
    if isinstance(stated, str) and re.fullmatch(r"[0-9]{1,9}", stated):
        faults = _faults(record.operation, exchange.status, exchange.response)
        return None if any(one.pointer == pointer for one in faults) else int(stated)
    return None if isinstance(stated, bool) or not isinstance(stated, int | float) else stated


@SERVER_CHECKS.check("server.error.media-type", needs=_NEEDS)
def media_type(record: Record, result: CheckResult) -> None:
    """Check that errors have a documented media type; an empty body is left to server.error.body."""
    for exchange in record.errors:
        assert exchange.response is not None
        if not exchange.response.body:
            result.set_aside("server.error.body")
            continue
        result.observe()
        assert exchange.status is not None
        documented = error_media(record.operation, exchange.status)
        if documented and not fits(exchange.response.media_type, documented):
            values = exchange.response.header_values("content-type")
            result.fail(
                exchange,
                f"the Content-Type of a {exchange.status}",
                expected=" or ".join(documented),
                actual=" and ".join(values) if values else "no Content-Type",
                code="media-type",
            )
        _report_schemathesis(exchange, result, "MissingContentType", "UndefinedContentType", "MalformedMediaType")
    _limit_to_seen(record, result)
    if not result.observations:
        result.note(_NO_ERROR)


def _report_schemathesis(exchange: Exchange, result: CheckResult, *kinds: str) -> None:
    """Report failures that Schemathesis noted of an exchange, if this check found none itself."""
    if any(finding.exchange is exchange for finding in result.findings):
        return
    for note in exchange.notes:
        kind, _, message = note.partition(": ")
        unread = kind in ("MalformedJson", "ContentDeserializationError")
        if kind in kinds and not (unread and exchange.response is not None and exchange.response.json.ok):
            result.fail(
                exchange,
                f"Schemathesis: {kind}",
                expected="what the fragment says",
                actual=message,
                code="media-type" if "Type" in kind else "shape",
            )


@SERVER_CHECKS.check(
    "server.error.documented-status",
    needs=[
        *_NEEDS,
        "reads",
        "near-keys",
        "hostile-keys",
        "wrong-place",
        "id-enumeration",
        "conditional",
        "header-case",
        "unusual-requests",
        "generated-ids",
        "generated-keys",
    ],
)
def documented_status(record: Record, result: CheckResult) -> None:
    """Check that documented requests get documented statuses, and that no request gets an unstaged 5xx."""
    for exchange in record.answered:
        status = exchange.status
        if status is None or exchange.intent.staged is not None:
            continue
        result.observe()
        if status >= 500 and not (status == 501 and exchange.request.method != "GET"):
            result.fail(
                exchange,
                _request_words(exchange),
                expected="no status from 500 up",
                actual=exchange.outcome(),
                code="status",
            )
        elif (
            not documents(record.operation, status)
            # Where a key is required and no refusal is documented, the refusals of HTTP itself are allowed.
            and not (status in refusals(record.operation) and exchange.intent.key_kind != "valid")
            and _has_documented_statuses(exchange)
            and not is_form_check(exchange, record)
        ):
            result.fail(
                exchange,
                _request_words(exchange),
                expected="a documented status: " + ", ".join(documented_keys(record.operation)),
                actual=exchange.outcome(),
                code="status",
            )


#: Probes whose requests may get undocumented statuses.
_UNDOCUMENTED_PROBES = ("unusual-requests", "generated-keys", "near-ids", "overrides", "conditional", "respelled")


def _has_documented_statuses(exchange: Exchange) -> bool:
    """Whether the documented statuses apply to a request."""
    intent = exchange.intent
    if intent.operation != "get":
        # The operation's own checks judge the statuses of its own probes.
        own = intent.probe.startswith(f"{intent.operation}-")
        return not own and intent.key_kind != "hostile" and intent.probe not in ("unusual-requests", "respelled")
    return (
        exchange.request.method == "GET"
        and "hostile" not in (intent.id_kind, intent.key_kind)
        and intent.probe not in _UNDOCUMENTED_PROBES
    )


def _request_words(exchange: Exchange) -> str:
    intent = exchange.intent
    # A list has no id.
    whose = repr(intent.id) if intent.id else title_of(intent.operation)
    return f"{exchange.request.method} of {whose}" + (f" with {intent.label}" if intent.label else "")


@SERVER_CHECKS.check("server.error.no-internals", needs=_NEEDS)
def no_internals(record: Record, result: CheckResult) -> None:
    """Check that errors hold no stack traces, source paths, SQL or driver errors."""
    harmless = set()
    for exchange in record.answered:
        if exchange.response is None or exchange.response.status < 400 or not exchange.response.body:
            continue
        result.observe()
        text = _readable(exchange)
        if text in harmless:
            continue
        for name, pattern in INTERNALS.items():
            if match := pattern.search(text):
                result.fail(
                    exchange,
                    f"an error tells of the server's inside: {name}",
                    expected="a message without stack traces, source paths or SQL",
                    actual=text[max(0, match.start() - 40) : match.end() + 80],
                    code="internals",
                )
                break
        else:
            harmless.add(text)
    if not result.observations:
        result.note(_NO_ERROR)


def _readable(exchange: Exchange) -> str:
    """Return the body's text with escapes resolved and echoes of the request path removed."""
    assert exchange.response is not None
    text = (
        exchange.response.body.decode("utf-8", "replace")
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace('\\"', '"')
        .replace("\\\\", "\\")
    )
    target = exchange.request.url.partition("://")[2].partition("/")[2].partition("?")[0]
    segment = target.rpartition("/")[2]
    for echo in sorted({"/" + target, unquote("/" + target), segment, unquote(segment)}, key=len, reverse=True):
        if len(echo) > 3:
            text = text.replace(echo, "<echo>")
    return text


@SERVER_CHECKS.check("server.rate.429", needs=["staged"])
def rate_429(record: Record, result: CheckResult) -> None:
    """Check that a 429 has a documented body and a valid Retry-After header."""
    for exchange in record.exchanges:
        if exchange.status != 429 or exchange.response is None:
            continue
        result.observe()
        if exchange.request.method != "HEAD":
            _judge_body(record, exchange, result)
            pointer = place_of_status("server.error.status-agrees") or ""
            stated = at_pointer(exchange.response.json.value, pointer)
            documented = has_member(record.operation, 429, pointer)
            if documented and _as_status(record, exchange, pointer, stated) not in (None, 429):
                result.fail(
                    exchange,
                    f"{dotted(pointer)} of a 429",
                    expected="429",
                    actual=shown(stated),
                    code="status-member",
                    pointer=pointer,
                )
        values = exchange.response.header_values("retry-after")
        if len(values) != 1 or not _is_retry_after(values[0]):
            result.fail(
                exchange,
                "Retry-After of a 429",
                expected="seconds or an HTTP date (RFC 9110, 10.2.3)",
                actual=" and ".join(values) if values else "absent",
                code="retry-after",
            )
    if not result.observations:
        result.note("no 429 was observed, and the suite does not provoke any")


def _is_retry_after(text: str) -> bool:
    if text.isascii() and text.strip().isdigit():
        return True
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return False
    return True
