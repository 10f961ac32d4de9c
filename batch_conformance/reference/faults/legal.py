"""Legal variations: servers that differ from the reference one and break nothing. None may raise an alarm."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from batch_conformance.reference.faults.base import (
    Payload,
    fault_in_answer,
    fault_in_batch,
    fault_in_errors,
    register,
)
from batch_conformance.reference.plain import Manner
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.store import Batch, State, Store, sample_store

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
_batch(
    "webhook-absent", lambda payload: {key: value for key, value in payload.items() if key != "webhookUrl"}
)
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
    """Numbers its answers, in headers and in errors."""

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
_errors(
    "error-codes", lambda answer: Answer(answer.status, {**answer.body, "errorCode": "x"}, answer.headers)
)
_errors("error-extra-members", lambda answer: Answer(
    answer.status, {**answer.body, "error": "Not Found", "timestamp": "2024-01-15"}, answer.headers))  # fmt: skip
_errors("error-status-code-404.0", lambda answer: Answer(
    answer.status, {**answer.body, "statusCode": float(answer.status)}, answer.headers))  # fmt: skip
_errors("challenge-bearer", lambda answer: Answer(
    answer.status, answer.body, [("WWW-Authenticate", 'Bearer realm="x"')] if answer.status == 401 else answer.headers))  # fmt: skip


def _echo(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
    if answer.status >= 400 and asked.segment and isinstance(answer.body, dict):
        answer.body["message"] = (
            f"{asked.method} {unquote(asked.path.decode('latin-1'), errors='replace')}: no"
        )
    return answer


_answers("errors-echo-the-path", _echo)


def _hostile_400(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
    if answer.status == 404 and asked.segment and asked.method == "GET" and b"%" in asked.segment:
        decoded = unquote(asked.segment.decode("latin-1"))
        if (
            decoded.strip() == decoded
            and not decoded.startswith("batch_abc123,")
            and "%62" not in decoded
        ):
            return server.error(400, "Malformed id")
    return answer


_answers("hostile-ids-400", _hostile_400)
_answers("form-of-ids-checked", lambda server, asked, answer: server.error(400, "Malformed id") if answer.status == 404
         and asked.method == "GET" and asked.segment and not re.fullmatch(rb"batch_[A-Za-z0-9]+|[A-Za-z0-9_-]+", asked.segment)
         else answer)  # fmt: skip
_answers("long-ids-414", lambda server, asked, answer: Answer(414, b"URI too long", [], "text/plain")
         if len(asked.path) > 1000 else answer)  # fmt: skip
_answers("long-keys-431", lambda server, asked, answer: Answer(431, b"<h1>431</h1>", [], "text/html")
         if any(len(value) > 1000 for _, value in asked.headers) else answer)  # fmt: skip
_answers("odd-keys-400", lambda server, asked, answer: Answer(400, b"", [], None)
         if any(not value.isascii() for _, value in asked.headers) else answer)  # fmt: skip
_answers(
    "methods-404", lambda server, asked, answer: server.not_found(asked) if answer.status == 405 else answer
)
_answers("methods-405-before-auth", lambda server, asked, answer: server.wrong_method(asked)
         if asked.method not in ("GET", "HEAD") else answer)  # fmt: skip
_answers("options-204", lambda server, asked, answer: Answer(204, b"", [("Allow", "GET")], None)
         if asked.method == "OPTIONS" else answer)  # fmt: skip
_answers("methods-501", lambda server, asked, answer: Answer(501, b"<h1>501</h1>", [], "text/html")
         if asked.method not in ("GET", "HEAD", "OPTIONS") else answer)  # fmt: skip


class _Limits(ReferenceServer):
    """Every 40th request is one too many."""

    count = 0

    def answer(self, asked: Asked) -> Answer:
        self.count += 1
        if self.count % 40 == 0:
            return self.error(429, "Too many requests", [("Retry-After", "0")], "rate_limited")
        return super().answer(asked)


register("rate-limited", LEGAL, _Limits)


def _with_store(name: str, *batches: Batch) -> None:
    def build() -> ReferenceServer:
        return ReferenceServer(Store({batch.id: batch for batch in (_fresh(batch) for batch in batches)}))

    register(name, LEGAL, build)


def _fresh(batch: Batch) -> Batch:
    return Batch(batch.id, batch.created_at, batch.states, batch.webhook_url, batch.show_null_webhook)


_sample = sample_store().batches
_with_store("one-completed-batch", _sample["batch_abc123"])
_with_store("one-pending-batch", _sample["batch_ghi789"])
_with_store(
    "uuid-ids",
    Batch("6b1f8a52-3c1e-4f7b-9a56-0d4f9f0b8c11", "2024-01-15T10:30:00Z", [State("COMPLETED", 1, 1)]),
)
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


def _in_manner(name: str, manner: Manner) -> None:
    def build() -> ReferenceServer:
        app = ReferenceServer()
        app.manner = manner
        return app

    register(name, LEGAL, build)


_in_manner("plain-http-1.1", Manner())
_in_manner("http-1.0", Manner(version="HTTP/1.0"))
_in_manner("chunked", Manner(chunked=True))
_in_manner("gzip", Manner(gzip=True))
_in_manner("gzip-chunked", Manner(gzip=True, chunked=True))
_in_manner("connection-close", Manner(close=True))
