"""HTTP/1 on the wire: requests parsed exactly as received, responses written exactly as scripted."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import h11

from batch_conformance.client_runner.stub.answers import Ending, StubResponse

_LINE_END = re.compile(rb"\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
#: Bytes that an HTTP request may begin with; otherwise there is no head to wait for.
_FIRST_BYTES = frozenset(range(0x21, 0x7F)) | {0x0D, 0x0A}
#: Maximum size of a head, in bytes.
MAX_HEAD = 256 * 1024
#: Maximum size of a body, in bytes; a longer one is cut off and recorded with a ``problem``.
MAX_BODY = 4 * 1024 * 1024


@dataclass(frozen=True)
class RawRequest:
    """Request as received: the bytes, and their parts. ``target`` is the request target, undecoded.

    ``problem`` says why the bytes are not a valid HTTP/1 request, if they are not.
    """

    data: bytes
    method: str = ""
    target: str = ""
    version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    problem: str = ""

    def values(self, name: str) -> list[str]:
        """Return all values of a header, in order; names are case-insensitive."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def stays(self) -> bool:
        """Whether the client keeps the connection open (RFC 9112, 9.3)."""
        tokens = {token.strip().lower() for value in self.values("connection") for token in value.split(",")}
        if self.version == "HTTP/1.0":
            return "keep-alive" in tokens
        return "close" not in tokens

    @property
    def asks_for_gzip(self) -> bool:
        """Whether Accept-Encoding names gzip with a weight above 0 (RFC 9110, 12.5.3); ``*`` does not count."""
        for value in self.values("accept-encoding"):
            for item in value.split(","):
                coding, _, weight = item.partition(";")
                if coding.strip().lower() in ("gzip", "x-gzip"):
                    return re.fullmatch(r"\s*q=0(\.0*)?\s*", weight, re.I) is None
        return False


class RequestReader:
    """Splits the bytes of one connection into requests.

    Heads are parsed leniently and byte-exactly, so that checks can see what is wrong in them. h11 finds the end of
    bodies, robust against any length or chunk size.
    """

    def __init__(self) -> None:
        self.buffer = bytearray()
        self._head: RawRequest | None = None
        self._body: _Body | None = None

    def feed(self, data: bytes) -> Iterator[RawRequest]:
        """Add bytes; yield each request that is complete now, or that cannot become valid any more."""
        self.buffer += data
        if self._body is not None:
            self._body.feed(data)
        while self.buffer:
            request = self._next()
            if request is None:
                return
            yield request
            if request.problem:
                self.buffer.clear()

    def _next(self) -> RawRequest | None:
        if self._head is None:
            if self.buffer[0] not in _FIRST_BYTES:
                return RawRequest(bytes(self.buffer), problem="it does not begin like HTTP (TLS, perhaps)")
            end = _HEAD_END.search(self.buffer)
            if end is None:
                if len(self.buffer) > MAX_HEAD:
                    return RawRequest(bytes(self.buffer), problem="the head does not end")
                return None
            request = _read_head(bytes(self.buffer[: end.start()]))
            if request.problem:
                return replace(request, data=bytes(self.buffer))
            self._head, self._body = request, _Body(request)
            self._body.feed(bytes(self.buffer[end.end() :]))
        assert self._body is not None
        body = self._body
        if body.problem:
            problem, data = f"its body is malformed: {body.problem}", bytes(self.buffer)
        elif len(self.buffer) > MAX_HEAD + MAX_BODY:
            problem, data = f"its body is longer than {MAX_BODY:,} bytes", bytes(self.buffer)
        elif not body.ended:
            return None
        else:
            problem, data = "", bytes(self.buffer[: len(self.buffer) - body.surplus])
            del self.buffer[: len(self.buffer) - body.surplus]
        complete = replace(self._head, data=data, body=bytes(body.content), problem=problem)
        self._head = self._body = None
        return complete


class _Body:
    """Body of one request, its framing parsed by h11. ``surplus`` counts the bytes after its end."""

    def __init__(self, request: RawRequest) -> None:
        self.content = bytearray()
        self.ended = False
        self.surplus = 0
        self.problem = ""
        self._framing = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
            if name.lower() in ("transfer-encoding", "content-length")
        ]
        self._http: h11.Connection | None = None
        if not self._framing:
            self.ended = True
            return
        self._http = h11.Connection(h11.SERVER)
        # Only the framing headers: h11 would refuse other oddities, which must be recorded.
        version = b"1.0" if request.version == "HTTP/1.0" else b"1.1"
        lines = [b"POST / HTTP/" + version, b"host: stub", *(b": ".join(field) for field in self._framing)]
        self.feed(b"\r\n".join([*lines, b"", b""]))

    def feed(self, data: bytes) -> None:
        """Add bytes; set ``problem`` when they are not valid."""
        if self._http is None:
            self.surplus += len(data)
            return
        if self.problem or not data:
            return  # h11 takes b"" for the end of the connection
        try:
            self._http.receive_data(data)
            while not self.ended:
                event = self._http.next_event()
                if isinstance(event, h11.Data):
                    self.content += event.data
                elif isinstance(event, h11.EndOfMessage):
                    self.ended = True
                elif event is h11.NEED_DATA:
                    break
        except h11.RemoteProtocolError as error:
            self.problem = str(error)
        if self.ended:
            self.surplus = len(self._http.trailing_data[0])


