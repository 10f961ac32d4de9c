"""What a stub answers: plain data that says every byte, built in words.

batch()                                   200 with the reference page's batch
batch(status="PROCESSING").chunked(1)     the same call later, byte by byte in chunks
error(429).with_header("Retry-After", "1")
batch().cut_off(after=20)                 the connection closes early
silence()                                 nothing, until the caller goes away
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
from batch_conformance.contract.statuses import status_member

#: What becomes of the connection behind an answer.
Ending = Literal["keep", "close", "reset", "hang"]
Framing = Literal["length", "chunked", "close"]
JSON_TYPE = "application/json"
_AHEAD = re.compile(r"\{(\d+) s from now\}")


@dataclass(frozen=True)
class StubResponse:
    """One scripted answer. Every method returns a changed copy.

    ``cut`` is how many bytes of the body are sent, None for all; ``announced`` a Content-Length other than the true
    one; ``pieces`` how many bytes go out at once, ``pause`` the seconds between pieces, ``delay`` those before the
    first byte. ``lower_case`` is for header names. ``mute`` sends nothing at all. ``raw`` replaces head and body.
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
        """With one header more."""
        return replace(self, headers=(*self.headers, (name, value)))

    def without_header(self, name: str) -> StubResponse:
        """Without any header of that name."""
        kept = tuple((key, value) for key, value in self.headers if key.lower() != name.lower())
        return replace(self, headers=kept)

    def of_status(self, status: int) -> StubResponse:
        """With another status."""
        return replace(self, status=status)

    def with_body(self, body: bytes | str) -> StubResponse:
        """With another body, the headers as they are."""
        return replace(self, body=body.encode() if isinstance(body, str) else body)

    def as_type(self, media_type: str) -> StubResponse:
        """With another Content-Type."""
        return self.without_header("Content-Type").with_header("Content-Type", media_type)

    def chunked(self, size: int | None = None) -> StubResponse:
        """In chunked transfer coding, ``size`` bytes a chunk."""
        return replace(self, framing="chunked", pieces=size)

    def until_close(self) -> StubResponse:
        """Without a length: the body ends where the connection does."""
        return replace(self, framing="close", ending="close")

    def gzipped(self) -> StubResponse:
        """Compressed, if the request asks for gzip; as it is otherwise."""
        return replace(self, gzip=True)

    def in_lower_case(self) -> StubResponse:
        """Header names in lower case, as proxies write them that speak HTTP/2 on their other side."""
        return replace(self, lower_case=True)

    def in_pieces(self, size: int, *, pause: float = 0.0) -> StubResponse:
        """Sent ``size`` bytes at a time with ``pause`` seconds between."""
        return replace(self, pieces=size, pause=pause)

    def dripping(self, *, every: float, announced: int = 100_000) -> StubResponse:
        """The head at once, then a byte every ``every`` seconds of a body that never comes to its announced end."""
        return replace(self, pieces=1, pause=every, announced=announced, ending="hang")

    def delayed(self, seconds: float) -> StubResponse:
        """Not before ``seconds`` have passed."""
        return replace(self, delay=seconds)

    def closing(self) -> StubResponse:
        """With ``Connection: close``, and closed."""
        return replace(self.with_header("Connection", "close"), ending="close")

    def announcing(self, length: int) -> StubResponse:
        """With a Content-Length that may not be true."""
        return replace(self, announced=length)

    def cut_off(self, after: int | None = None) -> StubResponse:
        """Closed after ``after`` bytes of the body (half of them by default), before its announced end."""
        return replace(self, cut=len(self.body) // 2 if after is None else after, ending="close")

    def reset(self, after: int | None = None) -> StubResponse:
        """Torn down (TCP RST): at once, or after ``after`` bytes of the body."""
        if after is None:
            return replace(self, mute=True, ending="reset")
        return replace(self, cut=after, ending="reset")

    def stalled(self, after: int) -> StubResponse:
        """Silent after ``after`` bytes of the body, the connection left open."""
        return replace(self, cut=after, ending="hang")

    @property
    def whole(self) -> bool:
        """Whether this is a complete HTTP answer, on time: what can be played without a socket."""
        return not self.mute and self.cut is None and self.raw is None and self.ending in ("keep", "close")

    def reason_phrase(self) -> str:
        """The reason phrase as sent."""
        if self.reason is not None:
            return self.reason
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Unassigned"

    def placed(self, origins: Mapping[str, str]) -> StubResponse:
        """With the placeholders ``{name}`` replaced by where those origins turned out to be.

        In a Location any of them is, in the body only ``{own}``. ``{N s from now}`` in a Retry-After becomes an HTTP
        date at least N and less than N + 1 seconds ahead, its unit being the second.
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


def example() -> dict[str, Any]:
    """The contract's first example of a batch: the reference page's, unless an overlay has another."""
    entity = entity_of("get")
    shown = (entity.within(value) for value in examples_of(entity))
    return dict(next((value for value in shown if isinstance(value, dict)), {}))


def json_body(value: object, status: int = 200) -> StubResponse:
    """Any JSON value."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return StubResponse(status, (("Content-Type", JSON_TYPE),), body)


def batch(**members: Any) -> StubResponse:
    """200 with the example batch, its members changed as given (objects, such as its counts, member by member)."""
    plain = example()
    merged = {
        name: {**plain[name], **value} if isinstance(value, dict) and isinstance(plain.get(name), dict) else value
        for name, value in members.items()
    }
    return json_body(entity_of("get").enclosed({**plain, **merged}))


def error(status: int, message: str | list[str] | None = None, **members: Any) -> StubResponse:
    """An error in the documented form: a text, the status, and whatever members are given beside them."""
    plain = StubResponse(status).reason_phrase() if message is None else message
    told = {name: status for name in [status_member()] if name}
    return json_body({"message": plain, **told, **members}, status)


def html(status: int = 200, text: str = "It works.") -> StubResponse:
    """A page for people, as proxies and captive portals send it."""
    page = f"<!DOCTYPE html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return StubResponse(status, (("Content-Type", "text/html; charset=utf-8"),), page.encode())


def text(status: int, body: bytes | str, media_type: str = JSON_TYPE) -> StubResponse:
    """Any body under any media type."""
    return StubResponse(status, (("Content-Type", media_type),), body.encode() if isinstance(body, str) else body)


def empty(status: int = 200) -> StubResponse:
    """No body."""
    return StubResponse(status, (("Content-Type", JSON_TYPE),))


def redirect(status: int, location: str) -> StubResponse:
    """A redirect; ``{own}`` and other origins' names in ``location`` stand for their URLs (`StubResponse.placed`)."""
    return StubResponse(status, (("Location", location),))


def silence() -> StubResponse:
    """No answer: the connection stays open, and nothing comes."""
    return StubResponse(mute=True, ending="hang")


def hang_up() -> StubResponse:
    """No answer: the connection closes."""
    return StubResponse(mute=True, ending="close")


def raw(data: bytes, ending: Ending = "close") -> StubResponse:
    """These bytes, HTTP or not."""
    return StubResponse(raw=data, ending=ending)
