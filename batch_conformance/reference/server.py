"""The reference server: Get Batch and List Batches as an ordinary ASGI app.

Paths, the key's place, required parameters, statuses and media types are those of the contract in use. Each step is a
small method, so that a mutant can get exactly one of them wrong.
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
from batch_conformance.contract.operation import Answer as DocumentedAnswer
from batch_conformance.contract.parts import part_of
from batch_conformance.contract.pointers import read
from batch_conformance.contract.statuses import absences, refusals
from batch_conformance.operations.stored import Store, StoredBatch, error_payload
from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY, store_in_use

#: What List Batches answers is in the operation's own folder.
_LIST: Any = part_of("list", "handler")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Sender = Callable[[dict[str, Any]], Awaitable[None]]

_STAGE = b"/__stage__/"
_JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """A request, as far as this API looks at it. ``segment`` is what stands raw where the path names a batch, None for
    other paths.
    """

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
    media_type: str | None = _JSON

    def content(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        try:
            return json.dumps(self.body, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:  # a lone surrogate, which only an escape can carry
            return json.dumps(self.body).encode("ascii")


@cached_by_contract
def get_operation() -> Operation | None:
    """Get Batch, in the contract in use."""
    return current_contract().operations.get("get")


@cached_by_contract
def _path_of_batches() -> re.Pattern[bytes]:
    """Where a batch is, in raw paths: whatever stands for its id, slashes too."""
    operation = get_operation()
    if operation is None:
        return re.compile(b"(?!)")
    pieces = operation.pieces
    text = "".join(
        ("(?P<id>.*)" if piece == operation.id_parameter else re.escape(_example(operation, piece)))
        if at % 2
        else re.escape(piece)
        for at, piece in enumerate(pieces)
    )
    return re.compile(text.encode(), re.DOTALL)


def _example(operation: Operation, name: str) -> str:
    return next((row.example_text() for row in operation.of_place("path") if row.name == name), "")


def segment_of(path: bytes) -> bytes | None:
    """What stands for a batch's id in a raw path; None in paths to something else."""
    match = _path_of_batches().fullmatch(path)
    return match["id"] if match else None


def operation_of(asked: Asked) -> Operation | None:
    """The operation that a request is for, by its path; Get Batch's where it is for none."""
    listing = current_contract().operations.get("list")
    return listing if listing and asked.path == listing.url_path().encode() else get_operation()


def refusal_of(operation: Operation) -> int:
    """The status for who has no key."""
    return min(refusals(operation.name))