def _read_head(head: bytes) -> RawRequest:
    # Latin-1 maps every byte to one character, so nothing is lost.
    first, *lines = (line.decode("latin-1") for line in _LINE_END.split(head))
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return RawRequest(head, problem=f"the request line is {first[:200]!r}")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            return RawRequest(head, problem=f"a header line is {line[:200]!r}")
        headers.append((name, value.strip(" \t")))
    return RawRequest(head, words[0], words[1], words[2], tuple(headers))


@dataclass(frozen=True)
class WireResponse:
    """Response ready to send: the writes in order, their timing in seconds, and the state of the connection after."""

    writes: tuple[bytes, ...]
    delay: float
    pause: float
    ending: Ending
    endless: bytes = b""


def script_of(answer: StubResponse, request: RawRequest) -> WireResponse:
    """Return the writes for ``answer`` to ``request``: no body for HEAD, gzip only if accepted."""
    answer = _for_http_1_0(answer, request)
    if answer.mute:
        return WireResponse((), answer.delay, answer.pause, answer.ending)
    if answer.raw is not None:
        step = answer.pieces or len(answer.raw)
        writes = tuple(answer.raw[start : start + step] for start in range(0, len(answer.raw), step))
        drip = b" " if answer.pause and answer.ending == "hang" else b""
        return WireResponse(writes, answer.delay, answer.pause, answer.ending, drip)
    body, headers = content_of(answer, request), head_headers(answer, request)
    lines = [
        f"HTTP/1.1 {answer.status} {answer.reason_phrase()}",
        *(f"{name.lower() if answer.lower_case else name}: {value}" for name, value in headers),
    ]
    head = "\r\n".join([*lines, "\r\n"]).encode("utf-8", "surrogateescape")
    ending: Ending = "close" if answer.ending == "keep" and not request.stays else answer.ending
    if request.method == "HEAD":
        return WireResponse((head,), answer.delay, answer.pause, ending)
    sent = body if answer.cut is None else body[: answer.cut]
    size = answer.pieces or max(1, len(sent))
    parts = [sent[start : start + size] for start in range(0, len(sent), size)]
    if answer.framing == "chunked":
        parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
        if answer.cut is None:
            parts.append(b"0\r\n\r\n")
    # A body that announces more than it has is filled up as long as the client reads: a drip never ends.
    endless = b" " if answer.pause and answer.ending == "hang" and answer.cut is None else b""
    if answer.pause:
        return WireResponse((head, *parts), answer.delay, answer.pause, ending, endless)
    if answer.pieces and answer.framing != "chunked":
        return WireResponse((head, *parts), answer.delay, 0.0, ending)
    return WireResponse((head + b"".join(parts),), answer.delay, 0.0, ending)


def _for_http_1_0(answer: StubResponse, request: RawRequest) -> StubResponse:
    """Replace chunks for HTTP/1.0 (RFC 9112, 6.1): by the end of the connection, or a length that is never reached."""
    if answer.framing != "chunked" or request.version != "HTTP/1.0":
        return answer
    if answer.cut is None:
        return replace(answer, framing="close", ending="close")
    return replace(answer, framing="length", announced=len(answer.body) + 1)


def content_of(answer: StubResponse, request: RawRequest) -> bytes:
    """Return the body in the content coding that the request accepts."""
    return gzip.compress(answer.body, 6, mtime=0) if answer.gzip and request.asks_for_gzip else answer.body


def head_headers(answer: StubResponse, request: RawRequest) -> list[tuple[str, str]]:
    """Return the headers of an answer to ``request``, framing headers included."""
    headers = list(answer.headers)
    if answer.gzip and request.asks_for_gzip:
        headers.append(("Content-Encoding", "gzip"))
    if answer.framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
    elif answer.framing == "length" and answer.status not in (204, 304):
        length = len(content_of(answer, request)) if answer.announced is None else answer.announced
        headers.append(("Content-Length", str(length)))
    return headers
