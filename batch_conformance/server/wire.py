"""The wire: sends one request at a time, exactly as told, and records what happened within a deadline and a cap."""

from __future__ import annotations

import socket
import ssl
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpcore

from batch_conformance.exchange import Exchange, Failure, Intent, Request, Response
from batch_conformance.exchange.model import FailureKind

#: No answer of the API comes near this; what is longer is cut off and said so.
BODY_CAP = 1 << 20
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_NO_RESPONSE = "Server disconnected without sending a response"


class _Deadline:
    """The end of the exchange under way; every socket operation gets what is left, so that drips end too."""

    def __init__(self) -> None:
        self.at = float("inf")

    def clip(self, timeout: float | None, error: type[Exception]) -> float | None:
        left = self.at - time.monotonic()
        if left <= 0:
            raise error("the deadline has passed")
        if left == float("inf"):
            return timeout
        return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if _QUICKACK is not None:
            # A server that writes head and body apart would wait 40 ms for a delayed acknowledgement.
            with suppress(OSError, AttributeError):
                self._inner.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        return self._inner.read(max_bytes, self._deadline.clip(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.clip(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.clip(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens connections and counts them."""

    def __init__(self, numbers: count[int]) -> None:
        self._inner = httpcore.SyncBackend()
        self._numbers = numbers
        self.deadline = _Deadline()
        self.connection = 0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self.deadline.clip(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        self.connection = next(self._numbers)
        return _Stream(stream, self.deadline)


@dataclass
class _Lane:
    """One connection at a time, kept alive between the requests sent on it."""

    backend: _Backend
    pool: httpcore.ConnectionPool
    used: set[int] = field(default_factory=set)


class Wire:
    """Sends requests to one origin.

    ``timeout`` is the longest that one exchange may take, in seconds, from connecting to the last byte. Redirects
    are never followed, environment proxies never used.
    """

    def __init__(self, *, timeout: float, ssl_context: ssl.SSLContext | None = None) -> None:
        self.timeout = timeout
        self._ssl_context = ssl_context
        self._connections = count(1)
        self._numbers = count(1)
        self._lanes: dict[str, _Lane] = {}
        self._origin = time.monotonic()

    def exchange(self, request: Request, intent: Intent, *, lane: str = "") -> Exchange:
        """Send a request; on the kept connection named ``lane``, or on a fresh one when that is empty.

        Never raises for what the target does: that is recorded in the exchange.
        """
        own = self._lanes.get(lane) or self._open()
        if lane:
            self._lanes[lane] = own
        try:
            recorded = self._send(own, request, intent)
            if recorded.reused and recorded.response is None and _closed_while_idle(recorded):
                # A server may close an idle connection at any time (RFC 9112, 9.3.1): a GET is repeated once.
                recorded = self._send(own, request, intent)
            return recorded
        finally:
            if not lane:
                own.pool.close()

    def close(self) -> None:
        """Close all connections."""
        for lane in self._lanes.values():
            lane.pool.close()
        self._lanes.clear()

    def _open(self) -> _Lane:
        backend = _Backend(self._connections)
        pool = httpcore.ConnectionPool(
            ssl_context=self._ssl_context,
            max_connections=1,
            max_keepalive_connections=1,
            network_backend=backend,
        )
        return _Lane(backend, pool)

    def _send(self, lane: _Lane, request: Request, intent: Intent) -> Exchange:
        lane.backend.deadline.at = time.monotonic() + self.timeout
        before = lane.backend.connection
        started = time.monotonic() - self._origin
        response, failure = _attempt(lane.pool, request, self.timeout)
        ended = time.monotonic() - self._origin
        connection = lane.backend.connection
        return Exchange(
            number=next(self._numbers),
            intent=intent,
            request=request,
            response=response,
            failure=failure,
            started=started,
            ended=ended,
            connection=connection,
            reused=connection == before and connection != 0,
        )


def _closed_while_idle(exchange: Exchange) -> bool:
    return (
        exchange.request.method in ("GET", "HEAD")
        and exchange.failure is not None
        and exchange.failure.kind == "reset"
    )


def wire_bytes(text: str) -> bytes:
    """A header value or target as bytes: UTF-8, with lone surrogates for bytes that are not."""
    return text.encode("utf-8", "surrogateescape")


def _attempt(
    pool: httpcore.ConnectionPool, request: Request, timeout: float
) -> tuple[Response | None, Failure | None]:
    wired = httpcore.Request(
        request.method,
        _url(request.url),
        headers=[(wire_bytes(name), wire_bytes(value)) for name, value in request.headers],
        content=request.body,
        extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout)},
    )
    head: Response | None = None
    body = bytearray()
    try:
        answer = pool.handle_request(wired)
        try:
            head = Response(
                status=answer.status,
                headers=tuple((_text(name), _text(value)) for name, value in answer.headers),
                reason=_text(answer.extensions.get("reason_phrase", b"")),
                http_version=_text(answer.extensions.get("http_version", b"")),
            )
            for chunk in answer.iter_stream():
                body += chunk
                if len(body) > BODY_CAP:
                    note = Failure(
                        "too-large", f"the body is longer than {BODY_CAP:,} bytes; the rest was not read"
                    )
                    return _with_body(head, bytes(body[:BODY_CAP]), note)
        finally:
            answer.close()
    except Exception as error:
        failure = _failure(error, timeout)
        return (None, failure) if head is None else _with_body(head, bytes(body), failure)
    return _with_body(head, bytes(body), None)


def _url(url: str) -> httpcore.URL:
    """Taken apart by hand: URL parsers tidy up just the targets that are sent on purpose."""
    scheme, _, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    parts = urlsplit(f"{scheme}://{authority}")
    return httpcore.URL(
        scheme=scheme.encode(),
        host=(parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii"),
        port=parts.port,
        target=wire_bytes(slash + target) or b"/",
    )


def _with_body(head: Response, raw: bytes, failure: Failure | None) -> tuple[Response, Failure | None]:
    body, trouble = _decoded(raw, head.header_values("content-encoding"))
    whole = Response(head.status, head.headers, body, head.reason, head.http_version)
    return whole, failure or trouble


def _decoded(raw: bytes, codings: list[str]) -> tuple[bytes, Failure | None]:
    """Undo gzip and deflate (the codings that requests offer), up to the cap: a bomb must not go off here."""
    names = [name.strip().lower() for value in codings for name in value.split(",")]
    body = raw
    for name in reversed([name for name in names if name and name != "identity"]):
        if name not in ("gzip", "x-gzip", "deflate") or not body:
            return body, None
        # 47: a gzip or zlib header, whichever is there; -15: deflate without one.
        for window in (47, -15):
            inflater = zlib.decompressobj(window)
            try:
                plain = inflater.decompress(body, BODY_CAP + 1)
            except zlib.error as error:
                trouble = Failure("truncated", f"the {name} coding is broken: {error}")
                continue
            if len(plain) > BODY_CAP:
                return plain[:BODY_CAP], Failure(
                    "too-large", f"the body inflates to more than {BODY_CAP:,} bytes"
                )
            if not inflater.eof:
                return plain, Failure("truncated", f"the {name} coding ends too early")
            body = plain
            break
        else:
            return body, trouble
    return body, None


def _failure(error: Exception, timeout: float) -> Failure:
    text = str(error) or type(error).__name__
    if isinstance(error, httpcore.TimeoutException):
        return Failure("timeout", f"no whole answer within {timeout:g} s")
    if isinstance(error, httpcore.ConnectError):
        kind: FailureKind = (
            "tls"
            if isinstance(error.__cause__ or error.__context__, ssl.SSLError) or "SSL" in text
            else "refused"
        )
        return Failure(kind, f"the connection failed: {text}")
    if isinstance(error, httpcore.RemoteProtocolError):
        if _NO_RESPONSE in text:
            return Failure("reset", "the connection was closed without an answer")
        if "peer closed connection" in text or "incomplete" in text:
            return Failure("truncated", f"the answer was cut off: {text}")
        return Failure("not-http", f"the answer is not HTTP: {text}")
    if isinstance(error, httpcore.NetworkError | OSError):
        return Failure("reset", f"the connection broke: {text}")
    return Failure("other", f"{type(error).__name__}: {text}")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
