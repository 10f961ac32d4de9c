"""A server on a raw socket: responds as the reference server, with a fault for chosen requests."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache

from batch_conformance.reference.server import Asked, ReferenceServer

_PREFIX = b"/v2/batch/"
BATCH = b'{"id":"batch_abc123","created_at":"2024-01-15T10:30:00Z","status":"PENDING"}'


class Peer:
    """One connection of a client, from the server's side."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self.connection = connection
        self._stopping = stopping
        self._received = b""

    def read(self) -> Asked | None:
        """Return the next request, without its body; None when the client has closed."""
        while b"\r\n\r\n" not in self._received:
            piece = self.connection.recv(65536)
            if not piece:
                return None
            self._received += piece
            if not self._received[:1].isalpha():
                # Not HTTP, perhaps TLS: respond as real servers do.
                self.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return None
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        line, *rows = head.split(b"\r\n")
        method, target, _ = line.split(b" ")
        path, _, query = target.partition(b"?")
        pairs = [row.partition(b":") for row in rows]
        return Asked(
            method=method.decode(),
            path=path,
            segment=path[len(_PREFIX) :] if path.startswith(_PREFIX) else None,
            query=query,
            headers=tuple((name.lower(), value.strip(b" ")) for name, _, value in pairs),
            client=self.connection.getpeername()[:2],
        )

    def send(self, *pieces: bytes) -> None:
        """Send bytes."""
        for piece in pieces:
            self.connection.sendall(piece)

    def answer(self, body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> None:
        """Send a response; ``length`` overrides its Content-Length."""
        lines = [f"Content-Length: {len(body) if length is None else length}", *headers]
        head = "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: application/json", *lines, "", ""])
        self.send(head.encode("latin-1") + body)

    def hold(self) -> None:
        """Send nothing until the client has closed."""
        with suppress(OSError):
            while self.connection.recv(65536):
                pass

    def reset(self) -> None:
        """Reset the connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def drip(self, data: bytes, pause: float) -> None:
        """Send byte by byte until the client has closed."""
        for index in range(len(data)):
            if self._stopping.wait(pause):
                return
            self.send(data[index : index + 1])


#: Called instead of responding to a request; the connection is closed afterwards.
Fault = Callable[[Peer], None]
#: Returns the fault for a request, by its number (from 1) and content, or None.
Choose = Callable[[int, Asked], Fault | None]


@dataclass
class Hostile:
    """The server. ``asked`` are the received requests, ``connections`` the number of connections.

    ``close_after`` is the number of responses after which a connection is closed; None for no limit.
    """

    choose: Choose
    listener: socket.socket
    url: str
    app: ReferenceServer = field(default_factory=ReferenceServer)
    tls: ssl.SSLContext | None = None
    close_after: int | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    _open: set[socket.socket] = field(default_factory=set)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        self._open.add(connection)
        # Clients may close in the middle of a response.
        with suppress(OSError):
            if self.tls is not None:
                secured = self.tls.wrap_socket(connection, server_side=True)
                self._open.add(secured)
                connection = secured
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._converse(Peer(connection, self._stopping))

    def _converse(self, peer: Peer) -> None:
        answers = 0
        while (asked := peer.read()) is not None:
            self.asked.append(asked)
            fault = self.choose(len(self.asked), asked)
            if fault is not None:
                fault(peer)
                return
            answer = self.app.answer(asked)
            content = answer.content()
            headers = [f"{name}: {value}" for name, value in answer.headers]
            body = b"" if asked.method == "HEAD" else content
            peer.answer(body, *headers, status=f"{answer.status} Answered", length=len(content))
            answers += 1
            if answers == self.close_after:
                return

    def leave(self) -> None:
        """Stop listening."""
        # close() alone does not end accept() in the thread.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def stop(self) -> None:
        """End all connections."""
        self.leave()
        self._stopping.set()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@contextmanager
def serving_hostile(
    choose: Choose,
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    app: ReferenceServer | None = None,
    close_after: int | None = None,
) -> Iterator[Hostile]:
    """Run the server; its ``url`` is the URL."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=64)
    address = f"[{host}]" if ":" in host else host
    url = f"{'https' if tls else 'http'}://{address}:{listener.getsockname()[1]}"
    server = Hostile(choose, listener, url, app or ReferenceServer(), tls, close_after)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def always(fault: Fault) -> Choose:
    """Apply the fault to every request."""
    return lambda *_: fault


def after(count: int, fault: Fault) -> Choose:
    """Apply the fault to all requests after the first ``count``."""
    return lambda number, _: fault if number > count else None


def never(number: int, asked: Asked) -> None:
    """Apply no fault."""


