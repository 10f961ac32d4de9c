"""A hand-written server that follows its arguments and no contract, to show that contract edits matter."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from batch_conformance.operations.get_batch.store import sample_store
from batch_conformance.operations.stored import Store
from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY


@dataclass
class HandServer:
    """An ASGI app. ``key`` is the place and the name of the key, None for a server that needs none.

    ``required`` are the required parameters, as (place, name); without one, the response is a 400.
    """

    before: str = "/v2/batch/"
    after: str = ""
    listed: str = "/v2/batch"
    key: tuple[str, str] | None = ("header", "x-api-key")
    prefix: str = ""
    required: tuple[tuple[str, str], ...] = ()
    refusal: int = 401
    absence: int = 404
    store: Store = field(default_factory=sample_store)
    staged: deque[int] = field(default_factory=deque)
    manner: Any = None

    def answer_next(self, status: int) -> bool:
        """Stage a status."""
        self.staged.append(status)
        return True

    def batch_in(self, state: str) -> str | None:
        """Return a batch in this state."""
        return next((one.id for one in self.store.batches.values() if one.peek()["status"] == state), None)

    async def __call__(self, scope: Mapping[str, Any], _receive: Any, send: Any) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        status, body, headers = self.answer(scope)
        content = json.dumps(body).encode()
        fields = [
            *((name.encode(), value.encode()) for name, value in headers),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})

    def answer(self, scope: Mapping[str, Any]) -> tuple[int, Any, list[tuple[str, str]]]:
        """Return status, body and headers."""
        raw = scope["raw_path"].decode("latin-1")
        keys = [None] if self.key is None else self.values(scope, *self.key)
        known = {self.prefix + REFERENCE_KEY: True, self.prefix + OTHER_KEY: False}
        if self.key is not None and (len(keys) != 1 or keys[0] not in known):
            return self.error(self.refusal, "Unauthorized", [("www-authenticate", "ApiKey")])
        if raw == self.listed and scope["method"] == "GET":
            return 200, [one.peek() for one in self.store.newest_first()], []
        if not (raw.startswith(self.before) and raw.endswith(self.after)):
            return self.error(404, "Not found")
        if scope["method"] not in ("GET", "HEAD"):
            return self.error(405, "Method not allowed", [("allow", "GET, HEAD")])
        lacking = [name for place, name in self.required if not self.values(scope, place, name)]
        if lacking:
            return self.error(400, f"{lacking[0]} is missing")
        segment = raw[len(self.before) : len(raw) - len(self.after)]
        try:
            name = unquote_to_bytes(segment).decode("utf-8")
        except UnicodeDecodeError:
            name = ""
        batch = self.store.batches.get(name)
        if batch is None or not (keys[0] is None or known[str(keys[0])]):
            return self.error(self.absence, "Batch not found")
        if self.staged:
            return self.error(self.staged.popleft(), "As you wish", [("retry-after", "1")])
        return 200, batch.read(), []

    @staticmethod
    def error(
        status: int, message: str, headers: list[tuple[str, str]] | None = None
    ) -> tuple[int, Any, list[tuple[str, str]]]:
        """Return an error as documented."""
        return status, {"message": message, "statusCode": status}, headers or []

    @staticmethod
    def values(scope: Mapping[str, Any], place: str, name: str) -> list[str]:
        """Return the values of a parameter."""
        headers = [(one.decode("latin-1"), value.decode("latin-1")) for one, value in scope["headers"]]
        if place == "header":
            return [value for one, value in headers if one == name.lower()]
        if place == "query":
            pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        else:
            lines = [value for one, value in headers if one == "cookie"]
            pairs = [
                (pair.partition("=")[0].strip(), pair.partition("=")[2].strip())
                for line in lines
                for pair in line.split(";")
            ]
        return [value for one, value in pairs if one == name]
