"""One HTTP/1.1 connection: socket I/O within a deadline, parsed by h11.

Built directly on h11, because HTTP client libraries hide what checks need to see: bytes after the end of a
response, floods of interim responses, which connection a request used, and how that connection ended.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any

import h11

from batch_conformance.http import Failure, Request, Response
from batch_conformance.http.model import FailureKind

#: Largest body that is read, in bytes; no response of the API comes near it.
BODY_CAP = 8 << 20
#: Limits of a response head in bytes, of its fields, and of the interim responses before it.
HEAD_CAP, FIELDS_CAP, INTERIM_CAP = 1 << 15, 200, 50
_CHUNK_SIZE = 1 << 16
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class ConnectionBroken(Exception):
    """An exchange that did not complete."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message)


class Deadline:
    """The end of an exchange.

    Each step gets only the time that is left, so that a slow drip of bytes ends too.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left. Raises ``TimeoutError`` if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Connection:
    """A connection to the target.

    ``number`` is its number within the run; ``served`` counts the requests sent on it.
    """

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.number = number
        self.served = 0
        self._socket = sock
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_CAP)

    def close(self) -> None:
        """Close the connection, whatever its state."""
        with suppress(OSError):
            self._socket.close()

    def is_reusable(self) -> bool:
        """Whether another request may be sent: not if the server closed it or sent surplus bytes."""
        if self._http.our_state is not h11.IDLE or self._socket.fileno() < 0:
            return False
        return not _is_readable(self._socket)

    def ask(self, request: Request, deadline: Deadline) -> tuple[Response | None, Failure | None]:
        """Send a request and read as much of its response as comes. Never raises for what the server does."""
        head: h11.Response | None = None
        body = bytearray()
        failure: Failure | None = None
        self.served += 1
        try:
            self._send(request, deadline)
            head = self._head(deadline)
            self._read_body(body, deadline)
            self._end(len(head.headers))
        except ConnectionBroken as broken:
            failure = broken.failure
        except TimeoutError:
            failure = Failure("timeout", f"no whole answer within {deadline.seconds:g} s")
        except h11.RemoteProtocolError as error:
            failure = _protocol_failure(str(error))
        except h11.LocalProtocolError as error:
            failure = Failure("other", f"the request cannot be sent: {error}")
        except OSError as error:
            failure = Failure("reset", f"the connection broke: {error.strerror or error}")
        if failure is not None:
            self.close()
        return (_response(head, bytes(body[:BODY_CAP])) if head else None), failure

    def _send(self, request: Request, deadline: Deadline) -> None:
        target = request.url.partition("://")[2].partition("/")[2]
        head = h11.Request(method=request.method, target=wire_bytes(f"/{target}"), headers=_fields(request.headers))
        parts = [self._http.send(head)]
        if request.body:
            parts.append(self._http.send(h11.Data(request.body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        self._socket.settimeout(deadline.left())
        # A server may refuse a request before reading all of it: its response counts, not the broken pipe.
        with suppress(ConnectionError):
            self._socket.sendall(b"".join(part for part in parts if part))

    def _head(self, deadline: Deadline) -> h11.Response:
        for _ in range(INTERIM_CAP):
            if isinstance(event := self._event(deadline), h11.Response):
                return event
        raise ConnectionBroken("not-http", f"more than {INTERIM_CAP} interim answers (1xx) came before the real one")

    def _read_body(self, body: bytearray, deadline: Deadline) -> None:
        """Append received data to ``body``, so that a partial body is kept if the rest never comes."""
        while isinstance(event := self._event(deadline), h11.Data):
            body += event.data
            if len(body) > BODY_CAP:
                raise ConnectionBroken(
                    "too-large", f"the body is longer than {BODY_CAP:,} bytes; the rest was not read"
                )

    def _event(self, deadline: Deadline) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            left = deadline.left()
            if _QUICKACK is not None:
                # Without this, a server that writes head and body separately waits 40 ms for a delayed
                # acknowledgement.
                with suppress(OSError):
                    self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            self._socket.settimeout(left)
            try:
                chunk = self._socket.recv(_CHUNK_SIZE)
            except ssl.SSLError as error:
                raise ConnectionBroken("tls", f"the TLS connection broke: {error.reason or error}") from None
            if not chunk and self._http.their_state is h11.SEND_RESPONSE:
                if head := self._http.trailing_data[0]:
                    raise _broken_head(head)
                raise ConnectionBroken("reset", "the connection was closed without an answer")
            self._http.receive_data(chunk)
        return event

    def _end(self, fields: int) -> None:
        if fields > FIELDS_CAP:
            raise ConnectionBroken(
                "too-large", f"the head has {fields:,} fields; those beyond {FIELDS_CAP} were dropped"
            )
        surplus, _ = self._http.trailing_data
        if surplus:
            raise ConnectionBroken("not-http", f"{len(surplus):,} bytes follow the end of the answer")
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.close()


@lru_cache(512)
def _fields(headers: tuple[tuple[str, str], ...]) -> Any:
    """Return header fields as h11's own type, which it does not export.

    Cached: most requests have the same ones.
    """
    fields = [(wire_bytes(name), wire_bytes(value)) for name, value in headers]
    return h11.Request(method="GET", target="/", headers=fields).headers


def _broken_head(head: bytes) -> ConnectionBroken:
    if head.startswith(b"HTTP/"):
        return ConnectionBroken("truncated", "the answer was cut off within its head")
    return ConnectionBroken("not-http", f"the answer is not HTTP: it begins with {head[:40]!r}")


def _protocol_failure(text: str) -> Failure:
    if "peer closed connection" in text or "peer unexpectedly closed" in text:
        return Failure("truncated", f"the answer was cut off: {text}")
    if "too long" in text:
        return Failure("too-large", f"the head is longer than {HEAD_CAP:,} bytes; the rest was not read")
    # h11 quotes its input as a bytearray, of any length.
    quoted = re.sub(r"bytearray\((b.*)\)", r"\1", text)
    return Failure("not-http", f"the answer is not HTTP: {quoted[:200]}")


def _is_readable(sock: socket.socket) -> bool:
    """Whether the peer has closed the connection or sent data."""
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _response(head: h11.Response, body: bytes) -> Response:
    fields = head.headers.raw_items()[:FIELDS_CAP]
    return Response(
        status=head.status_code,
        headers=tuple((wire_text(name), wire_text(value)) for name, value in fields),
        body=body,
        reason=wire_text(head.reason),
        http_version=f"HTTP/{head.http_version.decode('ascii')}",
    )


def wire_bytes(text: str) -> bytes:
    """Encode a header value or target as UTF-8; lone surrogates stand for bytes that are not UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def wire_text(raw: bytes) -> str:
    """Decode received bytes to text that :func:`wire_bytes` encodes back to the same bytes."""
    return bytes(raw).decode("utf-8", "surrogateescape")
