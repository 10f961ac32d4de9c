"""Recorded requests, responses and exchanges. They hold raw secrets: redaction happens on output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from batch_conformance.http.strict_json import Json, read_json

#: Kinds of ids: of an existing batch, of no batch, a variant of a known id, or a hostile value.
IdKind = Literal["known", "unknown", "near", "hostile"]
#: Kinds of keys: valid, none, empty, unknown, a variant of the valid one, hostile, valid but in the wrong
#: place, or another organisation's.
KeyKind = Literal["valid", "missing", "empty", "invalid", "near", "hostile", "misplaced", "other-org"]
#: Ways in which an exchange ends without a complete response.
FailureKind = Literal["refused", "reset", "truncated", "timeout", "not-http", "too-large", "tls", "other"]


@dataclass(frozen=True)
class Intent:
    """Purpose of a request: context that checks need and that the exchange itself does not carry.

    ``label`` describes for people what is special, e.g. "key without its last character". ``staged`` is the
    status that a staging hook made the server answer this request with. ``operation`` is the suite's name of
    the operation. ``places`` counts the places of a misplaced key.
    """

    probe: str
    id: str
    id_kind: IdKind
    key_kind: KeyKind
    label: str = ""
    staged: int | None = None
    operation: str = "get"
    places: int = 1


class _Message:
    """Base of requests and responses."""

    headers: tuple[tuple[str, str], ...]

    def header_values(self, name: str) -> list[str]:
        """Return all values of a header, in order; the name is case-insensitive."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True)
class Request(_Message):
    """Request as sent: header names and values as on the wire, body as bytes."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


@dataclass(frozen=True)
class Response(_Message):
    """Response as received. ``body`` has transfer and content codings removed and is cut at a size limit."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    reason: str = ""
    http_version: str = "HTTP/1.1"

    @cached_property
    def json(self) -> Json:
        """The body, parsed strictly as RFC 8259 JSON."""
        return read_json(self.body)

    @property
    def media_type(self) -> str | None:
        """The media type in lower case without parameters; None if absent, repeated or empty."""
        values = self.header_values("content-type")
        if len(values) != 1:
            return None
        return values[0].split(";", 1)[0].strip().lower() or None


@dataclass(frozen=True)
class Failure:
    """Reason why there is no response, or no complete one."""

    kind: FailureKind
    message: str


@dataclass(frozen=True)
class Exchange:
    """One request and its response, or the failure that occurred instead.

    ``started`` and ``ended`` are seconds on one monotonic clock of the run. ``connection`` is the number of
    the connection in the run; ``reused`` is true if the request was not the first one on it. ``replay`` is
    the case that the stub was playing, for replays; None for requests that the suite sent.
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
        """The HTTP status, or None if there is no response."""
        return self.response.status if self.response else None

    def outcome(self) -> str:
        """Return a short summary: the status, or how the exchange failed."""
        if self.response is None:
            return f"no response ({self.failure.message})" if self.failure else "no response"
        text = f"{self.response.status} {self.response.reason}".strip()
        return f"{text}, then {self.failure.message}" if self.failure else text


def overlapping(first: Exchange, second: Exchange) -> bool:
    """Whether two exchanges overlap in time."""
    return first.started < second.ended and second.started < first.ended


def in_order(exchanges: list[Exchange]) -> Iterator[tuple[Exchange, Exchange]]:
    """Yield each exchange with the first one that started after it had ended."""
    ordered = sorted(exchanges, key=lambda exchange: exchange.started)
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if not overlapping(first, second):
                yield first, second
                break
