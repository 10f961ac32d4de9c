"""The reference client: Get and List Batches on httpx, sync and async, conforming to every clause.

:class:`Codec` builds requests and decodes responses, without a network; :class:`BatchClient` and
:class:`AsyncBatchClient` send and receive them. Of the suite, this imports only the contract.
``adapter`` and ``async_adapter`` are in-process adapters (driver protocol, version 1).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx

from batch_conformance.contract.filters import named_filters
from batch_conformance.contract.reading import OPERATION_IDS, snake_name
from batch_conformance.reference.codec import Answer, Batch, BatchError, Codec

__all__ = [
    "Adapter",
    "Answer",
    "AsyncBatchClient",
    "Batch",
    "BatchClient",
    "BatchError",
    "Codec",
    "adapter",
    "async_adapter",
    "called",
    "failure",
    "filters",
    "hello",
]

#: The largest body accepted, in bytes.
LARGEST_BODY = 16 * 2**20


class BatchClient(Codec):
    """Sync client. Use it as a context manager, or call ``close``."""

    #: Seconds from the deadline until the connection is closed. httpx's own timeouts come first: their errors
    #: say more.
    watchdog_margin = 0.25

    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        super().__init__(base_url, api_key, timeout)
        # No redirects: the key must not reach another server. Proxies and certificates of the environment are
        # ignored, so that a test run always reaches the given server.
        self._http = httpx.Client(
            verify=_tls(),
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            event_hooks={"request": [self._trace]},
        )
        self._sockets: list[socket.socket] = []
        self._late = False

    def get_batch(self, batch_id: str) -> Batch:
        """Read a batch, within the deadline. Raises :class:`BatchError`."""
        return self.read(self.send(self.url(batch_id), time.monotonic() + self.timeout))

    def list_batches(self, filters: Mapping[str, str | datetime | None] | None = None) -> list[Batch]:
        """Read the batches that fit, newest first, within the deadline. Raises :class:`BatchError`."""
        return self.read_list(self.send(self.list_url(filters or {}), time.monotonic() + self.timeout))

    def send(self, url: str, deadline: float) -> Answer:
        """Send a GET, and read its response by ``deadline`` (``monotonic()``). Raises :class:`BatchError`."""
        try:
            with self.cut_off_at(deadline), self.ask(url) as response:
                return Answer(response.status_code, response.headers, self.receive(response, deadline))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if self._late:
                raise BatchError("timeout", "the answer did not begin in time") from None
            raise _as_batch_error(error) from None

    @contextmanager
    def cut_off_at(self, deadline: float) -> Iterator[None]:
        """Close the connection at the deadline, since httpx's timeout restarts with each byte of a head."""
        self._late = False
        seconds = deadline - time.monotonic() + self.watchdog_margin
        watchdog = threading.Timer(seconds, self._cut_off) if seconds < threading.TIMEOUT_MAX else None
        if watchdog:
            watchdog.daemon = True
            watchdog.start()
        try:
            yield
        finally:
            if watchdog:
                watchdog.cancel()

    def _cut_off(self) -> None:
        self._late = True
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _trace(self, request: httpx.Request) -> None:
        request.extensions = {"trace": self.trace, **request.extensions}

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember each socket that httpx opens (httpcore's ``trace`` extension)."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._sockets.append(info["return_value"].get_extra_info("socket"))

    def ask(self, url: str) -> AbstractContextManager[httpx.Response]:
        """Send the request; the body of the response is not read yet."""
        return self._http.stream("GET", url, headers=self.headers())

    def receive(self, response: httpx.Response, deadline: float) -> bytes:
        """Read the whole body by the deadline; httpx's timeout applies only to single reads."""
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            _check_size(body)
            if time.monotonic() > deadline:
                raise BatchError("timeout", "the answer did not end in time")
        return bytes(body)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncBatchClient(Codec):
    """Async client. Use it as an async context manager, or call ``aclose``."""

    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        super().__init__(base_url, api_key, timeout)
        self._http = httpx.AsyncClient(verify=_tls(), timeout=timeout, follow_redirects=False, trust_env=False)

    async def get_batch(self, batch_id: str) -> Batch:
        """Read a batch, within the deadline. Raises :class:`BatchError`."""
        return self.read(await self.send(self.url(batch_id)))

    async def list_batches(self, filters: Mapping[str, str | datetime | None] | None = None) -> list[Batch]:
        """Read the batches that fit, newest first, within the deadline. Raises :class:`BatchError`."""
        return self.read_list(await self.send(self.list_url(filters or {})))

    async def send(self, url: str) -> Answer:
        """Send a GET and read the whole response. Raises :class:`BatchError`."""
        body = bytearray()
        try:
            async with asyncio.timeout(self.timeout):
                async with self._http.stream("GET", url, headers=self.headers()) as response:
                    async for part in response.aiter_bytes():
                        body += part
                        _check_size(body)
                    return Answer(response.status_code, response.headers, bytes(body))
        except TimeoutError:
            raise BatchError("timeout", "the answer did not end in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _as_batch_error(error) from None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _as_batch_error(error: Exception) -> BatchError:
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, httpx.TimeoutException):
        return BatchError("timeout", text)
    if isinstance(error, httpx.DecodingError):
        return BatchError("decode", text)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return BatchError("invalid_argument", text)
    return BatchError("transport", text)


def _check_size(body: bytearray) -> None:
    if len(body) > LARGEST_BODY:
        raise BatchError("decode", "the answer is too large to be a batch")


@cache
def _tls() -> ssl.SSLContext:
    # Cached: loading the certificates can take longer than a call.
    return httpx.create_ssl_context(trust_env=False)


Adapter = Callable[[dict[str, Any]], "dict[str, Any] | Awaitable[dict[str, Any]]"]


def hello(name: str = "reference client") -> dict[str, Any]:
    """Return the hello of the reference client."""
    return {
        "protocol": 1,
        "name": name,
        "version": "1.0.0",
        "language": "python",
        "operations": [snake_name(name) for name in OPERATION_IDS],
    }


def failure(error: BatchError) -> dict[str, Any]:
    """Return the reply for a failed call."""
    return {"error": {"kind": error.kind, "status": error.status, "message": str(error)}}


def called(request: dict[str, Any]) -> str:
    """Return the operation that a driver request calls, by its name in the suite."""
    return next(name for name in OPERATION_IDS if snake_name(name) == request["op"])


def filters(request: dict[str, Any]) -> dict[str, str | datetime | None]:
    """Return the filters of a driver request, dates as datetimes, naive ones too."""
    known = named_filters()
    given = {name: request.get(name) for name in known}
    dates = {name for name, row in known.items() if row.schema.get("format") == "date-time"}
    return {name: datetime.fromisoformat(value) if value and name in dates else value for name, value in given.items()}


def adapter(request: dict[str, Any]) -> dict[str, Any]:
    """Adapter of the sync client: makes one call with a new client."""
    with BatchClient(request["base_url"], request["api_key"], request["timeout_s"]) as client:
        operation = called(request)
        try:
            if operation == "list":
                return {"batches": [client.as_reply(batch) for batch in client.list_batches(filters(request))]}
            client.on_one = operation
            return {"batch": client.as_reply(client.get_batch(request["batch_id"]))}
        except BatchError as error:
            return failure(error)


async def async_adapter(request: dict[str, Any]) -> dict[str, Any]:
    """Adapter of the async client."""
    async with AsyncBatchClient(request["base_url"], request["api_key"], request["timeout_s"]) as client:
        operation = called(request)
        try:
            if operation == "list":
                listed = await client.list_batches(filters(request))
                return {"batches": [client.as_reply(batch) for batch in listed]}
            client.on_one = operation
            return {"batch": client.as_reply(await client.get_batch(request["batch_id"]))}
        except BatchError as error:
            return failure(error)


adapter.hello = hello()  # type: ignore[attr-defined]
async_adapter.hello = hello("reference client (async)")  # type: ignore[attr-defined]
