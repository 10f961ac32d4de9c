"""Requests and response decoding of the reference client, without any network.

Everything follows the contract in use. Of the suite, this imports only the contract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

import httpx

from batch_conformance.contract import Operation, current_contract
from batch_conformance.contract.cel_values import beside, parts
from batch_conformance.contract.document import at_pointer
from batch_conformance.contract.entity import Entity, entity_of, entry_entity, list_shape
from batch_conformance.contract.filters import named_filters
from batch_conformance.contract.pointers import read
from batch_conformance.contract.references import types_of
from batch_conformance.contract.schema import Violation

#: Violations for which a response is rejected; others (bounds, patterns) are left to the caller.
_REFUSED = ("type", "required", "dependentRequired", "oneOf", "anyOf", "not", "false")
_TEMPLATE = re.compile(r"\{([^{}/]+)\}")

#: A batch: the documented members under their wire names, date-times as ``datetime`` with their offset. Enum
#: values may be undocumented.
Batch = dict[str, Any]


class BatchError(Exception):
    """Raised when a call fails. ``kind`` is the driver protocol's, ``status`` the HTTP status if any."""

    def __init__(self, kind: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


@dataclass(frozen=True)
class Answer:
    """A complete HTTP response."""

    status: int
    headers: httpx.Headers
    body: bytes


class Codec:
    """Builds requests and decodes responses. ``timeout`` is the deadline of a call in seconds.

    ``on_one`` is the operation on one batch that is called by its id: Get Batch, unless it is set.
    """

    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        self.base_url = base_url
        self.api_key = api_key
        self.timeout = timeout
        self.on_one = self._asks_for = "get"

    @property
    def operation(self) -> Operation:
        """The operation of the last request, in the contract in use; at first Get Batch."""
        return current_contract().operation(self._asks_for)

    def url(self, batch_id: str) -> str:
        """Return the URL for a batch. Raises :class:`BatchError` for ids that no path segment can carry."""
        if batch_id in ("", ".", ".."):
            # These change the path, encoded or not (RFC 3986, 5.2.4).
            raise BatchError("invalid_argument", f"{batch_id!r} cannot be a batch id")
        self._asks_for = self.on_one
        operation = self.operation
        examples = {row.name: row.example_text() for row in operation.of_place("path")}
        values = examples | {str(operation.id_parameter): batch_id}
        path = _TEMPLATE.sub(lambda match: self.segment(values[match[1]]), operation.path)
        query = urlencode([*operation.required_query(), *self.key("query")])
        return f"{self.base_url}{path}{'?' if query else ''}{query}"

    def list_url(self, filters: Mapping[str, str | datetime | None]) -> str:
        """Return the URL of the list with the given filters. Raises :class:`BatchError` for a naive date."""
        self._asks_for = "list"
        operation, known = self.operation, named_filters()
        names = {name: known[name].name if name in known else name for name in filters}
        given = [(names[name], self.filter(name, value)) for name, value in filters.items() if value is not None]
        required = [row for row in operation.required_query() if row[0] not in dict(given)]
        # Everything is percent-encoded: an unescaped + would be read as a space.
        pairs = [*required, *self.key("query"), *given]
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
        return f"{self.base_url}{operation.url_path()}{'?' if query else ''}{query}"

    def filter(self, name: str, value: str | datetime) -> str:
        """Return a filter's value as sent. Raises :class:`BatchError` for a naive date."""
        if isinstance(value, str):
            return value
        if value.tzinfo is None:
            raise BatchError("invalid_argument", f"{name} has no offset")
        return value.isoformat()

    def segment(self, batch_id: str) -> str:
        """Encode an id as one path segment."""
        return quote(batch_id, safe="")

    def key(self, place: str) -> list[tuple[str, str]]:
        """Return the API key with its name if the contract puts it at ``place``, else nothing."""
        key = self.operation.key
        return [(key.name, key.prefix + self.api_key)] if key and key.place == place else []

    def headers(self) -> dict[str, str]:
        """Return the headers of a request."""
        operation = self.operation
        cookies = "; ".join(f"{name}={value}" for name, value in (*operation.required_cookies(), *self.key("cookie")))
        accepted = operation.success.media_types if operation.success else {}
        return {
            **dict(self.key("header")),
            "accept": ", ".join(accepted) or "*/*",
            **({"cookie": cookies} if cookies else {}),
            **dict(operation.required_headers()),
        }

    def read(self, answer: Answer) -> Batch:
        """Return the batch in a response. Raises :class:`BatchError` when there is none."""
        self.check_status(answer, self.operation)
        return self.batch(self.json(answer.body))

    def read_list(self, answer: Answer) -> list[Batch]:
        """Return the batches in a response, in order. Raises :class:`BatchError` when one is invalid."""
        self.check_status(answer, current_contract().operation("list"))
        return self.entries(self.json(answer.body))

    def check_status(self, answer: Answer, operation: Operation) -> None:
        """Raise :class:`BatchError` unless a response has a documented success status."""
        documented = [key for key in operation.answers if key.startswith("2")] or ["200"]
        if str(answer.status) not in documented and f"{answer.status // 100}XX" not in documented:
            raise self.error(answer)

    def entries(self, value: Any) -> list[Batch]:
        """Decode the entries of a list. Raises :class:`BatchError`."""
        shape = list_shape()
        rows = shape.entries(value) if shape else None
        if shape is None or rows is None:
            where = f"with an array at {shape.place}" if shape and shape.place else "an array"
            raise _undocumented(f"the body is {type(value).__name__}, not {where}")
        for found in shape.violations(value) if shape.place else ():
            if found.code in _REFUSED:
                raise _undocumented(f"{found.pointer} ({found.code}): {found.expected} is expected")
        return [self.entry(row) for row in rows]

    def entry(self, value: Any) -> Batch:
        """Decode an entry of a list by its schema. Raises :class:`BatchError`."""
        entity = entry_entity()
        return self.batch(value) if entity is entity_of("get") else self.decoded(value, entity)

    def error(self, answer: Answer) -> BatchError:
        """Return the error for a response without success, whatever its body."""
        return BatchError(self.kind(answer.status), self.message(answer), answer.status)

    def kind(self, status: int) -> str:
        """Return the error kind of a status."""
        if 500 <= status < 600:
            return "server_error"
        return {401: "unauthorized", 404: "not_found", 429: "rate_limited"}.get(status, "http")

    def message(self, answer: Answer) -> str:
        """Return the messages of an error body in one text, after the status."""
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError):
            body = None
        documented = self.operation.answer(answer.status) or self.operation.answer(500)
        media = documented.media_type if documented else None
        layers = beside(media.schema, current_contract().document.content) if media else ()
        names = dict.fromkeys(name for one in layers for name in one.get("properties", ()))
        members = [body.get(name) for name in names] if isinstance(body, dict) else []
        flat = [text for one in members for text in (one if isinstance(one, list) else [one])]
        texts = [text for text in flat if isinstance(text, str)]
        return f"{answer.status}: {'; '.join(texts) or 'the server gave no reason'}"

    def json(self, body: bytes) -> Any:
        """Parse a body as JSON. Raises :class:`BatchError`."""
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise _undocumented(f"the body is not JSON ({error})") from None

    def batch(self, value: Any) -> Batch:
        """Decode a batch from JSON, without undocumented members. Raises :class:`BatchError`."""
        return self.decoded(value, entity_of(self.on_one))

    def decoded(self, value: Any, entity: Entity) -> Batch:
        """Decode an object from JSON by the schema of an entity. Raises :class:`BatchError`."""
        if not isinstance(value, dict):
            raise _undocumented(f"the body is {type(value).__name__}, not an object")
        for found in entity.judge.violations(value):
            if self.refuses(found, value):
                raise _undocumented(f"{found.pointer} ({found.code}): {found.expected} is expected")
        batch: Batch = self.converted(value, [entity.schema])
        return batch

    def refuses(self, found: Violation, value: Any) -> bool:
        """Whether a response is rejected for a violation; unknown enum values of the same type are not."""
        if found.code in ("enum", "const"):
            known = at_pointer(current_contract().document.content, f"#{found.schema_pointer}")
            kinds = {type(one) for one in (known if found.code == "enum" else [known])}
            return type(read(value, found.pointer)) not in kinds
        return found.code in _REFUSED

    def converted(self, value: Any, schemas: Sequence[Any]) -> Any:
        """Convert a value by the schemas of its place. Raises :class:`BatchError`."""
        document = current_contract().document.content
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
            return self.integer(value) if any("integer" in types_of(one) for one in applying) else value
        return value

    def enumerated(self, value: str, known: Sequence[Any]) -> str:  # noqa: ARG002
        """Return an enum value unchanged, also an unknown one; a mutant overrides this."""
        return value

    def integer(self, number: float) -> int:
        """Return an integer of any size; in JSON Schema, 5.0 is one."""
        return int(number)

    def instant(self, text: str) -> datetime:
        """Parse an RFC 3339 date-time to the microsecond; ``t`` and ``z`` may be in lower case (5.6)."""
        try:
            instant = datetime.fromisoformat(text.upper())
        except ValueError:
            raise _undocumented("what should be a date-time is none") from None
        if instant.tzinfo is None:
            raise _undocumented("a date-time has no offset")
        return instant

    def as_reply(self, batch: Batch) -> dict[str, Any]:
        """Return a batch as JSON under its wire names, for the adapter."""
        return {name: _as_reply(item) for name, item in batch.items()}


def _as_reply(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_reply(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_reply(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _may_be_null(schemas: Sequence[Any], document: dict[str, Any]) -> bool:
    return any("null" in types_of(one) for schema in schemas for one in beside(schema, document))


def _undocumented(what: str) -> BatchError:
    return BatchError("decode", f"the answer is not what is documented: {what}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