class ReferenceServer:
    """An ASGI 3 application. ``keys`` are the keys that open the store's batches."""

    #: How to put answers on the wire, for variants that need the plain server; None for uvicorn.
    manner: Any = None
    #: How List Batches selects and orders.
    lister: Any = _LIST.Lister()

    def __init__(self, store: Store | None = None, keys: tuple[str, ...] = (REFERENCE_KEY,)) -> None:
        self.store = store or store_in_use()
        self.keys = tuple(key.encode() for key in keys)
        #: ValidBatch keys of another organisation, which has no batches.
        self.other_keys: tuple[bytes, ...] = (OTHER_KEY.encode(),)
        self.staged: deque[int] = deque()
        #: The operation that the present request is for: what it asks for, and how its errors look.
        self.operation: Operation | None = None

    def answer_next(self, status: int) -> bool:
        """Answer the next authenticated read of a known batch with ``status``; 429 and 500 can be staged."""
        if status not in (429, 500):
            return False
        self.staged.append(status)
        return True

    def batch_in(self, state: str) -> str | None:
        """The id of a batch in one of the five states."""
        if get_operation() is None:
            return None
        place = entity_of("get").lifecycle_pointer
        found = (batch.id for batch in self.store.batches.values() if read(batch.peek(), place) == state)
        return next(found, None) if place else None

    async def __call__(self, scope: Scope, receive: Receive, send: Sender) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        raw = scope.get("raw_path") or scope["path"].encode()
        asked = Asked(
            method=scope["method"],
            path=raw,
            segment=segment_of(raw),
            query=scope.get("query_string", b""),
            headers=tuple(scope["headers"]),
            client=tuple(scope.get("client") or ("", 0)),
        )
        self.operation = operation_of(asked)
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
        listing = current_contract().operations.get("list")
        if listing and asked.path == listing.url_path().encode() and asked.method == listing.method:
            return self.incomplete(listing, asked) or self.list_batches(asked)
        operation = get_operation()
        if operation is None or asked.segment is None:
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

    def authenticate(self, asked: Asked) -> bool:
        """Whether the request carries exactly one valid key, where the contract wants it; any, where it wants none."""
        place = self.key_place()
        if place is None:
            return True
        values = _keys_in(asked, place)
        return len(values) == 1 and self.is_key(values[0])

    def key_place(self) -> KeyPlace | None:
        """Where the key goes."""
        operation = self.operation or get_operation() or next(iter(current_contract().operations.values()))
        return operation.key

    def is_key(self, value: bytes) -> bool:
        """Compare in constant time, with every key."""
        return sum(hmac.compare_digest(value, key) for key in (*self.keys, *self.other_keys)) > 0

    def incomplete(self, operation: Operation, asked: Asked) -> Answer | None:
        """A refusal where a required parameter is missing."""
        missing = [row.name for row in operation.parameters if row.required and self.misses(row, asked)]
        return self.error(400, f"{missing[0]} is missing") if missing else None

    def misses(self, parameter: Parameter, asked: Asked) -> bool:
        """Whether a required parameter is missing."""
        names = dict.fromkeys((parameter.name, *(name for name, _ in parameter.pairs())))
        return parameter.place != "path" and not any(_sent(asked, parameter.place, name) for name in names)

    def owns(self, asked: Asked) -> bool:
        """Whether the batches belong to the organisation whose key the request carries."""
        place = self.key_place()
        return place is None or not any(value in self.other_keys for value in _keys_in(asked, place))

    def look_up(self, segment: bytes) -> StoredBatch | None:
        """The batch whose id the path segment is, decoded once."""
        try:
            return self.store.batches.get(unquote_to_bytes(segment).decode("utf-8"))
        except UnicodeDecodeError:
            return None

    def found(self, batch: StoredBatch, asked: Asked) -> Answer:
        """A batch, in its state of the moment."""
        return self.success(get_operation(), batch.read())

    def list_batches(self, asked: Asked) -> Answer:
        """The batches of the key's organisation that the query asks for."""
        batches = self.store.batches.values() if self.owns(asked) else ()
        try:
            shown = self.lister.answer(self.entries(list(map(self.shown, batches))), asked.query)
        except _LIST.Refused as refused:
            return self.error(400, [str(refused)])
        return self.success(current_contract().operations["list"], self.listed(shown))

    def entries(self, batches: list[Any]) -> list[Any]:
        """Batches as entries of a list, which an edited contract may describe by a schema of their own."""
        if not current_contract().edited:
            return batches
        from batch_conformance.reference.listed import entry_of

        return list(map(entry_of, batches))

    def listed(self, entries: list[Any]) -> Any:
        """The body of a list: its entries, and what an edited contract may have around them."""
        if not current_contract().edited:
            return entries
        from batch_conformance.reference.listed import answer_of

        return answer_of(entries)

    def shown(self, batch: StoredBatch) -> Any:
        """A batch as the list shows it; that does not move it."""
        return batch.peek()

    def success(self, operation: Operation | None, body: Any) -> Answer:
        """The documented success answer."""
        answer = operation.success if operation else None
        if answer is None:
            return Answer(200, body)
        status = int(answer.key) if answer.key.isdecimal() else 200
        return _with_headers(operation, answer, Answer(status, body, [], _shown_type(answer)))

    def unauthorized(self, asked: Asked) -> Answer:
        """The same for every reason, so that nothing is learnt."""
        challenge = [("WWW-Authenticate", 'ApiKey realm="batch"')]
        return self.error(self.refusal(), "Missing or invalid API key", challenge)

    def refusal(self) -> int:
        """The status for who has no key."""
        operation = self.operation or get_operation()
        return refusal_of(operation) if operation else 401

    def not_found(self, asked: Asked) -> Answer:
        """No batch of that id."""
        # Only an operation on one batch documents what it says of none.
        one = self.operation if self.operation and self.operation.id_parameter else None
        return self.error(min(absences(one.name)) if one else 404, "Batch not found")

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
        body = error_payload(status, message, code)
        operation = self.operation or get_operation()
        if operation is None or not current_contract().edited:
            return Answer(status, body, headers or [])
        from batch_conformance.reference.edited import error_maker

        documented = operation.answer(status)
        # Errors that are not documented look like those that are.
        like = documented or next((row for key, row in operation.answers.items() if key[0] in "45"), None)
        media_type = _shown_type(like) if like else _JSON
        answer = Answer(status, error_maker(operation.name, status)(body), headers or [], media_type)
        return _with_headers(operation, documented, answer) if documented else answer

    def stage_by_request(self, asked: Asked) -> Answer:
        """``POST /__stage__/500`` or ``/__stage__/PENDING``: the staging hook of this server (no part of the API)."""
        stage = asked.path[len(_STAGE) :].decode("latin-1")
        if asked.method == "POST" and self.authenticate(asked):
            if stage.isdigit() and self.answer_next(int(stage)):
                return Answer(200, {})
            if batch_id := self.batch_in(stage):
                return Answer(200, {"batch_id": batch_id})
        return self.not_found(asked)


def _with_headers(operation: Operation | None, documented: DocumentedAnswer, answer: Answer) -> Answer:
    """An answer with the headers that an edited contract documents."""
    if operation is not None and documented.headers and current_contract().edited:
        from batch_conformance.reference.edited import documented_headers

        sent = {name.lower() for name, _ in answer.headers}
        more = documented_headers(operation.name, documented.key)
        answer.headers = [*answer.headers, *(row for row in more if row[0].lower() not in sent)]
    return answer


def _shown_type(answer: DocumentedAnswer) -> str | None:
    """The media type that an answer is sent as; JSON where a range is documented."""
    media = answer.media_type
    return None if media is None else _JSON if "*" in media.name else media.name


def _sent(asked: Asked, place: str, name: str) -> list[bytes]:
    """The values of a parameter, as they came."""
    return list(_values(asked, place, name))


def _keys_in(asked: Asked, place: KeyPlace) -> list[bytes]:
    """What stands in the key's place, without what belongs before a key; all of it where that is missing."""
    prefix = place.prefix.encode("latin-1")
    values = _sent(asked, place.place, place.name)
    return [value[len(prefix) :] if value[: len(prefix)].lower() == prefix.lower() else b"" for value in values]


def _values(asked: Asked, place: str, name: str) -> Iterator[bytes]:
    if place == "header":
        wanted = name.lower().encode("latin-1")
        # Some servers hand names on as they were sent (``WireOptions.raw_names``).
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
