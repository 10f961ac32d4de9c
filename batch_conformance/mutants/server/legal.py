"""Legal variations: servers that differ from the reference server and must pass."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import copy
from posixpath import normpath
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from batch_conformance.mutants.server.base import (
    Payload,
    fault_in_answer,
    fault_in_batch,
    fault_in_errors,
    register,
)
from batch_conformance.operations.get_batch.store import Batch, State, sample_store
from batch_conformance.operations.stored import Store, StoredBatch
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.stdlib_server import WireOptions

LEGAL = ""


def _batch(name: str, change: Callable[[Payload], Any]) -> None:
    fault_in_batch(LEGAL, name, lambda payload, _: change(payload))


def _errors(name: str, change: Callable[[Answer], Answer]) -> None:
    fault_in_errors(LEGAL, name, change)


def _answers(name: str, change: Callable[[ReferenceServer, Asked, Answer], Answer]) -> None:
    fault_in_answer(LEGAL, name, change)


def _header(name: str, value: str) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    def change(_: ReferenceServer, __: Asked, answer: Answer) -> Answer:
        answer.headers = [*answer.headers, (name, value)]
        return answer

    return change


def _type(value: str) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    def change(_: ReferenceServer, __: Asked, answer: Answer) -> Answer:
        answer.media_type = value if answer.media_type else None
        return answer

    return change


# bodies
_batch(
    "extra-members",
    lambda payload: {**payload, "organizationId": "o", "progress": 0.5, "tags": [None, {"a": 1}]},
)
_batch("extra-members-that-look-alike", lambda payload: {
    "createdAt": None, "Status": "done", "error": None, "output_url": 7, **payload})  # fmt: skip
_batch("extra-metrics", lambda payload: {**payload, "metrics": {**payload["metrics"], "canceled_count": -1}})
_batch("webhook-null", lambda payload: {**payload, "webhookUrl": None})
_batch("webhook-absent", lambda payload: {key: value for key, value in payload.items() if key != "webhookUrl"})
_batch("webhook-any-string", lambda payload: {**payload, "webhookUrl": "not a url"})
_batch("offset-plus", lambda payload: {**payload, "created_at": "2024-01-15T12:30:00.123+02:00"})
_batch("offset-minus-zero", lambda payload: {**payload, "created_at": "2024-01-15T10:30:00-00:00"})
_batch("fraction-of-nine-digits", lambda payload: {**payload, "created_at": "2024-01-15T10:30:00.123456789Z"})
_batch("date-in-lower-case", lambda payload: {**payload, "created_at": "2024-01-15t10:30:00z"})
_batch("leap-second", lambda payload: {**payload, "created_at": "2016-12-31T23:59:60Z"})
_batch("leap-day", lambda payload: {**payload, "created_at": "2024-02-29T23:59:59.5Z"})
_batch("counts-as-5.0", lambda payload: json.dumps(
    {**payload, "metrics": {name: float(value) for name, value in payload["metrics"].items()}}).encode())  # fmt: skip
_batch("counts-as-5e0", lambda payload: json.dumps(payload).replace(": 5,", ": 5e0,").encode())
_batch("members-reversed", lambda payload: dict(reversed(payload.items())))
_batch("white-space", lambda payload: b"\r\n\t " + json.dumps(payload, indent=3).encode() + b" \n\n")
_batch("escapes", lambda payload: json.dumps({**payload, "note": "\u00e9\u2028\U0001f600"}).encode())
_batch("slashes-escaped", lambda payload: json.dumps(payload).replace("/", "\\/").encode())
_batch(
    "lone-surrogate",
    lambda payload: json.dumps({**payload, "note": "x"}).replace('"x"', '"\\ud800"').encode(),
)
_batch("large-counts", lambda payload: {**payload, "metrics": {
    "total_generations": 2**53 - 1, "success_count": 2**53 - 1, "failed_count": 0, "pending_count": 0}})  # fmt: skip
_batch("output-early", lambda payload: {**payload, "outputUrl": payload["outputUrl"] or "soon"})
_batch("output-signed", lambda payload: {
    **payload, "outputUrl": "HTTPS://cdn.sync.so:8443/r.jsonl?X-Sig=a%2Fb&e=1#p"} if payload["outputUrl"] else payload)  # fmt: skip
_batch("output-http-ip", lambda payload: {
    **payload, "outputUrl": "http://[::1]:80/r"} if payload["outputUrl"] else payload)  # fmt: skip
_batch("many-members", lambda payload: {**payload, **{f"x{number}": number for number in range(500)}})
_batch("nothing-generated", lambda payload: {**payload, "metrics": dict.fromkeys(payload["metrics"], 0)})

# headers and media types
for _index, _value in enumerate(["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8",
                                 'application/json ; profile="a b"']):  # fmt: skip
    _answers(f"media-type-{_index}", _type(_value))
_answers("cookies", _header("Set-Cookie", "session=1; Path=/"))
_answers("rate-headers", _header("X-RateLimit-Remaining", "10"))
_answers("cors", _header("Access-Control-Allow-Origin", "*"))


class _Counts(ReferenceServer):
    """Numbers its responses, in headers and in errors."""

    count = 0

    def answer(self, asked: Asked) -> Answer:
        self.count += 1
        answer = super().answer(asked)
        answer.headers = [
            *answer.headers,
            ("X-Request-Id", f"r{self.count}"),
            ("X-Instance", f"i{self.count % 2}"),
        ]
        if answer.status >= 400 and isinstance(answer.body, dict):
            answer.body["requestId"] = f"r{self.count}"
        return answer


register("request-ids", LEGAL, _Counts)

# errors
_errors("array-messages", lambda answer: Answer(
    answer.status, {**answer.body, "message": [answer.body["message"], "see docs"]}, answer.headers))  # fmt: skip
_errors("error-codes", lambda answer: Answer(answer.status, {**answer.body, "errorCode": "x"}, answer.headers))
_errors("error-extra-members", lambda answer: Answer(
    answer.status, {**answer.body, "error": "Not Found", "timestamp": "2024-01-15"}, answer.headers))  # fmt: skip
_errors("error-status-code-404.0", lambda answer: Answer(
    answer.status, {**answer.body, "statusCode": float(answer.status)}, answer.headers))  # fmt: skip
_errors("challenge-bearer", lambda answer: Answer(
    answer.status, answer.body, [("WWW-Authenticate", 'Bearer realm="x"')] if answer.status == 401 else answer.headers))  # fmt: skip


def _echo(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
    if answer.status >= 400 and asked.segment and isinstance(answer.body, dict):
        answer.body["message"] = f"{asked.method} {unquote(asked.path.decode('latin-1'), errors='replace')}: no"
    return answer


_answers("errors-echo-the-path", _echo)


def _spelled(value: bytes) -> str:
    return unquote(value.decode("latin-1"), errors="replace")


_answers("hostile-ids-400", lambda server, asked, answer: server.error(400, "Malformed id") if answer.status == 404
         and asked.method == "GET" and asked.segment and b"%" in asked.segment else answer)  # fmt: skip
_answers("gateway-404", lambda _, asked, answer: Answer(404, b"<h1>Not Found</h1>", [], "text/html")
         if re.search(rb"%2f|%5c|%00|/(%2e)+$", asked.path, re.IGNORECASE) else answer)  # fmt: skip
_answers("router-404", lambda _, asked, answer: Answer(404, {"detail": "Not Found"})
         if "/" in _spelled(asked.segment or b"") or "\0" in _spelled(asked.segment or b"") else answer)  # fmt: skip


def _canonical(status: int, base: str = "") -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    """Redirect an odd spelling of the path to the canonical one, before anything else is checked."""

    def change(_: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
        path = _spelled(asked.path)
        plain = normpath(path)
        if not path.isascii() or not path.isprintable() or plain == path:
            return answer
        return Answer(status, b"", [("Location", base + quote(plain))], None)

    return change


for _status in (301, 307, 308):
    _answers(f"odd-paths-{_status}", _canonical(_status))
_answers("odd-paths-301-absolute", _canonical(301, "https://127.0.0.1"))
_answers("form-of-ids-checked", lambda server, asked, answer: server.error(400, "Malformed id") if answer.status == 404
         and asked.method == "GET" and asked.segment and not re.fullmatch(rb"batch_[A-Za-z0-9]+|[A-Za-z0-9_-]+", asked.segment)
         else answer)  # fmt: skip
_answers("long-ids-414", lambda server, asked, answer: Answer(414, b"URI too long", [], "text/plain")
         if len(asked.path) > 1000 else answer)  # fmt: skip
_answers("long-keys-431", lambda server, asked, answer: Answer(431, b"<h1>431</h1>", [], "text/html")
         if any(len(value) > 1000 for _, value in asked.headers) else answer)  # fmt: skip
_answers("long-keys-413", lambda server, asked, answer: server.error(413, "Request header exceeds the size limit")
         if any(len(value) > 1000 for _, value in asked.headers) else answer)  # fmt: skip
_answers("odd-keys-400", lambda server, asked, answer: Answer(400, b"", [], None)
         if any(not value.isascii() for _, value in asked.headers) else answer)  # fmt: skip
_answers("methods-404", lambda server, asked, answer: server.not_found(asked) if answer.status == 405 else answer)
_answers("methods-405-before-auth", lambda server, asked, answer: server.wrong_method(asked)
         if asked.method not in ("GET", "HEAD") else answer)  # fmt: skip
_answers("options-204", lambda server, asked, answer: Answer(204, b"", [("Allow", "GET")], None)
         if asked.method == "OPTIONS" else answer)  # fmt: skip
_answers("methods-501", lambda server, asked, answer: Answer(501, b"<h1>501</h1>", [], "text/html")
         if asked.method not in ("GET", "HEAD", "OPTIONS") else answer)  # fmt: skip


class _Limits(ReferenceServer):
    """Answers every 40th request with 429."""

    count = 0

    def answer(self, asked: Asked) -> Answer:
        self.count += 1
        if self.count % 40 == 0:
            return self.error(429, "Too many requests", [("Retry-After", "0")], "rate_limit_exceeded")
        return super().answer(asked)


register("rate-limited", LEGAL, _Limits)


def _with_store(name: str, *batches: StoredBatch) -> None:
    def build() -> ReferenceServer:
        return ReferenceServer(Store({batch.id: batch for batch in map(copy, batches)}))

    register(name, LEGAL, build)


_sample = sample_store().batches
_with_store("one-completed-batch", _sample["batch_abc123"])
_with_store("one-pending-batch", _sample["batch_ghi789"])
_with_store(
    "uuid-ids",
    Batch("6b1f8a52-3c1e-4f7b-9a56-0d4f9f0b8c11", "2024-01-15T10:30:00Z", [State("COMPLETED", 1, 1)]),
)


class _UuidIds(ReferenceServer):
    """Stores ids as UUIDs, so that any spelling of one finds the batch."""

    def __init__(self) -> None:
        value = "0b4d6c1e-7f3a-4c58-9f0e-2a6b8c9d1e2f"
        super().__init__(Store({value: Batch(value, "2024-01-15T10:30:00Z", [State("COMPLETED", 1, 1)])}))

    def look_up(self, segment: bytes) -> StoredBatch | None:
        try:
            return self.store.batches.get(str(UUID(segment.decode("ascii"))))
        except ValueError:
            return None


register("uuid-in-any-spelling", LEGAL, _UuidIds)


class _HtmlElsewhere(ReferenceServer):
    """Serves the page of a web application for every path outside of the API."""

    def answer(self, asked: Asked) -> Answer:
        if asked.path.startswith(b"/v2/batch") and not asked.path.endswith(b"/"):
            return super().answer(asked)
        return Answer(200, b"<!doctype html><title>Batches</title>", [], "text/html")


register("page-for-people-elsewhere", LEGAL, _HtmlElsewhere, operations=("get", "list"))


def _with_form(name: str, form: str, *values: str, first: bool = False) -> None:
    """Register servers whose ids have a fixed form: others get 400, before or after authentication."""

    class Checks(ReferenceServer):
        def __init__(self) -> None:
            rows = [Batch(value, f"2024-01-{15 + index}T10:30:00Z", [State("COMPLETED", 1, 1)])
                    for index, value in enumerate(values)]  # fmt: skip
            super().__init__(Store({row.id: row for row in rows}))

        def answer(self, asked: Asked) -> Answer:
            formed = asked.segment is None or re.fullmatch(form, _spelled(asked.segment))
            if formed or not (first or self.authenticate(asked)):
                return super().answer(asked)
            return self.error(400, "Malformed id")

    register(name, LEGAL, Checks)


for _first in (False, True):
    _when = "-before-the-key" if _first else ""
    _with_form(
        f"form-object-id{_when}", "[0-9a-f]{24}", "507f1f77bcf86cd799439011", "65a5b1c2d3e4f5a6b7c8d9e0", first=_first
    )
    _with_form(f"form-prefix-and-length{_when}", "batch_[a-z0-9]{6}", "batch_abc123", "batch_q7w8e9", first=_first)
    _with_form(f"form-ulid{_when}", "[0-7][0-9A-HJKMNP-TV-Z]{25}", "01ARZ3NDEKTSV4RRFFQ69G5FAV", first=_first)
    _with_form(f"form-uuid-7{_when}", "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
               "018f3c6e-7b1a-7c58-9f0e-2a6b8c9d1e2f", first=_first)  # fmt: skip
    _with_form(f"form-letters-then-digits{_when}", "[a-z]{3}-[A-Z]{2}[0-9]{8}", "bat-QX00417734", first=_first)
    _with_form(f"form-number{_when}", "[1-9][0-9]*", "4711", "4712", first=_first)
    _with_form(f"form-short-number{_when}", "[1-9][0-9]{0,8}", "10412", "10377", first=_first)
_with_store("numeric-ids", Batch("4711", "2024-01-15T10:30:00Z", [State("COMPLETED", 1, 1)]))
_with_store("ids-that-extend-each-other", *[
    Batch(value, f"2024-01-{15 + index}T10:30:00Z", [State("COMPLETED", 1, 1)])
    for index, value in enumerate(["batch_1", "batch_12", "batch_123", "batch_2"])])  # fmt: skip
_with_store("ids-with-specials", Batch("batch a/b?c#d%é", "2024-01-15T10:30:00Z", [State("COMPLETED", 1, 1)]))
_with_store("short-id", Batch("7", "2024-01-15T10:30:00Z", [State("FAILED", 1, 0, 1)]))
_with_store("skips-states", Batch(
    "batch_quick", "2024-01-15T10:30:00Z", [State("PENDING", 2), State("COMPLETED", 2, 2)]))  # fmt: skip
_with_store("total-grows-before-the-end", Batch("batch_grow", "2024-01-15T10:30:00Z", [
    State("PENDING", 0), State("JOBS_CREATED", 3, 0, 0, 3), State("PROCESSING", 5, 1, 0, 4), State("FAILED", 5, 1, 1, 3)]))  # fmt: skip


def _with_options(name: str, manner: WireOptions) -> None:
    def build() -> ReferenceServer:
        app = ReferenceServer()
        app.manner = manner
        return app

    register(name, LEGAL, build)


_with_options("plain-http-1.1", WireOptions())
_with_options("http-1.0", WireOptions(version="HTTP/1.0"))
_with_options("chunked", WireOptions(chunked=True))
_with_options("gzip", WireOptions(gzip=True))
_with_options("gzip-chunked", WireOptions(gzip=True, chunked=True))
_with_options("connection-close", WireOptions(close=True))
