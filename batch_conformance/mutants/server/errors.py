"""Faults in errors: ``server.error.*`` and ``server.rate.429``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batch_conformance.mutants.server.base import fault_in_answer, fault_in_errors
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

BODY = "server.error.body"
HTML = b"<!DOCTYPE html><title>Error</title><h1>Something went wrong</h1>"


def _body(change: Callable[[dict[str, Any]], Any]) -> Callable[[Answer], Answer]:
    def apply(answer: Answer) -> Answer:
        if isinstance(answer.body, dict):
            answer.body = change(answer.body)
        return answer

    return apply


def _without(name: str) -> Callable[[Answer], Answer]:
    return _body(lambda body: {key: value for key, value in body.items() if key != name})


def _with(**members: Any) -> Callable[[Answer], Answer]:
    return _body(lambda body: {**body, **members})


def _but_429(change: Callable[[Answer], Answer]) -> Callable[[Answer], Answer]:
    return lambda answer: answer if answer.status == 429 else change(answer)


for _name, _change in {
    "error-message-array-of-objects": _with(message=[{"text": "no"}]),
    "error-status-code-string": _body(lambda body: {**body, "statusCode": str(body["statusCode"])}),
    "error-status-code-true": _with(statusCode=True),
    "error-snake-case": _body(lambda body: {"message": body["message"], "status_code": body["statusCode"]}),
    "error-in-error": _body(lambda body: {"error": body}),
    "error-detail": _body(lambda body: {"detail": body["message"]}),
    "error-array": _body(lambda body: [body]),
    "error-string": _body(lambda body: body["message"]),
    "error-null": _body(lambda body: None),
    "error-not-json": _body(lambda body: b"Error: no"),
    "error-empty": _body(lambda body: b""),
}.items():
    fault_in_errors(BODY, _name, _but_429(_change))
fault_in_errors(BODY, "error-404-no-message", _without("message"), only=404)
fault_in_errors(BODY, "error-401-no-status-code", _without("statusCode"), only=401)
fault_in_errors(BODY, "error-500-empty", _body(lambda body: b""), only=500)
fault_in_errors(BODY, "error-405-empty", _body(lambda body: b""), only=405)

AGREES = "server.error.status-agrees"
fault_in_errors(AGREES, "status-code-400-always", _but_429(_with(statusCode=400)))
fault_in_errors(AGREES, "status-code-200", _with(statusCode=200), only=404)
fault_in_errors(AGREES, "status-code-403-in-401", _with(statusCode=403), only=401)
fault_in_errors(AGREES, "status-code-0", _with(statusCode=0), only=401)
fault_in_errors(AGREES, "status-code-500-in-404", _with(statusCode=500), only=404)
fault_in_errors(AGREES, "status-code-502-in-500", _with(statusCode=502), only=500)
fault_in_errors(AGREES, "status-code-40401", _with(statusCode=40401), only=404)
fault_in_errors(AGREES, "status-code-fraction", _with(statusCode=404.5), only=404)


def _type(media_type: str | None) -> Callable[[Answer], Answer]:
    def apply(answer: Answer) -> Answer:
        if answer.status != 429:
            answer.media_type = media_type
        return answer

    return apply


MEDIA = "server.error.media-type"
fault_in_errors(MEDIA, "error-type-html", _type("text/html"))
fault_in_errors(MEDIA, "error-type-text", _type("text/plain"))
fault_in_errors(MEDIA, "error-type-missing", _type(None))
fault_in_errors(MEDIA, "error-type-problem", _type("application/problem+json"))
fault_in_errors(MEDIA, "error-type-404-html", _type("text/html"), only=404)
fault_in_errors(MEDIA, "error-type-401-text", _type("text/plain"), only=401)
fault_in_errors(MEDIA, "error-type-500-html", _type("text/html"), only=500)


def _html(answer: Answer) -> Answer:
    return Answer(answer.status, HTML, answer.headers, "text/html")


for _status in (401, 404, 500):
    fault_in_errors(BODY, f"error-{_status}-html", _html, only=_status, also=[MEDIA])

INTERNALS = "server.error.no-internals"
for _name, _text in {
    "trace-python": 'Traceback (most recent call last):\n  File "/app/batch.py", line 12, in get\nKeyError',
    "trace-node": "Error: nope\n    at getBatch (/srv/app/dist/batch.js:12:7)",
    "trace-java": "java.lang.NullPointerException at so.sync.Batch.get(Batch.java:41)",
    "trace-java-modules": "nope\n\tat java.base/java.time.format.DateTimeFormatter.parse(DateTimeFormatter.java:2052)",
    "trace-go": "panic: nil map\n\ngoroutine 7 [running]:\nmain.go:12",
    "trace-ruby": "app/models/batch.rb:12:in `find'",
    "path-home": "cannot open /home/deploy/api/src/batch.ts",
    "path-windows": "cannot open C:\\inetpub\\api\\batch.cs",
    "path-node-modules": "thrown in node_modules/pg/lib/client.js",
    "sql-select": "query failed: SELECT * FROM batches WHERE id = $1",
    "sql-postgres": 'syntax error at or near "AND"',
    "sql-sqlite": "sqlite3.OperationalError: no such column: id",
    "driver-prisma": "PrismaClientKnownRequestError: invalid invocation",
    "sql-update": "failed: UPDATE batches SET reads = 1",
}.items():
    fault_in_errors(INTERNALS, _name, _with(message=_text), only=404)
fault_in_errors(INTERNALS, "trace-in-stack-member", _with(stack="Error\n    at f (/srv/api/x.js:1:2)"), only=404)
fault_in_errors(INTERNALS, "trace-in-500", _with(message="at so.sync.Api.get(Api.java:9)"), only=500)


# documented statuses: only for requests that no other clause judges
def _odd(test: Callable[[Asked], bool], status: int) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    def change(server: ReferenceServer, asked: Asked, plain: Answer) -> Answer:
        return server.error(status, "Internal server error") if plain.status < 400 and test(asked) else plain

    return change


DOCUMENTED = "server.error.documented-status"
fault_in_answer(DOCUMENTED, "query-500", _odd(lambda asked: bool(asked.query), 500))
fault_in_answer(
    DOCUMENTED,
    "accept-any-500",
    _odd(lambda asked: asked.header(b"accept") == [b"*/*"], 500),
    also=["server.ok.status"],
)
fault_in_answer(
    DOCUMENTED, "no-user-agent-500", _odd(lambda asked: not asked.header(b"user-agent"), 500), also=["server.ok.status"]
)
fault_in_answer(
    DOCUMENTED,
    "accept-language-503",
    _odd(lambda asked: bool(asked.header(b"accept-language")), 503),
    also=["server.ok.status"],
)
fault_in_answer(DOCUMENTED, "conditional-500", _odd(lambda asked: bool(asked.header(b"if-none-match")), 500))
fault_in_answer(DOCUMENTED, "range-500", _odd(lambda asked: bool(asked.header(b"range")), 500))

RATE = "server.rate.429"
fault_in_errors(RATE, "429-no-retry-after", lambda answer: Answer(429, answer.body), only=429)
fault_in_errors(RATE, "429-bad-retry-after",
                lambda answer: Answer(429, answer.body, [("Retry-After", "soon")]), only=429)  # fmt: skip
fault_in_errors(RATE, "429-negative-retry-after",
                lambda answer: Answer(429, answer.body, [("Retry-After", "-1")]), only=429)  # fmt: skip
fault_in_errors(RATE, "429-no-message", _without("message"), only=429)
fault_in_errors(RATE, "429-html", _html, only=429)