# Faults: silence and slowness.


def hang(peer: Peer) -> None:
    """Receive the request and send nothing."""
    peer.hold()


def hang_in_head(peer: Peer) -> None:
    """Send the beginning of a head, then nothing."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    peer.hold()


def hang_in_body(peer: Peer) -> None:
    """Send a head and half a body, then nothing."""
    peer.answer(BATCH[:20], length=len(BATCH))
    peer.hold()


def drip_head(peer: Peer) -> None:
    """Send the response byte by byte, from the first one on."""
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 10_000, 0.02)


def drip_body(peer: Peer) -> None:
    """Send the head at once and the body byte by byte."""
    peer.answer(b"", length=10_000)
    peer.drip(b" " * 10_000, 0.02)


def drip_chunks(peer: Peer) -> None:
    """Send chunks one by one, without an end."""
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        peer.drip(b"1\r\n \r\n", 0.005)


# Faults: broken connections.


def reset(peer: Peer) -> None:
    """Reset the connection."""
    peer.reset()


def close(peer: Peer) -> None:
    """Close the connection without a response."""


def reset_in_body(peer: Peer) -> None:
    """Reset the connection in the middle of the body."""
    peer.answer(BATCH[:20], length=len(BATCH))
    peer.reset()


def close_in_head(peer: Peer) -> None:
    """Close the connection in the middle of the head."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: appl")


def half_body(peer: Peer) -> None:
    """Announce twice the length of the body."""
    peer.answer(BATCH, length=2 * len(BATCH))


def half_chunk(peer: Peer) -> None:
    """Close the connection within a chunk."""
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n" + BATCH[:40])


def surplus(peer: Peer) -> None:
    """Send more than announced."""
    peer.answer(BATCH + b"{}", length=len(BATCH))
    peer.hold()


# Faults: floods.


def endless_body(peer: Peer) -> None:
    """Send an endless body."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        peer.send(b" " * 65536)


def three_gigabytes(peer: Peer) -> None:
    """Announce a body of 3 GB and begin to send it."""
    peer.answer(b"", length=3 << 30)
    for _ in range(3 << 14):
        peer.send(b" " * 65536)


def endless_fields(peer: Peer) -> None:
    """Send endless headers."""
    peer.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.send(b"X-Padding: x\r\n" * 4096)


def endless_line(peer: Peer) -> None:
    """Send an endless header value."""
    peer.send(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    while True:
        peer.send(b"x" * 65536)


def many_fields(peer: Peer) -> None:
    """Send a valid head with five thousand headers."""
    peer.send(b"HTTP/1.1 200 OK\r\n" + b"a:b\r\n" * 5_000 + b"Content-Length: 0\r\n\r\n")


def interim_flood(peer: Peer) -> None:
    """Send 1xx responses without end."""
    while True:
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


def bomb(peer: Peer) -> None:
    """Send a few kilobytes of gzip that inflate to a quarter of a gigabyte."""
    peer.answer(_bomb(), "Content-Encoding: gzip")


@cache
def _bomb() -> bytes:
    # A block after a full flush is self-contained, so one can be repeated.
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first, more = (packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + more * 255


def layers(peer: Peer) -> None:
    """Compress with gzip a hundred times over."""
    packed = BATCH
    for _ in range(100):
        packed = gzip.compress(packed)
    peer.answer(packed, "Content-Encoding: " + ", ".join(["gzip"] * 100))


# Faults: nonsense.


def broken_gzip(peer: Peer) -> None:
    """Send an uncompressed body as gzip."""
    peer.answer(BATCH, "Content-Encoding: gzip")


def half_gzip(peer: Peer) -> None:
    """Send truncated gzip."""
    peer.answer(gzip.compress(BATCH)[:-12], "Content-Encoding: gzip")


def garbage(peer: Peer) -> None:
    """Send bytes that are not HTTP."""
    peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" * 10)


def http_09(peer: Peer) -> None:
    """Send a body without a head (HTTP/0.9)."""
    peer.send(BATCH)


def bad_length(peer: Peer) -> None:
    """Send a Content-Length that is not a number."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + BATCH)


def two_lengths(peer: Peer) -> None:
    """Send two contradicting Content-Length headers."""
    peer.answer(BATCH, "Content-Length: 7")


def upgrade(peer: Peer) -> None:
    """Send an unsolicited 101."""
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
    peer.hold()


def redirect(to: str) -> Fault:
    """Return a fault that redirects to ``to``."""

    def fault(peer: Peer) -> None:
        peer.answer(b"{}", f"Location: {to}", status="302 Found")

    return fault
