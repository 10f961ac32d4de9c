"""Requests received by a stub, and their conversion to exchanges."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

from batch_conformance.client_runner.stub.answers import StubResponse
from batch_conformance.client_runner.stub.wire import RawRequest
from batch_conformance.http import Exchange, Failure, Intent, Request, Response

#: Maximum number of requests recorded in full; later ones are only counted.
MAX_RECORDED = 300


@dataclass
class ReceivedRequest:
    """One request and its response. Times are seconds of the monotonic clock.

    ``answered`` is taken just before the last byte of the response is sent, so that the client's wait before its next
    request is never measured too short. ``turn`` is the number of the call that was under way.
    """

    request: RawRequest
    origin: str
    connection: int
    reused: bool
    turn: int
    arrived: float
    answer: StubResponse | None = None
    answered: float | None = None

    @property
    def host(self) -> str:
        """The host of the Host header, without port; empty when there is none."""
        named = self.request.values("host")
        return named[0].rpartition(":")[0].lower() if len(named) == 1 and ":" in named[0] else ""

    @property
    def url(self) -> str:
        """The request target as a URL at the origin that received it."""
        target = self.request.target
        if target.lower().startswith(("http://", "https://")):
            return target
        origin = self.origin.replace("//127.0.0.1:", "//localhost:") if self.host == "localhost" else self.origin
        return origin + target


class RequestLog:
    """Requests of one stub, in order of arrival. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[ReceivedRequest] = []
        self._counts: Counter[int] = Counter()
        self.connections = 0

    def connected(self) -> int:
        """Count a connection and return its number, from 1."""
        with self._lock:
            self.connections += 1
            return self.connections

    def add(self, seen: ReceivedRequest) -> None:
        """Record a request."""
        with self._lock:
            self._counts[seen.turn] += 1
            if len(self._seen) < MAX_RECORDED:
                self._seen.append(seen)

    def count(self, turn: int | None = None) -> int:
        """Return the number of requests in all, or during one call."""
        with self._lock:
            return sum(self._counts.values()) if turn is None else self._counts[turn]

    def all(self) -> list[ReceivedRequest]:
        """Return the recorded requests (the first ones only, of a client that sends too many)."""
        with self._lock:
            return list(self._seen)


def exchange_of(seen: ReceivedRequest, number: int, intent: Intent, replay: object = None) -> Exchange:
    """Convert a received request to an exchange, for checks and reports; ``replay`` is the case being played."""
    request = Request(seen.request.method or "(none)", seen.url, seen.request.headers, seen.request.body)
    notes = (f"not an HTTP/1 request: {seen.request.problem}",) if seen.request.problem else ()
    if seen.request.version == "HTTP/1.1" and not seen.request.values("host"):
        notes = ("no Host, which every request of HTTP/1.1 has (RFC 9112, 3.2)",)
    return Exchange(
        number=number,
        intent=intent,
        request=request,
        response=_response(seen.answer),
        failure=_failure(seen.answer),
        started=seen.arrived,
        ended=seen.arrived if seen.answered is None else seen.answered,
        connection=seen.connection,
        reused=seen.reused,
        notes=notes,
        replay=replay,
    )


def now() -> float:
    """Return the current time of the clock that all records use."""
    return time.monotonic()


def _response(answer: StubResponse | None) -> Response | None:
    if answer is None or answer.mute or answer.raw is not None:
        return None
    body = answer.body if answer.cut is None else answer.body[: answer.cut]
    return Response(answer.status, answer.headers, body, answer.reason_phrase())


def _failure(answer: StubResponse | None) -> Failure | None:
    if answer is None or (answer.raw is not None and answer.ending != "hang"):
        return Failure("not-http", "bytes that are not HTTP")
    if answer.ending == "reset":
        return Failure("reset", "the stub reset the connection")
    if answer.ending == "hang":
        how = "sent a byte now and then" if answer.pause else "sent nothing more"
        return Failure("timeout", f"the stub {how} and left the connection open")
    if answer.mute or answer.cut is not None or (answer.announced or 0) > len(answer.body):
        return Failure("truncated", "the stub closed the connection before the announced end")
    return None
