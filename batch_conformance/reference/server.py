"""The reference server: Get Batch (and List Batches, to be discovered by) as an ordinary ASGI app.

Each step is a small method, so that a mutant can get exactly one of them wrong.
"""

from __future__ import annotations

import hmac
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from batch_conformance.contract.parts import part_of
from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY, Batch, Store, sample_store

#: What List Batches answers is in the operation's own folder.
_LIST: Any = part_of("list", "handler")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Sender = Callable[[dict[str, Any]], Awaitable[None]]

_GET_BATCH = b"/v2/batch/"
_LIST_BATCHES = b"/v2/batch"
_STAGE = b"/__stage__/"


@dataclass(frozen=True)
class Asked:
    """A request, as far as this API looks at it. ``segment`` is the raw last path segment, None for other paths."""

    method: str
    path: bytes
    segment: bytes | None
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    client: tuple[str, int] = ("", 0)

    def header(self, name: bytes) -> list[bytes]:
        """The values of a header; names arrive in lower case (ASGI), which is what makes them case-insensitive."""
        return [value for key, value in self.headers if key == name]


@dataclass
class Answer:
    """A response before it is sent. ``body`` is anything that JSON can hold, or bytes to send as they are."""

    status: int
    body: Any
    headers: list[tuple[str, str]] = field(default_factory=list)
    media_type: str | None = "application/json"

    def content(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        try:
            return json.dumps(self.body, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:  # a lone surrogate, which only an escape can carry
            return json.dumps(self.body).encode("ascii")


class ReferenceServer:
    """An ASGI 3 application. ``keys`` are the keys that open the store's batches."""

    #: How to put answers on the wire, for variants that need the plain server; None for uvicorn.
    manner: Any = None
    #: How List Batches selects and orders.
    lister: Any = _LIST.Lister()

    def __init__(self, store: Store | None = None, keys: tuple[str, ...] = (REFERENCE_KEY,)) -> None:
        self.store = store or sample_store()
        self.keys = tuple(key.encode() for key in keys)
        #: ValidBatch keys of another organisation, which has no batches.
        self.other_keys: tuple[bytes, ...] = (OTHER_KEY.encode(),)
        self.staged: deque[int] = deque()

    def answer_next(self, status: int) -> bool:
        """Answer the next authenticated read of a known batch with ``status``; 429 and 500 can be staged."""
        if status not in (429, 500):
            return False
        self.staged.append(status)
        return True

    def batch_in(self, state: str) -> str | None:
        """The id of a batch in one of the five states."""
        return next((batch.id for batch in self.store.batches.values() if batch.peek()["status"] == state), None)

    async def __call__(self, scope: Scope, receive: Receive, send: Sender) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        raw = scope.get("raw_path") or scope["path"].encode()
        asked = Asked(
            method=scope["method"],
            path=raw,
            segment=raw[len(_GET_BATCH) :] if raw.startswith(_GET_BATCH) else None,
            query=scope.get("query_string", b""),
            headers=tuple(scope["headers"]),
            client=tuple(scope.get("client") or ("", 0)),
        )
        await self.send_answer(self.answer(asked), asked, send)

    async def send_answer(self, answer: Answer, asked: Asked, send: Sender) -> None:
        """Put an answer on the wire."""
        content = answer.content()
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers
        ]
        if answer.media_type is not None:
            headers.append((b"content-type", answer.media_type.encode("latin-1")))
        headers.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if asked.method == "HEAD" else content})

    # One step each.

    def answer(self, asked: Asked) -> Answer:
        """Route, authenticate, look up, render."""
        if asked.path.startswith(_STAGE):
            return self.stage_by_request(asked)
        if not self.authenticate(asked):
            return self.unauthorized(asked)
        if asked.path == _LIST_BATCHES and asked.method == "GET":
            return self.list_batches(asked)
        if asked.segment is None or asked.method not in ("GET", "HEAD"):
            return self.wrong_method(asked) if asked.segment is not None else self.not_found(asked)
        batch = self.look_up(asked.segment)
        if batch is None or not self.owns(asked):
            return self.not_found(asked)
        if self.staged:
            return self.staged_answer(self.staged.popleft())
        return self.found(batch, asked)

    def list_batches(self, asked: Asked) -> Answer:
        """The batches of the key's organisation that the query asks for."""
        batches = self.store.batches.values() if self.owns(asked) else ()
        try:
            return Answer(200, self.lister.answer(list(map(self.shown, batches)), asked.query))
        except _LIST.Refused as refused:
            return self.error(400, [str(refused)])

    def shown(self, batch: Batch) -> Any:
        """A batch as the list shows it; that does not move it."""
        return batch.peek()

    def authenticate(self, asked: Asked) -> bool:
        """Whether the request carries exactly one x-api-key header with a valid key."""
        values = asked.header(b"x-api-key")
        return len(values) == 1 and self.is_key(values[0])

    def is_key(self, value: bytes) -> bool:
        """Compare in constant time, with every key."""
        return sum(hmac.compare_digest(value, key) for key in (*self.keys, *self.other_keys)) > 0

    def owns(self, asked: Asked) -> bool:
        """Whether the batches belong to the organisation whose key the request carries."""
        return not any(
            name.lower() == b"x-api-key" and value in self.other_keys for name, value in asked.headers
        )

    def look_up(self, segment: bytes) -> Batch | None:
        """The batch whose id the path segment is, decoded once."""
        try:
            return self.store.batches.get(unquote_to_bytes(segment).decode("utf-8"))
        except UnicodeDecodeError:
            return None

    def found(self, batch: Batch, asked: Asked) -> Answer:
        """A batch, in its state of the moment."""
        return Answer(200, batch.read())

    def unauthorized(self, asked: Asked) -> Answer:
        """The same for every reason, so that nothing is learnt."""
        return self.error(401, "Missing or invalid API key", [("WWW-Authenticate", 'ApiKey realm="batch"')])

    def not_found(self, asked: Asked) -> Answer:
        """No batch of that id."""
        return self.error(404, "Batch not found")

    def wrong_method(self, asked: Asked) -> Answer:
        """Only GET (and HEAD) are for batches."""
        return self.error(405, "Method not allowed", [("Allow", "GET, HEAD")])

    def staged_answer(self, status: int) -> Answer:
        """A 500 or a 429 on demand."""
        if status == 429:
            return self.error(429, "Too many requests", [("Retry-After", "1")], "rate_limit_exceeded")
        return self.error(500, "Internal server error")

    def error(
        self,
        status: int,
        message: str | list[str],
        headers: list[tuple[str, str]] | None = None,
        code: str | None = None,
    ) -> Answer:
        """The API's error body."""
        body: dict[str, Any] = {"message": message, "statusCode": status}
        if code:
            body["errorCode"] = code
        return Answer(status, body, headers or [])

    def stage_by_request(self, asked: Asked) -> Answer:
        """``POST /__stage__/500`` or ``/__stage__/PENDING``: the staging hook of this server (no part of the API)."""
        stage = asked.path[len(_STAGE) :].decode("latin-1")
        if asked.method == "POST" and self.authenticate(asked):
            if stage.isdigit() and self.answer_next(int(stage)):
                return Answer(200, {})
            if batch_id := self.batch_in(stage):
                return Answer(200, {"batch_id": batch_id})
        return self.not_found(asked)
