"""The reference server: Get Batch and List Batches as an ASGI app.

Paths, the key's place, required parameters, statuses and media types follow the contract in use. Each step is
a small method, so that a mutant can override exactly one.
"""

from __future__ import annotations

import hmac
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from batch_conformance.contract import (
    KeyPlace,
    Operation,
    Parameter,
    cached_by_contract,
    current_contract,
)
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.media_types import JSON, one_of
from batch_conformance.contract.operation import Answer as DocumentedAnswer
from batch_conformance.contract.parts import part_of
from batch_conformance.contract.pointers import read
from batch_conformance.contract.statuses import absences, refusals
from batch_conformance.operations.stored import Store, StoredBatch, error_payload
from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY, store_in_use

#: The List Batches handler, in the operation's own folder.
_LIST: Any = part_of("list", "handler")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Sender = Callable[[dict[str, Any]], Awaitable[None]]

_STAGE = b"/__stage__/"


@dataclass(frozen=True)
class Asked:
    """The parts of a request that the API uses. ``segment`` is the raw id in the path, None in others."""

    method: str
    path: bytes
    segment: bytes | None
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    client: tuple[str, int] = ("", 0)

    def header(self, name: bytes) -> list[bytes]:
        """Return the values of a header, by its name in lower case, as ASGI servers pass names."""
        return [value for key, value in self.headers if key == name]


