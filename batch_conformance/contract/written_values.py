"""Serialized values of headers and parameters: headers in style ``simple``, or JSON by ``content``.

Source: OpenAPI 3.1, 4.8.21 (Header Object) and 4.8.12 (styles).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from batch_conformance.contract.parameter import as_sent, pairs_in
from batch_conformance.contract.references import Document, Schema, types_of
from batch_conformance.contract.rule_list import beside, parts

_IN_JSON = frozenset({"integer", "number", "boolean"})


def schema_of(header: Mapping[str, Any]) -> Schema:
    """Return the schema of a header's value; True where it has none."""
    if "schema" in header:
        schema: Schema = header["schema"]
        return schema
    rows = header.get("content", {}).values()
    return next((row["schema"] for row in rows if "schema" in row), True)


def header_text(value: Any, header: Mapping[str, Any]) -> str:
    """Serialize a value as the text of a header."""
    return json.dumps(value) if "content" in header else as_sent(value, explode=bool(header.get("explode")))


def value_of(text: str, header: Mapping[str, Any], document: Document) -> Any:
    """Parse a header's text as a value of its schema; return the text if it cannot be parsed."""
    schema = schema_of(header)
    if "content" in header:
        return _from_json(text)
    kinds, cut = kinds_of(schema, document), [part.strip() for part in text.split(",")]
    if "array" in kinds:
        return array_of(cut if text else [], schema, document)
    if "object" in kinds:
        return object_of(pairs_in(cut, explode=bool(header.get("explode"))), schema, document)
    return _from_json(text) if kinds & _IN_JSON else text


def array_of(texts: Sequence[str], schema: Schema, document: Document) -> list[Any]:
    """Parse an array from the texts of its items."""
    return [_scalar(text, schema, str(at), document) for at, text in enumerate(texts)]


def object_of(pairs: Iterable[tuple[str, str]], schema: Schema, document: Document) -> dict[str, Any]:
    """Parse an object from the names and texts of its members."""
    return {name: _scalar(text, schema, name, document) for name, text in pairs}


def _scalar(text: str, schema: Schema, name: str, document: Document) -> Any:
    """Parse an item of an array or a member of an object."""
    kinds = {kind for inner in parts(schema, document, name) for kind in kinds_of(inner, document)}
    return _from_json(text) if kinds & _IN_JSON else text


def kinds_of(schema: Schema, document: Document) -> set[str]:
    """Return the types that a schema names; else ``number`` if it lists numbers."""
    layers = list(beside(schema, document))
    listed = [one for layer in layers for one in (*layer.get("enum", ()), layer.get("const", ""))]
    named = {kind for layer in layers for kind in types_of(layer)}
    return named or {"number" for one in listed if isinstance(one, int | float)}


def _from_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
