"""The reference client: Get Batch on httpx, sync and async, conforming to every clause of the contract.

One file to read: what goes out and what comes in is decided by :class:`Codec`, which knows no network and follows the
contract in use; :class:`BatchClient` and :class:`AsyncBatchClient` carry it. It imports nothing of the suite but the
contract. ``adapter`` and ``async_adapter`` are its in-process adapters (driver protocol, version 1).
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import quote, urlencode

import httpx

from batch_conformance.contract import Operation, current_contract
from batch_conformance.contract.cel_values import beside, parts
from batch_conformance.contract.document import at_pointer
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import read
from batch_conformance.contract.schema import Violation

#: No batch is anywhere near that large, in bytes.
LARGEST_BODY = 16 * 2**20
#: What makes an answer another one than is documented; other keywords (bounds, patterns) are the caller's to judge.
_REFUSED = ("type", "required", "dependentRequired", "oneOf", "anyOf", "not", "false")
_TEMPLATE = re.compile(r"\{([^{}/]+)\}")

#: A batch: the documented members under the wire's names, date-times as ``datetime`` with their offset. An enum's value
#: may be one that is not documented yet.
Batch = dict[str, Any]


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

    @property
    def operation(self) -> Operation:
        """Get Batch, in the contract in use."""
        return current_contract().operation("get")

    def url(self, batch_id: str) -> str:
        """Where to ask for a batch. Raises :class:`BatchError` for ids that no path segment can carry."""
        if batch_id in ("", ".", ".."):
            # A path with these leads elsewhere, encoded or not (RFC 3986, 5.2.4).
            raise BatchError("invalid_argument", f"{batch_id!r} cannot be a batch id")
        operation = self.operation
        examples = {row.name: row.example_text() for row in operation.of_place("path")}
        values = examples | {str(operation.id_parameter): batch_id}
        path = _TEMPLATE.sub(lambda match: self.segment(values[match[1]]), operation.path)
        query = urlencode([*operation.required_query(), *self.key("query")])
        return f"{self.base_url}{path}{'?' if query else ''}{query}"

    def segment(self, batch_id: str) -> str:
        """An id as one path segment."""
        return quote(batch_id, safe="")

    def key(self, place: str) -> list[tuple[str, str]]:
        """The API key under its name, if this is where the contract wants it."""
        key = self.operation.key
        return [(key.name, self.api_key)] if key and key.place == place else []

    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        operation = self.operation
        cookies = "; ".join(
            f"{name}={value}" for name, value in (*operation.required_cookies(), *self.key("cookie"))
        )
        accepted = operation.success.media_types if operation.success else {}
        return {
            **dict(self.key("header")),
            "accept": ", ".join(accepted) or "*/*",
            **({"cookie": cookies} if cookies else {}),
            **dict(operation.required_headers()),
        }

    def read(self, answer: Answer) -> Batch:
        """The batch in an answer. Raises :class:`BatchError` when there is none."""
        success = self.operation.success
        key = success.key if success else "200"
        if str(answer.status) != key and not (key[1:] == "XX" and key[0] == str(answer.status)[0]):
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
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError):
            body = None
        documented = self.operation.answer(answer.status) or self.operation.answer(500)
        media = documented.media_type if documented else None
        schema = current_contract().document.resolve(media.schema) if media else {}
        said = [body.get(name) for name in schema.get("properties", ())] if isinstance(body, dict) else []
        flat = [text for one in said for text in (one if isinstance(one, list) else [one])]
        texts = [text for text in flat if isinstance(text, str)]
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
        entity = entity_of("get")
        for found in entity.judge.violations(value):
            if self.refuses(found, value):
                raise _undocumented(f"{found.pointer} ({found.code}): {found.expected} is expected")
        batch: Batch = self.converted(value, [entity.schema])
        return batch

    def refuses(self, found: Violation, value: Any) -> bool:
        """Whether an answer is given up for a violation. A new value of an enum is no reason to fail."""
        if found.code in ("enum", "const"):
            known = at_pointer(entity_of("get").document, f"#{found.schema_pointer}")
            kinds = {type(one) for one in (known if found.code == "enum" else [known])}
            return type(read(value, found.pointer)) not in kinds
        return found.code in _REFUSED

    def converted(self, value: Any, schemas: Sequence[Any]) -> Any:
        """A value as it is handed on, by the schemas of its place."""
        document = entity_of("get").document
        applying = [one for schema in schemas for one in beside(schema, document)]
        if isinstance(value, dict):
            names = dict.fromkeys(name for one in applying for name in one.get("properties", ()))
            if not names:
                return value
            rows = {name: parts(applying, name) for name in (*names, *value)}
            return {
                name: self.converted(value.get(name), inner)
                for name, inner in rows.items()
                if (name in value and inner) or (name in names and _may_be_null(inner, document))
            }
        if isinstance(value, list):
            return [self.converted(item, parts(applying, at)) for at, item in enumerate(value)]
        if isinstance(value, str):
            if any(one.get("format") == "date-time" for one in applying):
                try:
                    return self.instant(value)
                except BatchError:
                    if not any("oneOf" in one or "anyOf" in one for one in applying):
                        raise
            choices = [choice for one in applying for choice in one.get("enum", ())]
            return self.enumerated(value, choices) if choices else value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self.integer(value) if any("integer" in _types(one) for one in applying) else value
        return value

    def enumerated(self, value: str, known: Sequence[Any]) -> str:  # noqa: ARG002
        """A value of an enum, handed on as it is: a new one is no reason to fail."""
        return value

    def integer(self, number: float) -> int:
        """An integer, however large; 5.0 is one to JSON Schema."""
        return int(number)

    def instant(self, text: str) -> datetime:
        """An RFC 3339 date-time, to the microsecond; its ``t`` and ``z`` may be in lower case (5.6)."""
        try:
            instant = datetime.fromisoformat(text.upper())
        except ValueError:
            raise _undocumented("what should be a date-time is none") from None
        if instant.tzinfo is None:
            raise _undocumented("a date-time has no offset")
        return instant

    def as_reply(self, batch: Batch) -> dict[str, Any]:
        """A batch under the wire's names, for the adapter."""
        return {name: _as_reply(item) for name, item in batch.items()}


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


def _as_reply(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_reply(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_reply(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _types(schema: Mapping[str, Any]) -> list[str]:
    given = schema.get("type", [])
    return [given] if isinstance(given, str) else given


def _may_be_null(schemas: Sequence[Any], document: dict[str, Any]) -> bool:
    return any("null" in _types(one) for schema in schemas for one in beside(schema, document))


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
