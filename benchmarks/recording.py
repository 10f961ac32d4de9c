"""Records the requests of a run, and replays them with bare clients."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx

from batch_conformance.http import Request
from batch_conformance.operations.get_batch.store import sample_store
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.server_runner import session
from batch_conformance.server_runner.connection import wire_bytes
from batch_conformance.server_runner.runner import ServerRunner
from batch_conformance.server_runner.target import Target


@dataclass(frozen=True)
class Sent:
    """A sent request: its bytes, the number of its connection, and the recorded request."""

    raw: bytes
    connection: int
    request: Request

    @property
    def is_head(self) -> bool:
        """Whether the response has no body, whatever its Content-Length."""
        return self.request.method == "HEAD"


def target_at(url: str) -> Target:
    """Return the conforming server at ``url`` as a target, with all its ids."""
    return Target(name="bench", url=url, api_key=REFERENCE_KEY, batch_ids=tuple(sample_store().batches))


@contextmanager
def runners() -> Iterator[list[ServerRunner]]:
    """Collect the runners of all runs in the block, since results do not contain the requests."""
    created: list[ServerRunner] = []

    class Watched(ServerRunner):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            created.append(self)

    with patch.object(session, "ServerRunner", Watched):
        yield created


def recorded(url: str, profile: str = "default") -> list[Sent]:
    """Check the server at ``url``, and return the requests in the order in which they were sent."""
    with runners() as created:
        session.judge_server(target_at(url), profile=profile)
    exchanges = sorted(created[0].exchanges, key=lambda exchange: exchange.started)
    sent = []
    for exchange in exchanges:
        request = exchange.request
        parts = urlsplit(request.url)
        lines = [f"{request.method} {_target(request)} HTTP/1.1"] + [
            f"{name}: {value}" for name, value in request.headers
        ]
        raw = wire_bytes("\r\n".join(lines)) + b"\r\n\r\n" + (request.body or b"")
        raw = raw.replace(parts.netloc.encode(), b"HOST")
        sent.append(Sent(raw, exchange.connection, request))
    return sent


def _target(request: Request) -> str:
    return "/" + request.url.partition("://")[2].partition("/")[2]


def replay_with_httpx(requests: Sequence[Sent], url: str) -> int:
    """Send the requests with one ``httpx.Client``. Returns the number of bytes received."""
    host = urlsplit(url).netloc
    received = 0
    with httpx.Client() as client:
        for request in (sent.request for sent in requests):
            headers = [
                (wire_bytes(name), wire_bytes(host if name == "Host" else value)) for name, value in request.headers
            ]
            response = client.request(
                request.method,
                url,
                headers=headers,
                content=request.body or None,
                extensions={"target": wire_bytes(_target(request))},
            )
            received += len(response.content)
    return received


def replay(requests: Sequence[Sent], url: str) -> int:
    """Send the requests over raw sockets, reused as recorded. Returns the number of bytes received."""
    place = urlsplit(url)
    address = (place.hostname or "", place.port or 80)
    last_on = {sent.connection: index for index, sent in enumerate(requests)}
    sockets: dict[int, socket.socket] = {}
    received = 0
    for index, sent in enumerate(requests):
        connection = sockets.pop(sent.connection, None)
        if connection is None:
            connection = socket.create_connection(address, 10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(sent.raw.replace(b"HOST", place.netloc.encode(), 1))
        received += _received(connection, sent.is_head)
        if last_on[sent.connection] == index:
            connection.close()
        else:
            sockets[sent.connection] = connection
    return received


def _received(connection: socket.socket, is_head: bool) -> int:
    """Read a response, with only the parsing needed to find its end."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(65536)
        if not piece:
            return len(answer)
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length:")
    length = 0 if is_head or not found else int(rest.split(b"\r\n", 1)[0])
    got = len(body)
    while got < length or (not found and not is_head):
        piece = connection.recv(65536)
        if not piece:
            break
        got += len(piece)
        if not found and piece.endswith(b"0\r\n\r\n"):
            break
    return len(head) + got
