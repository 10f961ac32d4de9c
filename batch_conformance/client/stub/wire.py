"""HTTP/1 bytes: requests read exactly as they came, answers written exactly as scripted."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from batch_conformance.client.stub.answers import Answer, Ending

_LINE_END = re.compile(rb"\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
#: Whatever begins otherwise is no HTTP, and waiting for the end of its head would be in vain.
_FIRST_BYTES = frozenset(range(0x21, 0x7F)) | {0x0D, 0x0A}
#: A head longer than this is no request anybody means.
MAX_HEAD = 256 * 1024


@dataclass(frozen=True)
class RawRequest:
    """A request as it came: the bytes, and what they say. ``target`` is the request target, undecoded.

    ``problem`` says why the bytes are not an HTTP/1 request, if they are not.
    """

    data: bytes
    method: str = ""
    target: str = ""
    version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    problem: str = ""

    def values(self, name: str) -> list[str]:
        """All values of a header, in order, whatever the case of its name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def stays(self) -> bool:
        """Whether the caller keeps the connection for another request (RFC 9112, 9.3)."""
        tokens = {token.strip().lower() for value in self.values("connection") for token in value.split(",")}
        if self.version == "HTTP/1.0":
            return "keep-alive" in tokens
        return "close" not in tokens

    @property
    def asks_for_gzip(self) -> bool:
        """Whether Accept-Encoding names gzip with a weight above 0 (RFC 9110, 12.5.3); ``*`` is not taken for it."""
        for value in self.values("accept-encoding"):
            for item in value.split(","):
                coding, _, weight = item.partition(";")
                if coding.strip().lower() in ("gzip", "x-gzip"):
                    return re.fullmatch(r"\s*q=0(\.0*)?\s*", weight, re.I) is None
        return False


@dataclass
class RequestReader:
    """Cuts the bytes of one connection into requests."""

    buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[RawRequest]:
        """Take in bytes; yields each request that is complete with them."""
        self.buffer += data
        while self.buffer:
            request = self._next()
            if request is None:
                return
            yield request
            if request.problem:
                self.buffer.clear()

    def _next(self) -> RawRequest | None:
        if self.buffer[0] not in _FIRST_BYTES:
            return RawRequest(bytes(self.buffer), problem="it does not begin like HTTP (TLS, perhaps)")
        end = _HEAD_END.search(self.buffer)
        if end is None:
            if len(self.buffer) > MAX_HEAD:
                return RawRequest(bytes(self.buffer), problem="the head does not end")
            return None
        head = bytes(self.buffer[: end.start()])
        request = _read_head(head)
        if request.problem:
            return RawRequest(bytes(self.buffer), problem=request.problem)
        body = _read_body(request, self.buffer, end.end())
        if body is None:
            return None
        content, stop = body
        data = bytes(self.buffer[:stop])
        del self.buffer[:stop]
        return RawRequest(data, request.method, request.target, request.version, request.headers, content)


def _read_head(head: bytes) -> RawRequest:
    # Latin-1 maps every byte to one character: nothing is lost, whatever was sent.
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


def _read_body(request: RawRequest, buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    """The body and where it ends in the buffer; None while it is not all there."""
    if any("chunked" in value.lower() for value in request.values("transfer-encoding")):
        return _read_chunks(buffer, start)
    lengths = request.values("content-length")
    length = int(lengths[0]) if lengths and lengths[0].isdecimal() else 0
    if len(buffer) < start + length:
        return None
    return bytes(buffer[start : start + length]), start + length


def _read_chunks(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    content = bytearray()
    while True:
        line_end = buffer.find(b"\r\n", start)
        if line_end < 0:
            return None
        size = int(bytes(buffer[start:line_end]).split(b";")[0] or b"0", 16)
        start = line_end + 2
        if len(buffer) < start + size + 2:
            return None
        if size == 0:
            trailer_end = buffer.find(b"\r\n", start)
            return bytes(content), trailer_end + 2
        content += buffer[start : start + size]
        start += size + 2


@dataclass(frozen=True)
class Script:
    """An answer made ready for one request: the writes in order, the seconds around them, and how it ends."""

    writes: tuple[bytes, ...]
    delay: float
    pause: float
    ending: Ending
    endless: bytes = b""


def script_of(answer: Answer, request: RawRequest) -> Script:
    """The bytes of ``answer`` to ``request``: no body for HEAD, gzip only where asked for."""
    answer = _for_old_callers(answer, request)
    if answer.mute:
        return Script((), answer.delay, answer.pause, answer.ending)
    if answer.raw is not None:
        step = answer.pieces or len(answer.raw)
        writes = tuple(answer.raw[start : start + step] for start in range(0, len(answer.raw), step))
        drip = b" " if answer.pause and answer.ending == "hang" else b""
        return Script(writes, answer.delay, answer.pause, answer.ending, drip)
    body, headers = content_of(answer, request), head_headers(answer, request)
    lines = [
        f"HTTP/1.1 {answer.status} {answer.reason_phrase()}",
        *(f"{name.lower() if answer.lower_case else name}: {value}" for name, value in headers),
    ]
    head = "\r\n".join([*lines, "\r\n"]).encode("utf-8", "surrogateescape")
    ending: Ending = "close" if answer.ending == "keep" and not request.stays else answer.ending
    if request.method == "HEAD":
        return Script((head,), answer.delay, answer.pause, ending)
    sent = body if answer.cut is None else body[: answer.cut]
    size = answer.pieces or max(1, len(sent))
    parts = [sent[start : start + size] for start in range(0, len(sent), size)]
    if answer.framing == "chunked":
        parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
        if answer.cut is None:
            parts.append(b"0\r\n\r\n")
    # A body that announces more than it has is filled up for as long as somebody reads: a drip never ends by itself.
    endless = b" " if answer.pause and answer.ending == "hang" and answer.cut is None else b""
    if answer.pause:
        return Script((head, *parts), answer.delay, answer.pause, ending, endless)
    if answer.pieces and answer.framing != "chunked":
        return Script((head, *parts), answer.delay, 0.0, ending)
    return Script((head + b"".join(parts),), answer.delay, 0.0, ending)


def _for_old_callers(answer: Answer, request: RawRequest) -> Answer:
    """No chunks for HTTP/1.0 (RFC 9112, 6.1): the end of the connection, or a length that is never reached."""
    if answer.framing != "chunked" or request.version != "HTTP/1.0":
        return answer
    if answer.cut is None:
        return replace(answer, framing="close", ending="close")
    return replace(answer, framing="length", announced=len(answer.body) + 1)


def content_of(answer: Answer, request: RawRequest) -> bytes:
    """The body in the content coding that the request asks for."""
    return gzip.compress(answer.body, 6, mtime=0) if answer.gzip and request.asks_for_gzip else answer.body


def head_headers(answer: Answer, request: RawRequest) -> list[tuple[str, str]]:
    """The headers of an answer to ``request``, those that frame its body included."""
    headers = list(answer.headers)
    if answer.gzip and request.asks_for_gzip:
        headers.append(("Content-Encoding", "gzip"))
    if answer.framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
    elif answer.framing == "length" and answer.status not in (204, 304):
        length = len(content_of(answer, request)) if answer.announced is None else answer.announced
        headers.append(("Content-Length", str(length)))
    return headers
