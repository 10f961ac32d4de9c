"""``BatchStub``: a server for tests of a client, with staged responses and a log of requests."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from batch_conformance.client_runner.stub import answers
from batch_conformance.client_runner.stub.answers import StubResponse
from batch_conformance.client_runner.stub.server import StubServer
from batch_conformance.client_runner.stub.wire import RawRequest
from batch_conformance.contract import current_contract
from batch_conformance.contract.operation import Operation
from batch_conformance.contract.sendable import by_example, id_segment
from batch_conformance.http import Request
from batch_conformance.http.key_values import key_values
from batch_conformance.operations.get_batch.store import CREATED, STATES, WEBHOOK, Batch, State
from batch_conformance.operations.list_batches.answers import around_of
from batch_conformance.reference.server import Asked, ReferenceServer

#: The default id of staged responses.
BATCH_ID = "batch_abc123"


class StagedId(str):
    """An id where an operation other than Get Batch is asked for it; empty where the operation takes no id."""

    operation = "get"


def _batch(batch_id: str, state: State) -> dict[str, Any]:
    return Batch(batch_id, CREATED, [state], WEBHOOK).peek()


@dataclass(frozen=True)
class StubRequest:
    """A request as received: ``target`` is the raw request target."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False, default=b"")

    def header(self, name: str) -> str | None:
        """Return a header's value, several joined by commas, or None; the case of names is ignored."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def key(self) -> str | None:
        """The API key, from the place where the contract puts it; None when absent."""
        operation, _, _ = _called(self.target)
        values = key_values(Request(self.method, self.target, self.headers), operation.key)
        return ", ".join(values) if values else None


class _AnyKey(ReferenceServer):
    """The reference server, with any key as a valid one."""

    def is_key(self, value: bytes) -> bool:
        return bool(value)


#: Defined here because ``list`` is a method inside ``BatchStub``.
Requests = list[StubRequest]


@dataclass(frozen=True)
class _Staged:
    answer: StubResponse
    needs_key: bool


class BatchStub:
    """A server for all operations of the contract on a port of its own.

    Each method that stages a response returns the id to request. Responses for an id are sent in the order in
    which they were staged, one per request; the last one is repeated. An id without staged responses is
    answered as by the reference server. Any key is valid, but a request without one gets a 401, for staged
    batches too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._staged: dict[tuple[str, str], deque[_Staged]] = {}
        self._reference = _AnyKey()
        self._server = StubServer(self._choose)

    def __enter__(self) -> BatchStub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop all connections."""
        self._server.close()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return self._server.url

    @property
    def requests(self) -> Requests:
        """Every request so far, in order."""
        return [
            StubRequest(seen.request.method, seen.request.target, seen.request.headers, seen.request.body)
            for seen in self._server.seen
        ]

    # Batches.

    def batch(self, *, id: str = BATCH_ID, times: int = 1, status: str | None = None, **members: Any) -> str:
        """Stage a batch with a status (COMPLETED by default) and these members; objects are merged."""
        wanted = STATES["completed"].status if status is None else status
        known = {state.status: state for state in STATES.values()}
        value = _batch(id, known.get(wanted) or replace(STATES["processing"], status=wanted))
        for name, given in members.items():
            within = isinstance(given, Mapping) and isinstance(value.get(name), Mapping)
            value[name] = {**value[name], **given} if within else given
        return self._stage(answers.json_body(value), id, times, needs_key=True)

    def pending(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a batch that was just created."""
        return self._in_state("pending", id, times)

    def jobs_created(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a batch whose jobs are queued."""
        return self._in_state("jobs_created", id, times)

    def processing(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a batch in progress."""
        return self._in_state("processing", id, times)

    def completed(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a completed batch."""
        return self._in_state("completed", id, times)

    def failed(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a failed batch."""
        return self._in_state("failed", id, times)

    def processing_then_completed(self, *, id: str = BATCH_ID, reads: int = 1) -> str:
        """Stage a batch that is in progress for ``reads`` reads, and completed after them."""
        self.processing(id=id, times=reads)
        return self.completed(id=id)

    def list(self, *batches: str | Mapping[str, Any], times: int = 1) -> str:
        """Stage a list of batches: COMPLETED ones with the given ids, or objects as given.

        Filters are ignored; :attr:`requests` shows them. Returns the id of the list for other methods:
        ``error(429, id=batch_stub.list())`` stages a 429 after an empty list.
        """
        rows = [_batch(row, STATES["completed"]) if isinstance(row, str) else row for row in batches]
        return self._stage(answers.json_body(around_of(rows)), self.of("list"), times, needs_key=True)

    # Other operations.

    def of(self, operation: str, id: str = BATCH_ID) -> str:
        """Return what other methods take as ``id`` to stage a response of this operation of the contract.

        For example ``answer({…}, id=batch_stub.of("list"))``. Raises ``ValueError`` for an unknown operation.
        """
        found = current_contract().operations.get(operation)
        if found is None:
            raise ValueError(f"operation={operation!r}: the contract has {', '.join(current_contract().operations)}")
        staged = StagedId(id if found.id_parameter else "")
        staged.operation = operation
        return staged

    # Errors.

    def unauthorized(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a 401: the key is not valid."""
        return self.error(401, "Missing or invalid API key", id=id, times=times)

    def not_found(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a 404: no such batch."""
        return self.error(404, "Batch not found", id=id, times=times)

    def rate_limited(self, *, retry_after: int | str | None = 1, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a 429, with ``Retry-After`` (seconds, or an HTTP date as text) unless it is None."""
        answer = answers.error(429, "Too many requests", errorCode="rate_limit_exceeded")
        if retry_after is not None:
            answer = answer.with_header("Retry-After", str(retry_after))
        return self._stage(answer, id, times)

    def server_error(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a 500."""
        return self.error(500, "Internal server error", id=id, times=times)

    def error(
        self,
        status: int,
        message: str | Sequence[str] | None = None,
        *,
        id: str = BATCH_ID,
        times: int = 1,
        **members: Any,
    ) -> str:
        """Stage an error in the documented form; ``members`` are added to ``message`` and ``statusCode``."""
        messages = message if message is None or isinstance(message, str) else [*message]
        answer = answers.error(status, messages, **members)
        if status == 401:
            answer = answer.with_header("WWW-Authenticate", 'ApiKey realm="batch"')
        return self._stage(answer, id, times)

    # Faults.

    def html(self, status: int = 200, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage an HTML page instead of JSON, as sent by proxies."""
        return self._stage(answers.html(status), id, times)

    def answer(
        self,
        body: Any,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        id: str = BATCH_ID,
        times: int = 1,
    ) -> str:
        """Stage any response: ``str`` and ``bytes`` are sent unchanged, other values as JSON."""
        data = body if isinstance(body, str | bytes) else json.dumps(body, ensure_ascii=False)
        answer = answers.text(status, data)
        for name, value in (headers or {}).items():
            answer = answer.without_header(name).with_header(name, value)
        return self._stage(answer, id, times)

    def cut_off(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage half a batch, after which the connection is closed."""
        return self._stage(answers.batch(id=id).cut_off(), id, times)

    def resets(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage a connection reset without a response."""
        return self._stage(answers.batch(id=id).reset(), id, times)

    def hangs(self, *, id: str = BATCH_ID, times: int = 1) -> str:
        """Stage no response: the connection stays open until the stub is closed."""
        return self._stage(answers.silence(), id, times)

    def _in_state(self, name: str, batch_id: str, times: int) -> str:
        return self.batch(id=batch_id, times=times, status=STATES[name].status)

    def _stage(self, answer: StubResponse, batch_id: str, times: int, *, needs_key: bool = False) -> str:
        if times < 1:
            raise ValueError(f"times={times}: an answer is staged at least once")
        with self._lock:
            staged = self._staged.setdefault((getattr(batch_id, "operation", "get"), str(batch_id)), deque())
            staged.extend([_Staged(answer, needs_key)] * times)
        return batch_id

    # Responses, made on the event loop's thread.

    def _choose(self, request: RawRequest) -> StubResponse:
        operation, path, segment = _called(request.target)
        self._reference.operation = operation
        keys = key_values(Request(request.method, request.target, request.headers), operation.key)
        if operation.key is None:
            keys = ["any"]
        with self._lock:
            queue = None if segment is None else self._staged.get((operation.name, unquote(segment)))
            if queue and request.method == "GET" and (not queue[0].needs_key or (len(keys) == 1 and keys[0])):
                return (queue.popleft() if len(queue) > 1 else queue[0]).answer
        return self._like_reference(request, path, segment)

    def _like_reference(self, request: RawRequest, path: str, segment: str | None) -> StubResponse:
        raw = path.encode("latin-1")
        parsed = Asked(
            method=request.method,
            path=raw,
            segment=segment.encode("latin-1") if segment else None,
            query=request.target.partition("?")[2].encode("latin-1"),
            headers=tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers),
        )
        answer = self._reference.answer(parsed)
        headers = list(answer.headers)
        if answer.media_type is not None:
            headers.append(("Content-Type", answer.media_type))
        return StubResponse(answer.status, tuple(headers), answer.content())


def _called(target: str) -> tuple[Operation, str, str | None]:
    """Return the operation that a request target is for, the path without what stands before it, and the raw id.

    The id is empty where the operation takes none, and None where the path is no operation's.
    """
    path = re.sub("^https?://[^/]*", "", target.partition("?")[0])
    operations = list(current_contract().operations.values())
    by_id = [row for row in operations if row.id_parameter]
    # Ids of Get Batch may contain slashes.
    for operation in sorted(by_id, key=lambda row: row.name == "get"):
        segment = id_segment(operation, path)
        if segment and "/" not in segment:
            return operation, operation.raw_path(segment), segment
    for operation in operations:
        if operation not in by_id and by_example(operation, path).endswith(operation.url_path()):
            return operation, operation.url_path(), ""
    return operations[0], path, None
