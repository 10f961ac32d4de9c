"""Stub responses without a socket: httpx, mocked by respx, calls handlers mounted at invented origins."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import respx


@dataclass(frozen=True)
class Late:
    """Outcome of a handler that takes effect after ``seconds`` (``math.inf``: never).

    A wait beyond the client's read timeout raises ``httpx.ReadTimeout``, as on a socket.
    """

    seconds: float
    outcome: httpx.Response | Exception


#: Responds to a request; may raise an httpx error as a transport does.
Handler = Callable[[httpx.Request], "httpx.Response | Late"]
#: Step of a body: bytes, a pause in seconds, or the error that ends it.
Step = bytes | float | Exception


class StepBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body in steps, for sync and async clients: ``httpx.Response(200, stream=StepBody([...]))``.

    Bytes are yielded unchanged, numbers are pauses in seconds, an exception is raised. A pause beyond
    the client's read timeout raises ``httpx.ReadTimeout``.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)
        self._pace = _Pace(None, threading.Event())

    def keep_pace(self, pace: _Pace) -> None:
        """Set the read timeout and the event that ends all waits. Called by the bridge."""
        self._pace = pace

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            elif isinstance(step, Exception):
                raise step
            else:
                self._pace.wait(step)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            elif isinstance(step, Exception):
                raise step
            else:
                await self._pace.wait_async(step)


@dataclass(frozen=True)
class _Pace:
    """Read timeout of a client in seconds, and the event that ends its waits."""

    read_timeout: float | None
    released: threading.Event

    def wait(self, seconds: float) -> None:
        # Event.wait() takes no longer timeout.
        if self.released.wait(min(self._within(seconds), threading.TIMEOUT_MAX)):
            raise httpx.ReadError("the stub was closed")
        self._check(seconds)

    async def wait_async(self, seconds: float) -> None:
        await asyncio.sleep(self._within(seconds))
        self._check(seconds)

    def _within(self, seconds: float) -> float:
        return seconds if self.read_timeout is None else min(seconds, self.read_timeout)

    def _check(self, seconds: float) -> None:
        if self.read_timeout is not None and seconds > self.read_timeout:
            raise httpx.ReadTimeout("the stub sent nothing for too long")


@dataclass(eq=False)
class _Mount:
    handler: Handler
    requests: list[httpx.Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


_Origin = tuple[str, str, int | None]


class RespxBridge:
    """Handlers by origin, called for every httpx request while a call is under way (:meth:`active`).

    Thread-safe. While it is active, httpx does not use the network at all: a request to an origin
    where nothing is mounted is recorded in ``strays`` and fails like a refused connection.
    """

    def __init__(self) -> None:
        self.strays: list[httpx.Request] = []
        self._mounts: dict[_Origin, _Mount] = {}
        self._count = 0
        self._calls = 0
        self._lock = threading.Lock()
        self._router = _Router(self)

    def mount(self, handler: Handler, *, scheme: str = "http", host: str | None = None, port: int | None = None) -> str:
        """Mount ``handler`` at an origin, by default a new one, and return the base URL.

        ``scheme``, ``host`` and ``port`` allow origins that differ from another in only one of them.
        Raises ``ValueError`` when the origin is taken.
        """
        with self._lock:
            self._count += 1
            origin = (scheme, host or f"stub-{self._count}.invalid", port)
            if origin in self._mounts:
                raise ValueError(f"a handler is mounted at {_url(origin)} already")
            self._mounts[origin] = _Mount(handler)
        return _url(origin)

    def requests(self, base_url: str) -> list[httpx.Request]:
        """Return the requests to the origin so far, in order. Raises ``KeyError`` when it is not mounted."""
        with self._lock:
            return list(self._mounts[_origin(httpx.URL(base_url))].requests)

    def unmount(self, base_url: str) -> None:
        """Remove an origin and its requests, and end the waits of sync clients on it."""
        with self._lock:
            mount = self._mounts.pop(_origin(httpx.URL(base_url)), None)
        if mount:
            mount.released.set()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Patch httpx in the context, for the duration of a call; calls may overlap.

        Patching takes some milliseconds, so hold this around a series of calls.
        """
        with self._lock:
            self._calls += 1
            if self._calls == 1:
                self._router.start()
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                if not self._calls:
                    self._router.stop()

    def close(self) -> None:
        """Unmount all handlers."""
        for origin in list(self._mounts):
            self.unmount(_url(origin))

    def outcome(self, request: httpx.Request) -> tuple[_Pace, httpx.Response | Late]:
        """Record a request and call its handler, with its exceptions passed on."""
        with self._lock:
            mount = self._mounts.get(_origin(request.url))
            (mount.requests if mount else self.strays).append(request)
        if mount is None:
            raise httpx.ConnectError(f"no stub is mounted at {_url(_origin(request.url))}")
        timeouts = request.extensions.get("timeout") or {}
        pace = _Pace(timeouts.get("read"), mount.released)
        return pace, mount.handler(request)


class _Router(respx.MockRouter):
    """Router that passes all requests to the bridge; respx patches httpcore below httpx, both sync and async."""

    def __init__(self, bridge: RespxBridge) -> None:
        super().__init__(assert_all_called=False, assert_all_mocked=False, using="httpcore")
        self._bridge = bridge

    def handler(self, request: httpx.Request) -> httpx.Response:
        pace, outcome = self._bridge.outcome(request)
        if isinstance(outcome, Late):
            pace.wait(outcome.seconds)
        return _response_of(outcome, pace)

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        pace, outcome = self._bridge.outcome(request)
        if isinstance(outcome, Late):
            await pace.wait_async(outcome.seconds)
        return _response_of(outcome, pace)


def _response_of(outcome: httpx.Response | Late, pace: _Pace) -> httpx.Response:
    response = outcome.outcome if isinstance(outcome, Late) else outcome
    if isinstance(response, Exception):
        raise response
    if isinstance(response.stream, StepBody):
        response.stream.keep_pace(pace)
    return response


def _origin(url: httpx.URL) -> _Origin:
    return url.scheme, url.host, url.port


def _url(origin: _Origin) -> str:
    scheme, host, port = origin
    return f"{scheme}://{host}" + (f":{port}" if port is not None else "")