@dataclass
class Answer:
    """A response to send. ``body`` is a JSON value, or bytes to send unchanged."""

    status: int
    body: Any
    headers: list[tuple[str, str]] = field(default_factory=list)
    media_type: str | None = JSON

    def content(self) -> bytes:
        """Return the body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        try:
            return json.dumps(self.body, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:  # a lone surrogate has to be escaped
            return json.dumps(self.body).encode("ascii")


def get_operation() -> Operation:
    """Return Get Batch in the contract in use, which every contract has."""
    return current_contract().operation("get")


@cached_by_contract
def _path_of(name: str) -> re.Pattern[bytes]:
    """Return a pattern for the raw path of an operation; the id of Get Batch may contain slashes."""
    operation = current_contract().operations.get(name)
    if operation is None:
        return re.compile(b"(?!)")
    pieces = operation.pieces
    segment = "(?P<id>.*)" if name == "get" else "(?P<id>[^/]*)"
    text = "".join(
        (segment if piece == operation.id_parameter else re.escape(_example(operation, piece)))
        if at % 2
        else re.escape(piece)
        for at, piece in enumerate(pieces)
    )
    return re.compile(text.encode(), re.DOTALL)


def _example(operation: Operation, name: str) -> str:
    return next((row.in_path() for row in operation.of_place("path") if row.name == name), "")


def segment_of(path: bytes, operation: str) -> bytes | None:
    """Return the raw id in the path of an operation on one batch; None for other paths."""
    match = _path_of(operation).fullmatch(path)
    return match["id"] if match else None


def operation_of(asked: Asked) -> Operation:
    """Return the operation of a request by its path; Get Batch by default."""
    others = (row for name, row in current_contract().operations.items() if name != "get")
    return next((row for row in others if _path_of(row.name).fullmatch(asked.path)), get_operation())


def refusal_of(operation: Operation) -> int:
    """Return the status for a request without a valid key."""
    return min(refusals(operation.name))


class ReferenceServer:
    """ASGI 3 application. ``keys`` are the valid keys of the organisation that owns the store."""

    #: Wire options of variants that need the standard library's server; None for uvicorn.
    manner: Any = None
    #: Filters and sorts lists.
    lister: Any = _LIST.Lister()

    def __init__(self, store: Store | None = None, keys: tuple[str, ...] = (REFERENCE_KEY,)) -> None:
        self.store = store or store_in_use()
        self.keys = tuple(key.encode() for key in keys)
        #: Valid keys of another organisation, which has no batches.
        self.other_keys: tuple[bytes, ...] = (OTHER_KEY.encode(),)
        self.staged: deque[int] = deque()
        #: The operation of the current request.
        self.operation: Operation | None = None

    def answer_next(self, status: int) -> bool:
        """Answer the next authenticated read of a known batch with ``status``; 429 and 500 can be staged."""
        if status not in (429, 500):
            return False
        self.staged.append(status)
        return True

    def batch_in(self, state: str) -> str | None:
        """Return the id of a batch in a state; None where there is none."""
        place = entity_of("get").lifecycle_pointer
        found = (batch.id for batch in self.store.batches.values() if read(batch.peek(), place) == state)
        return next(found, None) if place else None

    async def __call__(self, scope: Scope, receive: Receive, send: Sender) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        raw = scope.get("raw_path") or scope["path"].encode()
        asked = Asked(
            method=scope["method"],
            path=raw,
            segment=segment_of(raw, "get"),
            query=scope.get("query_string", b""),
            headers=tuple(scope["headers"]),
            client=tuple(scope.get("client") or ("", 0)),
        )
        self.operation = operation_of(asked)
        await self.send_answer(self.answer(asked), asked, send)

    async def send_answer(self, answer: Answer, asked: Asked, send: Sender) -> None:
        """Send a response."""
        content = answer.content()
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        if answer.media_type is not None:
            headers.append((b"content-type", answer.media_type.encode("latin-1")))
        headers.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if asked.method == "HEAD" else content})

    # The steps of a response, for mutants to override.

    def answer(self, asked: Asked) -> Answer:
        """Route, authenticate, look up, render."""
        if asked.path.startswith(_STAGE):
            return self.stage_by_request(asked)
        if not self.authenticate(asked):
            return self.unauthorized(asked)
        other = operation_of(asked)
        if other.name != "get" and asked.method == other.method:
            return self.incomplete(other, asked) or self.answer_of(other, asked)
        operation = get_operation()
        if asked.segment is None:
            return self.not_found(asked)
        if asked.method not in (operation.method, "HEAD"):
            return self.wrong_method(asked)
        incomplete = self.incomplete(operation, asked)
        if incomplete is not None:
            return incomplete
        batch = self.look_up(asked.segment)
        if batch is None or not self.owns(asked):
            return self.not_found(asked)
        if self.staged:
            return self.staged_answer(self.staged.popleft())
        return self.found(batch, asked)

    def answer_of(self, operation: Operation, asked: Asked) -> Answer:
        """Answer a request of another operation than Get Batch: by the handler in its folder, or by an example."""
        if operation.name == _LIST.OPERATION:
            return self.list_batches(asked)
        handler = part_of(operation.name, "handler")
        if handler is not None:
            answer: Answer = handler.answer(self, asked)
            return answer
        batch = self.look_up(segment_of(asked.path, operation.name) or b"")
        if not self.owns(asked) or (operation.id_parameter and batch is None):
            return self.not_found(asked)
        from batch_conformance.reference.documented import documented_body

        return self.success(operation, documented_body(operation.name, batch.id if batch else ""))

    def authenticate(self, asked: Asked) -> bool:
        """Whether the request has exactly one key, and a valid one; always true if the contract has none."""
        place = self.key_place()
        if place is None:
            return True
        values = _keys_in(asked, place)
        return len(values) == 1 and self.is_key(values[0])

    def key_place(self) -> KeyPlace | None:
        """Return the place of the key; None where the operation needs none."""
        return (self.operation or get_operation()).key

    def is_key(self, value: bytes) -> bool:
        """Whether a value is a valid key, compared with every key in constant time."""
        return sum(hmac.compare_digest(value, key) for key in (*self.keys, *self.other_keys)) > 0

    def incomplete(self, operation: Operation, asked: Asked) -> Answer | None:
        """Return a 400 where a required parameter is missing, else None."""
        missing = [row.name for row in operation.parameters if row.required and self.misses(row, asked)]
        return self.error(400, f"{missing[0]} is missing") if missing else None

    def misses(self, parameter: Parameter, asked: Asked) -> bool:
        """Whether a required parameter is missing."""
        names = dict.fromkeys((parameter.name, *(name for name, _ in parameter.pairs())))
        sent = any(_parameter_values(asked, parameter.place, name) for name in names)
        return parameter.place != "path" and not sent

    def owns(self, asked: Asked) -> bool:
        """Whether the key of the request is of the organisation that owns the batches."""
        place = self.key_place()
        return place is None or not any(value in self.other_keys for value in _keys_in(asked, place))

    def look_up(self, segment: bytes) -> StoredBatch | None:
        """Return the batch of a raw id, which is percent-decoded once; None where there is none."""
        try:
            return self.store.batches.get(unquote_to_bytes(segment).decode("utf-8"))
        except UnicodeDecodeError:
            return None

    def found(self, batch: StoredBatch, asked: Asked) -> Answer:
        """Return the response with a batch in its current state."""
        return self.success(get_operation(), batch.read())

    def list_batches(self, asked: Asked) -> Answer:
        """Return the response with the organisation's batches that fit the query."""
        batches = self.store.batches.values() if self.owns(asked) else ()
        try:
            shown = self.lister.answer(self.entries(list(map(self.shown, batches))), asked.query)
        except _LIST.Refused as refused:
            return self.error(400, [str(refused)])
        return self.success(current_contract().operations["list"], self.listed(shown))

    def entries(self, batches: list[Any]) -> list[Any]:
        """Return batches as list entries, which may have a schema of their own in an edited contract."""
        if not current_contract().edited:
            return batches
        from batch_conformance.reference.listed import entry_of

        return list(map(entry_of, batches))

    def listed(self, entries: list[Any]) -> Any:
        """Return the body of a list, with the envelope that an edited contract may require."""
        if not current_contract().edited:
            return entries
        from batch_conformance.reference.listed import answer_of

        return answer_of(entries)

    def shown(self, batch: StoredBatch) -> Any:
        """Return a batch for the list, without advancing it."""
        return batch.peek()

    def success(self, operation: Operation, body: Any) -> Answer:
        """Return the documented success response."""
        answer = operation.success
        if answer is None:
            return Answer(200, body)
        status = int(answer.key) if answer.key.isdecimal() else 200
        return _with_headers(operation, answer, Answer(status, body, [], one_of(answer.media_types)))

    def unauthorized(self, asked: Asked) -> Answer:
        """Return the response for all authentication failures, which discloses no reason."""
        challenge = [("WWW-Authenticate", 'ApiKey realm="batch"')]
        return self.error(self.refusal(), "Missing or invalid API key", challenge)

    def refusal(self) -> int:
        """Return the status for a request without a valid key."""
        return refusal_of(self.operation or get_operation())

    def not_found(self, asked: Asked) -> Answer:
        """Return the response for an unknown id."""
        # Only operations on one batch document a status for unknown ids.
        one = self.operation if self.operation and self.operation.id_parameter else None
        return self.error(min(absences(one.name)) if one else 404, "Batch not found")

    def wrong_method(self, asked: Asked) -> Answer:
        """Return the response for other methods than GET and HEAD."""
        return self.error(405, "Method not allowed", [("Allow", "GET, HEAD")])

    def staged_answer(self, status: int) -> Answer:
        """Return a staged 429 or 500."""
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
        """Return an error response."""
        body = error_payload(status, message, code)
        if not current_contract().edited:
            return Answer(status, body, headers or [])
        from batch_conformance.reference.documented import error_maker

        operation = self.operation or get_operation()
        documented = operation.answer(status)
        # Undocumented errors have the form of documented ones.
        errors = [row for key, row in operation.answers.items() if key[0] in "45"]
        like = documented or next((row for row in errors if row.media_types), next(iter(errors), None))
        media_type = one_of(like.media_types) if like else JSON
        answer = Answer(status, error_maker(operation.name, status)(body), headers or [], media_type)
        return _with_headers(operation, documented, answer) if documented else answer

    def stage_by_request(self, asked: Asked) -> Answer:
        """Handle the staging hook (``POST /__stage__/500`` or ``/__stage__/PENDING``; not of the API)."""
        stage = asked.path[len(_STAGE) :].decode("latin-1")
        if asked.method == "POST" and self.authenticate(asked):
            if stage.isdigit() and self.answer_next(int(stage)):
                return Answer(200, {})
            if batch_id := self.batch_in(stage):
                return Answer(200, {"batch_id": batch_id})
        return self.not_found(asked)


