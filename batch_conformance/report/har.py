"""All exchanges of a run as HAR 1.2, redacted, for the developer tools of a browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from batch_conformance import __version__
from batch_conformance.checks.result import RunResult
from batch_conformance.http import Exchange, Redactor

#: The most bytes of a body in the file.
BODY_LIMIT = 256 * 1024


def har_page(run: RunResult, title: str) -> dict[str, Any]:
    """Return a HAR page for one run, with its exchanges as entries in the order in which they began."""
    redactor = run.redactor
    began = _started(run)
    ordered = sorted(run.exchanges, key=lambda exchange: exchange.started)
    first = ordered[0].started if ordered else 0.0
    page = {
        "startedDateTime": began.isoformat(timespec="milliseconds"),
        "id": title,
        "title": redactor.text(f"{title}: {run.subject.name} {run.subject.version}".strip()),
        "pageTimings": {},
    }
    entries = [_entry(exchange, began, first, title, redactor) for exchange in ordered]
    return {"pages": [page], "entries": entries}


def har_text(parts: list[Mapping[str, Any]]) -> str:
    """Return the text of a HAR file with the pages of several runs."""
    log = {
        "version": "1.2",
        "creator": {"name": "sync-batch-conformance", "version": __version__},
        "pages": [page for part in parts for page in part["pages"]],
        "entries": [entry for part in parts for entry in part["entries"]],
    }
    # ASCII, so that the text holds no invisible or bidirectional control characters.
    return json.dumps({"log": log}, ensure_ascii=True, indent=1).replace("<", "\\u003c") + "\n"


def _started(run: RunResult) -> datetime:
    try:
        return datetime.fromisoformat(run.started)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)


def _entry(exchange: Exchange, began: datetime, first: float, page: str, redactor: Redactor) -> dict[str, Any]:
    taken = max(0.0, exchange.ended - exchange.started) * 1000
    comment = "; ".join(part for part in (exchange.intent.label, *exchange.notes) if part)
    entry: dict[str, Any] = {
        "pageref": page,
        "startedDateTime": (began + timedelta(seconds=exchange.started - first)).isoformat(timespec="milliseconds"),
        "time": round(taken, 3),
        "request": _request(exchange, redactor),
        "response": _response(exchange, redactor),
        "cache": {},
        "timings": {"send": 0, "wait": round(taken, 3), "receive": 0},
        "connection": str(exchange.connection),
    }
    if comment:
        entry["comment"] = _text(comment, redactor)
    return entry


def _request(exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
    request = exchange.request
    # Redacted before decoding, which would turn the + of a key into a space.
    query = parse_qsl(_text(request.url, redactor).partition("?")[2].partition("#")[0], keep_blank_values=True)
    entry: dict[str, Any] = {
        "method": _text(request.method, redactor),
        "url": _text(request.url, redactor),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.headers, redactor),
        "queryString": [{"name": _text(name, redactor), "value": _text(value, redactor)} for name, value in query],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        kind = next(iter(request.header_values("content-type")), "")
        text = request.body[:BODY_LIMIT].decode("utf-8", "backslashreplace")
        entry["postData"] = {"mimeType": _text(kind, redactor), "text": _text(text, redactor)}
    return entry


def _response(exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
    response = exchange.response
    entry: dict[str, Any] = {
        # 0 means no response, as in the HAR files of browsers.
        "status": response.status if response else 0,
        "statusText": _text(response.reason, redactor) if response else "",
        "httpVersion": response.http_version if response else "",
        "cookies": [],
        "headers": _headers(response.headers, redactor) if response else [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(response.body) if response else 0,
    }
    if response:
        kind = next(iter(response.header_values("content-type")), "x-unknown")
        entry["content"] = {"size": len(response.body), "mimeType": _text(kind, redactor)} | _body(
            response.body, redactor
        )
        entry["redirectURL"] = _text(next(iter(response.header_values("location")), ""), redactor)
    if exchange.failure:
        entry["_error"] = _text(exchange.failure.message, redactor)
        entry["comment"] = entry["_error"]
    return entry


def _body(body: bytes, redactor: Redactor) -> dict[str, str]:
    # Cut after redaction: a secret that is cut in two would not be redacted.
    text = redactor.text(body[: 2 * BODY_LIMIT].decode("utf-8", "surrogateescape"))[:BODY_LIMIT]
    note = {"comment": f"cut: {BODY_LIMIT:,} of {len(body):,} bytes"} if len(body) > BODY_LIMIT else {}
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogateescape")
        return {"text": base64.b64encode(raw).decode("ascii"), "encoding": "base64"} | note
    return {"text": text} | note


def _headers(headers: tuple[tuple[str, str], ...], redactor: Redactor) -> list[dict[str, str]]:
    return [{"name": _text(name, redactor), "value": _text(value, redactor)} for name, value in headers]


def _text(text: str, redactor: Redactor) -> str:
    return redactor.text(_plain(text))


def _plain(text: str) -> str:
    """Replace lone surrogates, which JSON in UTF-8 cannot hold."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
