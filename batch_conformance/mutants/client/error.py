"""Faults with error statuses: ``client.error.*``."""
# Callbacks get arguments that few faults use; table rows stay on one line.
# ruff: noqa: ARG005, E501

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from batch_conformance.mutants.client.base import Faulty, Registry, empty_batch
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry()


def _kind_fault(name: str, status: int, description: str, kind: str, reported: int | None, clause: str = "") -> None:
    """Register a client that reports a status as another kind, or as another status."""

    class Changed(Faulty):
        def error(self, answer: Answer) -> BatchError:
            error = super().error(answer)
            return BatchError(kind, str(error), reported) if answer.status == status else error

    mutant(name, f"error.{clause or status}", description)(Changed)


def _status_is_batch(name: str, status: int, description: str, clause: str = "") -> None:
    class Changed(Faulty):
        def read(self, answer: Answer) -> Batch:
            return empty_batch(self) if answer.status == status else super().read(answer)

    mutant(name, f"error.{clause or status}", description)(Changed)


for _status, _kind in (
    (401, "unauthorized"),
    (404, "not_found"),
    (429, "rate_limited"),
    (500, "server_error"),
):
    _kind_fault(f"{_status}-as-http", _status, f"has no kind of its own for {_status}", "http", _status)
    _kind_fault(f"{_status}-without-status", _status, f"does not tell the status {_status}", _kind, None)
    _status_is_batch(f"{_status}-is-empty-batch", _status, f"makes an empty batch of {_status}")
_kind_fault("401-as-not-found", 401, "calls 401 not found", "not_found", 404)
_kind_fault("404-as-unauthorized", 404, "calls 404 unauthorized", "unauthorized", 401)
_kind_fault("429-as-server-error", 429, "calls 429 a server error", "server_error", 429)
_kind_fault("429-as-503", 429, "tells 503 for 429", "rate_limited", 503)
_kind_fault("500-as-decode", 500, "cannot decode a 500", "decode", None)
_kind_fault("500-as-timeout", 500, "calls 500 a timeout", "timeout", None)
_kind_fault("500-as-transport", 500, "calls 500 a failure of transport", "transport", None)
_OTHER = "other-status"
_kind_fault("403-as-unauthorized", 403, "calls 403 unauthorized", "unauthorized", 401, _OTHER)
_kind_fault("402-as-decode", 402, "cannot decode a 402", "decode", None, _OTHER)
_kind_fault("410-as-not-found", 410, "calls 410 not found", "not_found", 404, _OTHER)
_kind_fault("503-as-rate-limited", 503, "calls 503 a rate limit", "rate_limited", 429, _OTHER)
_kind_fault("502-without-status", 502, "does not tell the status 502", "server_error", None, _OTHER)
_kind_fault("418-as-server-error", 418, "calls 418 a server error", "server_error", 500, _OTHER)
_status_is_batch("409-is-empty-batch", 409, "makes an empty batch of 409", _OTHER)
_status_is_batch("422-is-empty-batch", 422, "makes an empty batch of 422", _OTHER)


