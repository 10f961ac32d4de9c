"""The reference client: Get Batch on httpx, sync and async, conforming to every clause of the contract.

One file to read: what goes out and what comes in is decided by :class:`Codec`, which knows no network;
:class:`BatchClient` and :class:`AsyncBatchClient` carry it. It is written from the contract alone and imports nothing
of the suite that judges it. ``adapter`` and ``async_adapter`` are its in-process adapters (driver protocol, version 1).
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import quote

import httpx

#: No batch is anywhere near that large, in bytes.
LARGEST_BODY = 16 * 2**20
_COUNTS = ("total_generations", "success_count", "failed_count", "pending_count")


@dataclass(frozen=True)
class Metrics:
    """Progress counts of a batch; they need not add up to the total before the end."""

    total_generations: int
    success_count: int
    failed_count: int
    pending_count: int


@dataclass(frozen=True)
class Batch:
    """A batch. ``status`` may be one that is not documented yet; ``created_at`` is aware of its offset."""

    id: str
    created_at: datetime
    status: str
    metrics: Metrics
    output_url: str
    webhook_url: str | None


class BatchError(Exception):
    """Why a call gave no batch. ``kind`` is the driver protocol's word for it, ``status`` the HTTP status if any."""

    def __init__(self, kind: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes


class Codec:
    """What to send for an id, and what an answer means. ``timeout`` is the deadline of a call in seconds."""

    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        self.base_url = base_url
        self.api_key = api_key
        self.timeout = timeout

    def url(self, batch_id: str) -> str:
        """Where to ask for a batch. Raises :class:`BatchError` for ids that no path segment can carry."""
        if batch_id in ("", ".", ".."):
            # A path with these leads elsewhere, encoded or not (RFC 3986, 5.2.4).
            raise BatchError("invalid_argument", f"{batch_id!r} cannot be a batch id")
        return f"{self.base_url}/v2/batch/{self.segment(batch_id)}"

    def segment(self, batch_id: str) -> str:
        """An id as one path segment."""
        return quote(batch_id, safe="")

    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        return {"x-api-key": self.api_key, "accept": "application/json"}

    def read(self, answer: Answer) -> Batch:
        """The batch in an answer. Raises :class:`BatchError` when there is none."""
        if answer.status != 200:
            raise self.error(answer)
        return self.batch(self.json(answer.body))

    def error(self, answer: Answer) -> BatchError:
        """The error that an answer other than 200 is, whatever its body."""
        return BatchError(self.kind(answer.status), self.message(answer), answer.status)

    def kind(self, status: int) -> str:
        """The kind of error that a status is."""
        if 500 <= status < 600:
            return "server_error"
        return {401: "unauthorized", 404: "not_found", 429: "rate_limited"}.get(status, "http")

    def message(self, answer: Answer) -> str:
        """What the server says about an error, in one text, its status in front."""
        said: Any = None
        try:
            body = json.loads(answer.body)
            said = body.get("message") if isinstance(body, dict) else None
        except (ValueError, RecursionError):
            pass
        texts = [text for text in (said if isinstance(said, list) else [said]) if isinstance(text, str)]
        return f"{answer.status}: {'; '.join(texts) or 'the server gave no reason'}"

    def json(self, body: bytes) -> Any:
        """A body as JSON."""
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise _undocumented(f"the body is not JSON ({error})") from None

    def batch(self, value: Any) -> Batch:
        """A batch from the JSON of an answer; members beyond the documented ones are ignored."""
        if not isinstance(value, dict):
            raise _undocumented(f"the body is {type(value).__name__}, not an object")
        return Batch(
            id=self.text(value, "id"),
            created_at=self.instant(self.text(value, "created_at")),
            status=self.status(value),
            metrics=self.metrics(value.get("metrics")),
            output_url=self.text(value, "outputUrl"),
            webhook_url=self.optional_text(value, "webhookUrl"),
        )

    def status(self, value: Mapping[str, Any]) -> str:
        """The status, handed on as it is: a new one is no reason to fail."""
        return self.text(value, "status")

    def metrics(self, value: Any) -> Metrics:
        """The four counts."""
        if not isinstance(value, dict):
            raise _undocumented("metrics is not an object")
        return Metrics(**{name: self.count(value, name) for name in _COUNTS})

    def count(self, value: Mapping[str, Any], name: str) -> int:
        """One count: an integer, however large."""
        number = value.get(name)
        if type(number) is float and number.is_integer():
            number = int(number)  # 5.0 is an integer to JSON Schema
        if type(number) is not int:
            raise _undocumented(f"metrics.{name} is not an integer")
        return number

    def text(self, value: Mapping[str, Any], name: str) -> str:
        """A member that must be a string."""
        text = value.get(name)
        if not isinstance(text, str):
            raise _undocumented(f"{name} is not a string")
        return text

    def optional_text(self, value: Mapping[str, Any], name: str) -> str | None:
        """A member that may be a string, null or absent."""
        return None if value.get(name) is None else self.text(value, name)

    def instant(self, text: str) -> datetime:
        """An RFC 3339 date-time, to the microsecond; its ``t`` and ``z`` may be in lower case (5.6)."""
        try:
            instant = datetime.fromisoformat(text.upper())
        except ValueError:
            raise _undocumented("created_at is not a date-time") from None
        if instant.tzinfo is None:
            raise _undocumented("created_at has no offset")
        return instant

    def as_reply(self, batch: Batch) -> dict[str, Any]:
        """A batch under the wire's names, for the adapter."""
        return {
            "id": batch.id,
            "created_at": batch.created_at.isoformat(),
            "status": batch.status,
            "metrics": asdict(batch.metrics),
            "outputUrl": batch.output_url,
            "webhookUrl": batch.webhook_url,
        }


class BatchClient(Codec):
    """The sync client. Use it as a context manager, or ``close`` it."""

    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        super().__init__(base_url, api_key, timeout)
        # No redirect is followed: the key belongs to the server that was named. Proxies and certificates that the
        # environment names are left alone: a test run on any host asks the server it was given, and no other.
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

    def send(self, url: str, deadline: float) -> Answer:
        """One GET, read to its end by ``deadline`` (seconds of the monotonic clock)."""
        try:
            with self.cut_off_at(deadline), self.ask(url) as response:
                return Answer(response.status_code, response.headers, self.receive(response, deadline))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if self._late:
                raise BatchError("timeout", "the answer did not begin in time") from None
            raise _as_batch_error(error) from None

    @contextmanager
    def cut_off_at(self, deadline: float) -> Iterator[None]:
        """End the connection at the deadline: a head that drips keeps within every limit that httpx has."""
        self._late = False
        # A moment later, so that httpx's own limits, which say more, come first.
        seconds = deadline - time.monotonic() + 0.25
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
        """Take note of each socket that httpx opens (httpcore's ``trace`` extension)."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._sockets.append(info["return_value"].get_extra_info("socket"))

    def ask(self, url: str) -> AbstractContextManager[httpx.Response]:
        """The request, and an answer whose body is still to be read."""
        return self._http.stream("GET", url, headers=self.headers())

    def receive(self, response: httpx.Response, deadline: float) -> bytes:
        """The whole body. httpx limits the wait for each read; one that drips needs a limit for all of them."""
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            _check_size(body)
            if time.monotonic() > deadline:
                raise BatchError("timeout", "the answer did not end in time")
        return bytes(body)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncBatchClient(Codec):
    """The async client. Use it as an async context manager, or ``aclose`` it."""

    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        super().__init__(base_url, api_key, timeout)
        self._http = httpx.AsyncClient(
            verify=_tls(), timeout=timeout, follow_redirects=False, trust_env=False
        )

    async def get_batch(self, batch_id: str) -> Batch:
        """Read a batch, within the deadline. Raises :class:`BatchError`."""
        return self.read(await self.send(self.url(batch_id)))

    async def send(self, url: str) -> Answer:
        """One GET, read to its end."""
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
        """Close the connections."""
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


def _undocumented(what: str) -> BatchError:
    return BatchError("decode", f"the answer is not what is documented: {what}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_size(body: bytearray) -> None:
    if len(body) > LARGEST_BODY:
        raise BatchError("decode", "the answer is too large to be a batch")


@cache
def _tls() -> ssl.SSLContext:
    # Loading the certificates takes longer than many a call.
    return httpx.create_ssl_context(trust_env=False)


Adapter = Callable[[dict[str, Any]], "dict[str, Any] | Awaitable[dict[str, Any]]"]


def hello(name: str = "reference client") -> dict[str, Any]:
    """How the reference client introduces itself."""
    return {
        "protocol": 1,
        "name": name,
        "version": "1.0.0",
        "language": "python",
        "operations": ["get_batch"],
    }


def failure(error: BatchError) -> dict[str, Any]:
    """The reply for a call that gave no batch."""
    return {"error": {"kind": error.kind, "status": error.status, "message": str(error)}}


def adapter(request: dict[str, Any]) -> dict[str, Any]:
    """The sync client's adapter: one call, with a client of its own."""
    with BatchClient(request["base_url"], request["api_key"], request["timeout_s"]) as client:
        try:
            return {"batch": client.as_reply(client.get_batch(request["batch_id"]))}
        except BatchError as error:
            return failure(error)


async def async_adapter(request: dict[str, Any]) -> dict[str, Any]:
    """The async client's adapter."""
    async with AsyncBatchClient(request["base_url"], request["api_key"], request["timeout_s"]) as client:
        try:
            return {"batch": client.as_reply(await client.get_batch(request["batch_id"]))}
        except BatchError as error:
            return failure(error)


adapter.hello = hello()  # type: ignore[attr-defined]
async_adapter.hello = hello("reference client (async)")  # type: ignore[attr-defined]
