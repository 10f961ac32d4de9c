"""Scripted responses of a stub as plain data, and a builder for them.

batch()                                   200 with the contract's example batch
batch(status="PROCESSING").chunked(1)     the same with another status, in chunks of one byte
error(429).with_header("Retry-After", "1")
batch().cut_off(after=20)                 the connection closes early
silence()                                 nothing, until the client closes the connection
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Literal

from batch_conformance.contract.entity import entity_of, examples_of
from batch_conformance.contract.media_types import JSON
from batch_conformance.contract.statuses import status_member

#: State of the connection after a response.
Ending = Literal["keep", "close", "reset", "hang"]
Framing = Literal["length", "chunked", "close"]
_AHEAD = re.compile(r"\{(\d+) s from now\}")


@dataclass(frozen=True)
class StubResponse:
    """One scripted response. Every method returns a changed copy.

    ``cut`` is how many bytes of the body are sent, None for all; ``announced`` a Content-Length other than the true
    one; ``pieces`` the number of bytes a write, ``pause`` the seconds between writes, ``delay`` those before the
    first one. ``lower_case`` is for header names. ``mute`` sends nothing at all. ``raw`` replaces head and body.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    reason: str | None = None
    framing: Framing = "length"
    announced: int | None = None
    cut: int | None = None
    pieces: int | None = None
    pause: float = 0.0
    delay: float = 0.0
    gzip: bool = False
    lower_case: bool = False
    mute: bool = False
    ending: Ending = "keep"
    raw: bytes | None = None

    def with_header(self, name: str, value: str) -> StubResponse:
        """Add a header."""
        return replace(self, headers=(*self.headers, (name, value)))

    def without_header(self, name: str) -> StubResponse:
        """Remove all headers of that name."""
        headers = tuple((key, value) for key, value in self.headers if key.lower() != name.lower())
        return replace(self, headers=headers)

    def of_status(self, status: int) -> StubResponse:
        """Set the status."""
        return replace(self, status=status)

    def with_body(self, body: bytes | str) -> StubResponse:
        """Set the body; the headers are unchanged."""
        return replace(self, body=body.encode() if isinstance(body, str) else body)

    def as_type(self, media_type: str) -> StubResponse:
        """Set the Content-Type."""
        return self.without_header("Content-Type").with_header("Content-Type", media_type)

    def in_place_of_json(self, media_type: str) -> StubResponse:
        """Set the Content-Type where it is JSON, in any spelling; its parameters and its case are kept."""
        headers = [(name, _respelled(value, media_type)) if name.lower() == "content-type" else (name, value)
                   for name, value in self.headers]  # fmt: skip
        return replace(self, headers=tuple(headers))

    def chunked(self, size: int | None = None) -> StubResponse:
        """Use chunked transfer coding, ``size`` bytes a chunk."""
        return replace(self, framing="chunked", pieces=size)

    def until_close(self) -> StubResponse:
        """Send no Content-Length: the body ends with the connection."""
        return replace(self, framing="close", ending="close")

    def gzipped(self) -> StubResponse:
        """Compress the body if the request accepts gzip."""
        return replace(self, gzip=True)

    def in_lower_case(self) -> StubResponse:
        """Write header names in lower case, as proxies between HTTP/2 and HTTP/1.1 do."""
        return replace(self, lower_case=True)

    def in_pieces(self, size: int, *, pause: float = 0.0) -> StubResponse:
        """Send ``size`` bytes at a time, with ``pause`` seconds in between."""
        return replace(self, pieces=size, pause=pause)

    def dripping(self, *, every: float, announced: int = 100_000) -> StubResponse:
        """Send the head at once, then a byte every ``every`` seconds of a body that never ends."""
        return replace(self, pieces=1, pause=every, announced=announced, ending="hang")

    def delayed(self, seconds: float) -> StubResponse:
        """Wait ``seconds`` before the first byte."""
        return replace(self, delay=seconds)

    def closing(self) -> StubResponse:
        """Send ``Connection: close`` and close the connection."""
        return replace(self.with_header("Connection", "close"), ending="close")

    def announcing(self, length: int) -> StubResponse:
        """Set the Content-Length, true or not."""
        return replace(self, announced=length)

    def cut_off(self, after: int | None = None) -> StubResponse:
        """Close the connection after ``after`` bytes of the body (half of it by default)."""
        return replace(self, cut=len(self.body) // 2 if after is None else after, ending="close")

    def reset(self, after: int | None = None) -> StubResponse:
        """Reset the connection (TCP RST) at once, or after ``after`` bytes of the body."""
        if after is None:
            return replace(self, mute=True, ending="reset")
        return replace(self, cut=after, ending="reset")

    def stalled(self, after: int) -> StubResponse:
        """Send nothing more after ``after`` bytes of the body, and leave the connection open."""
        return replace(self, cut=after, ending="hang")

    @property
    def whole(self) -> bool:
        """Whether this is a complete HTTP response, which can be given without a socket."""
        return not self.mute and self.cut is None and self.raw is None and self.ending in ("keep", "close")

    def reason_phrase(self) -> str:
        """Return the reason phrase as sent."""
        if self.reason is not None:
            return self.reason
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Unassigned"

    def placed(self, origins: Mapping[str, str]) -> StubResponse:
        """Replace the placeholders ``{name}`` by the URLs of those origins.

        A Location may have all of them, the body only ``{own}``. ``{N s from now}`` in a Retry-After becomes an HTTP
        date at least N and less than N + 1 seconds ahead, since it has a resolution of one second.
        """
        if b"{own}" in self.body and "own" in origins:
            return replace(self, body=self.body.replace(b"{own}", origins["own"].encode())).placed(origins)
        if not any(name.lower() in ("location", "retry-after") for name, _ in self.headers):
            return self
        placed = []
        for name, value in self.headers:
            ahead = _AHEAD.fullmatch(value) if name.lower() == "retry-after" else None
            if ahead:
                value = formatdate(math.ceil(time.time()) + int(ahead[1]), usegmt=True)
            if name.lower() == "location":
                for origin, url in origins.items():
                    value = value.replace("{" + origin + "}", url)
            placed.append((name, value))
        return replace(self, headers=tuple(placed))


def _respelled(value: str, media_type: str) -> str:
    name, semicolon, parameters = value.partition(";")
    if name.strip().lower() != JSON:
        return value
    return f"{media_type.upper() if name.isupper() else media_type}{semicolon}{parameters}"


def example() -> dict[str, Any]:
    """Return the contract's first example of a batch."""
    entity = entity_of("get")
    batches = (entity.within(value) for value in examples_of(entity))
    return dict(next((value for value in batches if isinstance(value, dict)), {}))


def json_body(value: object, status: int = 200) -> StubResponse:
    """Return a response with a JSON value."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return StubResponse(status, (("Content-Type", JSON),), body)


def batch(**members: Any) -> StubResponse:
    """Return a 200 with the example batch, changed as given (objects, such as its metrics, member by member)."""
    plain = example()
    merged = {
        name: {**plain[name], **value} if isinstance(value, dict) and isinstance(plain.get(name), dict) else value
        for name, value in members.items()
    }
    return json_body(entity_of("get").enclosed({**plain, **merged}))


def error(status: int, message: str | list[str] | None = None, **members: Any) -> StubResponse:
    """Return an error in the documented form: message, status, and the members given."""
    plain = StubResponse(status).reason_phrase() if message is None else message
    status_members = {name: status for name in [status_member("get")] if name}
    return json_body({"message": plain, **status_members, **members}, status)


def html(status: int = 200, text: str = "It works.") -> StubResponse:
    """Return an HTML page, as proxies and captive portals send it."""
    page = f"<!DOCTYPE html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return StubResponse(status, (("Content-Type", "text/html; charset=utf-8"),), page.encode())


def text(status: int, body: bytes | str, media_type: str = JSON) -> StubResponse:
    """Return a response with any body and media type."""
    return StubResponse(status, (("Content-Type", media_type),), body.encode() if isinstance(body, str) else body)


def empty(status: int = 200) -> StubResponse:
    """Return a response without a body."""
    return StubResponse(status, (("Content-Type", JSON),))


def redirect(status: int, location: str) -> StubResponse:
    """Return a redirect; ``location`` may have placeholders for origins (`StubResponse.placed`)."""
    return StubResponse(status, (("Location", location),))


def silence() -> StubResponse:
    """Send nothing and leave the connection open."""
    return StubResponse(mute=True, ending="hang")


def hang_up() -> StubResponse:
    """Send nothing and close the connection."""
    return StubResponse(mute=True, ending="close")


def raw(data: bytes, ending: Ending = "close") -> StubResponse:
    """Send these bytes, HTTP or not."""
    return StubResponse(raw=data, ending=ending)