@mutant("status-rounded", "error." + _OTHER, "tells 400 for every other 4xx, 500 for every 5xx")
class _Rounded(Faulty):
    def error(self, answer: Answer) -> BatchError:
        error = super().error(answer)
        if answer.status in (401, 404, 429):
            return error
        return BatchError(error.kind, str(error), answer.status // 100 * 100)


@mutant(
    "only-documented-statuses",
    "error." + _OTHER,
    "looks for documented error statuses only",
    "reject.other-status",
)
class _OnlyDocumented(Faulty):
    def read(self, answer: Answer) -> Batch:
        if answer.status in (401, 404, 429, 500):
            raise self.error(answer)
        return self.batch(self.json(answer.body))


@mutant("above-500-is-fine", "error." + _OTHER, "takes statuses above 500 for good ones")
class _Above500(Faulty):
    def read(self, answer: Answer) -> Batch:
        return self.batch(self.json(answer.body)) if answer.status > 500 else super().read(answer)


_MESSAGE = "error.message"


def _message_fault(name: str, description: str, change: Callable[[Any], Any]) -> None:
    class Changed(Faulty):
        def message(self, answer: Answer) -> str:
            try:
                body = json.loads(answer.body)
            except ValueError:
                return super().message(answer)
            if isinstance(body, dict) and "message" in body:
                body["message"] = change(body["message"])
            return super().message(Answer(answer.status, answer.headers, json.dumps(body).encode()))

    mutant(name, _MESSAGE, description)(Changed)


_message_fault("message-dropped", "says something of its own", lambda said: None)
_message_fault(
    "message-array-dropped", "loses arrays of messages", lambda said: said if isinstance(said, str) else None
)
_message_fault(
    "message-array-first",
    "takes the first of several messages",
    lambda said: said[0] if isinstance(said, list) and said else said,
)
_message_fault(
    "message-array-last",
    "takes the last of several messages",
    lambda said: said[-1] if isinstance(said, list) and said else said,
)
_message_fault("message-cut", "cuts messages off", lambda said: said[:60] if isinstance(said, str) else said)
_message_fault(
    "message-first-word",
    "shows the first word",
    lambda said: said.split()[0] if isinstance(said, str) and said else said,
)
_message_fault(
    "message-formatted",
    "puts messages into a template",
    lambda said: said.replace("{", "").replace("%s", "404") if isinstance(said, str) else said,
)
_message_fault("message-upper-case", "shouts", lambda said: said.upper() if isinstance(said, str) else said)


@mutant("message-of-500-hidden", _MESSAGE, "hides what the server says about a 500")
class _Hidden500(Faulty):
    def message(self, answer: Answer) -> str:
        return "Internal server error" if answer.status >= 500 else super().message(answer)


_ODD = "error.odd-body"


def _body_fault(name: str, description: str, odd: Callable[[bytes], bool], error: Exception, *also: str) -> None:
    """Register a client that raises ``error`` for error bodies for which ``odd`` is true."""

    class Changed(Faulty):
        def error(self, answer: Answer) -> BatchError:
            if odd(answer.body):
                raise error
            return super().error(answer)

    mutant(name, _ODD, description, *also)(Changed)


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _message_of(body: bytes) -> Any:
    value = _json_or_none(body)
    return value.get("message", "") if isinstance(value, dict) else ""


_UNREADABLE = BatchError("decode", "the error cannot be read")
_body_fault(
    "error-must-be-json",
    "cannot decode an error that is not JSON",
    lambda body: body != b"null" and _json_or_none(body) is None,
    _UNREADABLE,
)
_body_fault("error-must-not-be-empty", "cannot decode an empty error", lambda body: not body, _UNREADABLE)
_body_fault(
    "error-html-crash",
    "dies of an error page",
    lambda body: body.startswith(b"<"),
    ValueError("Expecting value"),
)
_body_fault("error-array-crash", "dies of an error that is an array",
            lambda body: isinstance(_json_or_none(body), list), AttributeError("'list' object has no attribute 'get'"))  # fmt: skip
_body_fault("error-must-be-object", "cannot decode an error that is no object",
            lambda body: not isinstance(_json_or_none(body) or {}, dict), _UNREADABLE)  # fmt: skip
_body_fault("error-must-have-message", "cannot decode an error without a message",
            lambda body: isinstance(_json_or_none(body), dict) and "message" not in json.loads(body), _UNREADABLE)  # fmt: skip
_body_fault(
    "error-null-message-crash",
    "dies of a message that is null",
    lambda body: _message_of(body) is None,
    TypeError("NoneType"),
)
_body_fault(
    "error-message-object-crash",
    "dies of a message that is an object",
    lambda body: isinstance(_message_of(body), dict),
    TypeError("dict"),
)
_body_fault(
    "error-utf8-crash",
    "dies of an error that is not UTF-8",
    lambda body: b"\xff" in body,
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "?"),
)
_body_fault(
    "error-page-is-transport",
    "blames the way for an error page",
    lambda body: body.startswith(b"<"),
    BatchError("transport", "bad gateway"),
)
_body_fault("error-status-code-text", "dies of a statusCode that is text",
            lambda body: isinstance((_json_or_none(body) or {}).get("statusCode") if body[:1] == b"{" else 0, str), TypeError("str"),
            "error.status-line-wins")  # fmt: skip

_LINE = "error.status-line-wins"


@mutant("body-status-wins", _LINE, "believes the statusCode of the body")
class BodyWins(Faulty):
    """Prefers the ``statusCode`` in the body to the status line."""

    def error(self, answer: Answer) -> BatchError:
        """Return the error for the status in the body."""
        error = super().error(answer)
        claimed = (_json_or_none(answer.body) or {}).get("statusCode") if answer.body[:1] == b"{" else None
        if not isinstance(claimed, int) or claimed < 100 or claimed == answer.status:
            return error
        return BatchError(self.kind(claimed), str(error), claimed)


@mutant("body-status-wins-on-200", _LINE, "looks for a statusCode in a batch")
class _WinsOn200(Faulty):
    def batch(self, value: Any) -> Batch:
        claimed = value.get("statusCode") if isinstance(value, dict) and "id" in value else None
        if isinstance(claimed, int) and claimed >= 400:
            raise BatchError(self.kind(claimed), "so it says", claimed)
        return super().batch(value)


@mutant("body-kind-wins", _LINE, "takes the kind from the body, the status from the line")
class _KindWins(BodyWins):
    def error(self, answer: Answer) -> BatchError:
        return BatchError(super().error(answer).kind, self.message(answer), answer.status)


@mutant("batch-in-error-taken", _LINE, "takes a batch wherever there is one", "reject.other-status")
class _TakesBatch(Faulty):
    def read(self, answer: Answer) -> Batch:
        value = _json_or_none(answer.body)
        return self.batch(value) if isinstance(value, dict) and "metrics" in value else super().read(answer)


@mutant("body-200-is-decode", _LINE, "is confused by an error whose body says 200")
class _Says200(Faulty):
    def error(self, answer: Answer) -> BatchError:
        if b'"statusCode": 200' in answer.body:
            raise BatchError("decode", "no error after all")
        return super().error(answer)