def _with_headers(operation: Operation, documented: DocumentedAnswer, answer: Answer) -> Answer:
    """Add the headers that an edited contract documents."""
    if documented.headers and current_contract().edited:
        from batch_conformance.reference.documented import with_documented

        answer.headers = with_documented(answer.headers, operation.name, documented.key)
    return answer


def _parameter_values(asked: Asked, place: str, name: str) -> list[bytes]:
    """Return the values of a parameter, undecoded."""
    return list(_values(asked, place, name))


def _keys_in(asked: Asked, place: KeyPlace) -> list[bytes]:
    """Return the keys of a request without their prefix; an empty one where the prefix is missing."""
    prefix = place.prefix.encode("latin-1")
    values = _parameter_values(asked, place.place, place.name)
    return [value[len(prefix) :] if value[: len(prefix)].lower() == prefix.lower() else b"" for value in values]


def _values(asked: Asked, place: str, name: str) -> Iterator[bytes]:
    if place == "header":
        wanted = name.lower().encode("latin-1")
        # Names may be in any case with ``WireOptions.raw_names``.
        yield from (value for key, value in asked.headers if key.lower() == wanted)
    elif place == "query":
        pairs = parse_qsl(asked.query.decode("latin-1"), keep_blank_values=True)
        yield from (value.encode("latin-1", "replace") for key, value in pairs if key == name)
    else:
        for line in asked.header(b"cookie"):
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load(line.decode("latin-1"))
            except CookieError:
                continue
            if name in jar:
                yield jar[name].value.encode("latin-1", "replace")
