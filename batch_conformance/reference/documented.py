"""Answers of the reference server under an edited contract: error bodies, headers, and bodies like an example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from batch_conformance.contract import base_contract, cached_by_contract, current_contract
from batch_conformance.contract.clause_list import is_promised, place_of_status
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import MISSING, join, read, replaced
from batch_conformance.contract.schema import SchemaJudge
from batch_conformance.contract.written_values import header_text, schema_of, value_of
from batch_conformance.generate.values import Space
from batch_conformance.reference.edited import Value, space_of


@cached_by_contract
def error_maker(name: str, status: int) -> Callable[[Value], Any]:
    """Return a function that makes an error body valid for a status, and adds new optional members."""
    operation = current_contract().operation(name)
    documented = operation.answer(status) or next(
        (answer for key, answer in operation.answers.items() if not key.startswith("2")), None
    )
    media = documented.media_type if documented else None
    if media is None:
        return lambda body: body
    space = Space(media.schema, current_contract().document.content, list(media.examples.values()))
    known, status_place = _known_errors(), place_of_status("server.error.status-agrees")

    def made(body: Value) -> Any:
        value: Any = {name: item for name, item in body.items() if space.schemas_at(body, join("", name))}
        # Keep the member that repeats the status if possible.
        has_status = status_place and read(value, status_place) is not MISSING
        repaired = space.repaired(value, status_place) if has_status else MISSING
        value = space.repaired(value) if repaired is MISSING else repaired
        if value is MISSING:
            return body
        if isinstance(value, dict):
            applying = list(space.applying(space.schema, value))
            for name in dict.fromkeys(name for one in applying for name in one.get("properties", ())):
                if name not in value and name not in known:
                    new = space.builder.value(space.schemas_at(value, join("", name)), full=True)
                    more = MISSING if new is MISSING else {**value, name: new}
                    value = more if more is not MISSING and space.is_valid(more) else value
        return value

    return made


@cached_by_contract
def documented_headers(name: str, key: str) -> list[tuple[str, str]]:
    """Return the required or specified headers of an operation's response, with valid values."""
    contract = current_contract()
    found = []
    for header, row in contract.operation(name).answers[key].headers.items():
        schema = contract.document.resolve(schema_of(row))
        if is_promised(header, row):
            examples = [row["example"]] if "example" in row else []
            space = Space(schema, contract.document.content, examples)
            value = next(iter(space.examples), MISSING)
            value = space.builder.value([schema], full=True) if value is MISSING else value
            if value is not MISSING:
                found.append((header, header_text(value, row)))
    return found


@cached_by_contract
def documented_body(name: str, batch_id: str) -> Any:
    """Return a valid success body of an operation, like its example and with the id if it repeats that.

    Empty bytes where the contract has no body, or none could be made.
    """
    success = current_contract().operation(name).success
    if success is None or success.media_type is None:
        return b""
    entity = entity_of(name)
    space = space_of(entity)
    body = next(iter(space.examples), MISSING)
    body = space.builder.value([space.schema], full=True) if body is MISSING else body
    if entity.echo and isinstance(body, dict):
        body = replaced(body, entity.echo, batch_id)
    body = body if body is MISSING else space.repaired(body, entity.echo)
    return b"" if body is MISSING else body


def with_documented(headers: Sequence[tuple[str, str]], name: str, key: str) -> list[tuple[str, str]]:
    """Return the headers of a response of an operation, and the documented ones where they are absent or invalid."""
    documented = documented_headers(name, key)
    replaceable = {header.lower() for header, _ in documented}
    kept = [row for row in headers if row[0].lower() not in replaceable or _fits(name, key, *row)]
    sent = {header.lower() for header, _ in kept}
    return [*kept, *(row for row in documented if row[0].lower() not in sent)]


@cached_by_contract
def _fits(name: str, key: str, header: str, text: str) -> bool:
    """Whether a header's text is valid by its schema. Cached, since every refusal has the same."""
    document = current_contract().document
    rows = current_contract().operation(name).answers[key].headers
    row = next(one for documented, one in rows.items() if documented.lower() == header.lower())
    judge = SchemaJudge(document.resolve(schema_of(row)), document.content)
    return judge.is_valid(value_of(text, row, document.content))


def _known_errors() -> set[str]:
    """Return the members in the contract without overlays; optional ones of these need not be shown."""
    found: set[str] = set()
    for schema in base_contract().schemas.values():
        with suppress(AttributeError):
            found |= set(schema.get("properties", ()))
    return found
