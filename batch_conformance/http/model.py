"""Requests, responses and exchanges as recorded. Raw: redaction happens on output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from batch_conformance.http.strict_json import Json, read_json

#: Kinds of ids: a batch that exists, none, a variant of a known id, or a hostile value.
IdKind = Literal["known", "unknown", "near", "hostile"]
#: Kinds of keys: valid, none, empty, unknown, a variant of the valid one, hostile, or valid but misplaced.
KeyKind = Literal["valid", "missing", "empty", "invalid", "near", "hostile", "misplaced", "other-org"]
#: How an exchange ended without a whole response.
FailureKind = Literal["refused", "reset", "truncated", "timeout", "not-http", "too-large", "tls", "other"]


@dataclass(frozen=True)
class Intent:
    """The purpose of a request: context that a check needs and an answer does not carry.

    ``label`` says in words what is special, e.g. "key without its last character".
    ``staged`` is the status that the server was told to answer with, for this request. ``operation`` is the contract's,
    by the suite's name for it.
    """

    probe: str
    id: str
    id_kind: IdKind
    key_kind: KeyKind
    label: str = ""
    staged: int | None = None
    operation: str = "get"


@dataclass(frozen=True)
class Request:
    """A request as sent: header names and values as on the wire, the body's bytes."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header_values(self, name: str) -> list[str]:
        """All values of a header, in order, whatever the case of its name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True)
class Response:
    """A response as received. ``body`` is what the transfer and content codings held, up to the cap."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    reason: str = ""
    http_version: str = "HTTP/1.1"

    def header_values(self, name: str) -> list[str]:
        """All values of a header, in order, whatever the case of its name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @cached_property
    def json(self) -> Json:
        """The body read strictly as RFC 8259 JSON."""
        return read_json(self.body)

    @property
    def media_type(self) -> str | None:
        """The media type in lower case without parameters; None when absent, given twice or malformed."""
        values = self.header_values("content-type")
        if len(values) != 1:
            return None
        return values[0].split(";", 1)[0].strip().lower() or None


@dataclass(frozen=True)
class Failure:
    """Why there is no response, or no whole one."""

    kind: FailureKind
    message: str


@dataclass(frozen=True)
class Exchange:
    """One request and its response, or the failure that took its place.

    ``started`` and ``ended`` are seconds on one monotonic clock of the run. ``connection`` counts the connections
    of the run; ``reused`` is true if the request was not the first one on it. ``replay`` is the case that a
    stub was playing, so that it can be replayed; None for requests that the suite sent.
    """

    number: int
    intent: Intent
    request: Request
    response: Response | None
    failure: Failure | None = None
    started: float = 0.0
    ended: float = 0.0
    connection: int = 0
    reused: bool = False
    notes: tuple[str, ...] = field(default=())
    replay: object | None = field(default=None, compare=False, repr=False)

    @property
    def status(self) -> int | None:
        """The HTTP status, None when no response began."""
        return self.response.status if self.response else None

    def outcome(self) -> str:
        """Summary in a few words: the status, or how the exchange failed."""
        if self.response is None:
            return f"no response ({self.failure.message})" if self.failure else "no response"
        text = f"{self.response.status} {self.response.reason}".strip()
        return f"{text}, then {self.failure.message}" if self.failure else text


def overlapping(first: Exchange, second: Exchange) -> bool:
    """Whether two exchanges overlap in time, so that neither is before the other."""
    return first.started < second.ended and second.started < first.ended


def in_order(exchanges: list[Exchange]) -> Iterator[tuple[Exchange, Exchange]]:
    """Pairs of an exchange and the next one that began after it had ended."""
    ordered = sorted(exchanges, key=lambda exchange: exchange.started)
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if not overlapping(first, second):
                yield first, second
                break
