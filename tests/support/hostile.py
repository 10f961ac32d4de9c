"""A server on a raw socket: the reference server's answers, but for requests that a fault is made for."""

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
    """One connection of a client, from the server's end."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self.connection = connection
        self._stopping = stopping
        self._received = b""

    def read(self) -> Asked | None:
        """The next request, without its body; None when the client has closed."""
        while b"\r\n\r\n" not in self._received:
            piece = self.connection.recv(65536)
            if not piece:
                return None
            self._received += piece
            if not self._received[:1].isalpha():
                # Not HTTP, perhaps TLS: as real servers answer it.
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
        """Send an answer; ``length`` is what its Content-Length says, if not the truth."""
        told = [f"Content-Length: {len(body) if length is None else length}", *headers]
        head = "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: application/json", *told, "", ""])
        self.send(head.encode("latin-1") + body)

    def hold(self) -> None:
        """Say nothing until the client has gone."""
        with suppress(OSError):
            while self.connection.recv(65536):
                pass

    def reset(self) -> None:
        """End the connection the hard way."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def drip(self, data: bytes, pause: float) -> None:
        """Send byte by byte, until the client has gone."""
        for index in range(len(data)):
            if self._stopping.wait(pause):
                return
            self.send(data[index : index + 1])


#: What is done to a request instead of answering it. Afterwards the connection is closed.
Fault = Callable[[Peer], None]
#: Decides by the request's number (from 1) and content whether it meets a fault.
Choose = Callable[[int, Asked], Fault | None]


@dataclass
class Hostile:
    """The server. ``asked`` are the requests that came, ``connections`` how many connections were made.

    ``close_after`` is how many answers a connection gets before it is closed, without a word; None for no limit.
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
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        self._open.add(connection)
        # Clients that have what they came for go away in the middle: no concern of a server's.
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
        """Listen no more."""
        # Closing alone leaves the thread in accept() for good.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def stop(self) -> None:
        """End all conversations."""
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
    """Serve; the URL is the server's ``url``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=64)
    shown = f"[{host}]" if ":" in host else host
    url = f"{'https' if tls else 'http'}://{shown}:{listener.getsockname()[1]}"
    server = Hostile(choose, listener, url, app or ReferenceServer(), tls, close_after)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def always(fault: Fault) -> Choose:
    """Every request meets the fault."""
    return lambda *_: fault


def after(count: int, fault: Fault) -> Choose:
    """The fault sets in after some requests, for good."""
    return lambda number, _: fault if number > count else None


def never(number: int, asked: Asked) -> None:
    """An ordinary server."""


# Faults: silence and slowness.


def hang(peer: Peer) -> None:
    """Takes the request, and says nothing."""
    peer.hold()


def hang_in_head(peer: Peer) -> None:
    """Begins an answer."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    peer.hold()


def hang_in_body(peer: Peer) -> None:
    """Sends a head and half a body."""
    peer.answer(BATCH[:20], length=len(BATCH))
    peer.hold()


def drip_head(peer: Peer) -> None:
    """A byte at a time, from the first one."""
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 10_000, 0.02)


def drip_body(peer: Peer) -> None:
    """A byte at a time, once the head has gone out."""
    peer.answer(b"", length=10_000)
    peer.drip(b" " * 10_000, 0.02)


def drip_chunks(peer: Peer) -> None:
    """A chunk at a time, without an end."""
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        peer.drip(b"1\r\n \r\n", 0.005)


# Faults: broken connections.


def reset(peer: Peer) -> None:
    """Resets the connection."""
    peer.reset()


def close(peer: Peer) -> None:
    """Closes it without a word."""


def reset_in_body(peer: Peer) -> None:
    """Resets it in the middle of a body."""
    peer.answer(BATCH[:20], length=len(BATCH))
    peer.reset()


def close_in_head(peer: Peer) -> None:
    """Closes it in the middle of the head."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: appl")


def half_body(peer: Peer) -> None:
    """Promises twice as much."""
    peer.answer(BATCH, length=2 * len(BATCH))


def half_chunk(peer: Peer) -> None:
    """Ends within a chunk."""
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n" + BATCH[:40])


def surplus(peer: Peer) -> None:
    """Sends more than it promised."""
    peer.answer(BATCH + b"{}", length=len(BATCH))
    peer.hold()


# Faults: floods.


def endless_body(peer: Peer) -> None:
    """A body without an end."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        peer.send(b" " * 65536)


def three_gigabytes(peer: Peer) -> None:
    """A body of 3 GB, announced and begun."""
    peer.answer(b"", length=3 << 30)
    for _ in range(3 << 14):
        peer.send(b" " * 65536)


def endless_fields(peer: Peer) -> None:
    """A head without an end."""
    peer.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.send(b"X-Padding: x\r\n" * 4096)


def endless_line(peer: Peer) -> None:
    """A header without an end."""
    peer.send(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    while True:
        peer.send(b"x" * 65536)


def many_fields(peer: Peer) -> None:
    """A legal head, but for its five thousand fields."""
    peer.send(b"HTTP/1.1 200 OK\r\n" + b"a:b\r\n" * 5_000 + b"Content-Length: 0\r\n\r\n")


def interim_flood(peer: Peer) -> None:
    """One 1xx after the other."""
    while True:
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


def bomb(peer: Peer) -> None:
    """A few kilobytes that inflate to a quarter of a gigabyte."""
    peer.answer(_bomb(), "Content-Encoding: gzip")


@cache
def _bomb() -> bytes:
    # A block after a full flush stands for itself: one is enough to make many.
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first, more = (packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + more * 255


def layers(peer: Peer) -> None:
    """Gzip over gzip, a hundred times."""
    packed = BATCH
    for _ in range(100):
        packed = gzip.compress(packed)
    peer.answer(packed, "Content-Encoding: " + ", ".join(["gzip"] * 100))


# Faults: nonsense.


def broken_gzip(peer: Peer) -> None:
    """Says gzip, and is none."""
    peer.answer(BATCH, "Content-Encoding: gzip")


def half_gzip(peer: Peer) -> None:
    """Gzip that ends too early."""
    peer.answer(gzip.compress(BATCH)[:-12], "Content-Encoding: gzip")


def garbage(peer: Peer) -> None:
    """Not HTTP at all."""
    peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" * 10)


def http_09(peer: Peer) -> None:
    """A body without a head, as before 1996."""
    peer.send(BATCH)


def bad_length(peer: Peer) -> None:
    """A Content-Length that is no number."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + BATCH)


def two_lengths(peer: Peer) -> None:
    """Two that contradict each other."""
    peer.answer(BATCH, "Content-Length: 7")


def upgrade(peer: Peer) -> None:
    """Switches protocols, unasked."""
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
    peer.hold()


def redirect(to: str) -> Fault:
    """Sends the client elsewhere."""

    def fault(peer: Peer) -> None:
        peer.answer(b"{}", f"Location: {to}", status="302 Found")

    return fault
