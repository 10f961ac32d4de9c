"""Local references and schemas of one document: resolving, locating, checking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from batch_conformance.contract.ecma_regex import UnsupportedPattern, compile_pattern
from batch_conformance.contract.pointers import MISSING, join, read

Schema = dict[str, Any] | bool
Document = dict[str, Any]

_META = Draft202012Validator(Draft202012Validator.META_SCHEMA)
#: Keywords whose value is one schema; MANY: a list of schemas; NAMED: schemas by name.
ONE = (
    "items",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
)
MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs")


class SchemaError(ValueError):
    """A schema that cannot be used. The message is one line: place and problem."""


def resolve(reference: str, document: Document) -> tuple[Schema, str]:
    """Return the schema at a local reference, and its pointer. Raises :class:`SchemaError`."""
    pointer = unquote(reference.removeprefix("#"))
    found = read(document, pointer) if reference.startswith("#") else MISSING
    if found is MISSING or not isinstance(found, dict | bool) or (pointer and not pointer.startswith("/")):
        raise SchemaError(f"$ref {reference!r} leads nowhere in this document")
    return found, pointer


def followed(schema: Schema, pointer: str, document: Document) -> tuple[Schema, str]:
    """Follow a schema that is only a ``$ref`` to a schema and its pointer. Raises :class:`SchemaError`."""
    while isinstance(schema, dict) and "$ref" in schema and len(schema) == 1:
        schema, pointer = resolve(schema["$ref"], document)
    return schema, pointer


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a schema object names, if any."""
    given = schema.get("type", [])
    return [given] if isinstance(given, str) else list(given)


def pointer_of(schema: Schema, document: Document) -> str:
    """Return the pointer of a schema (the same object) in a document; empty if it is not part of it."""
    stack: list[tuple[Any, str]] = [(document, "")]
    while stack:
        node, pointer = stack.pop()
        if node is schema:
            return pointer
        rows = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        stack += [(inner, join(pointer, key)) for key, inner in rows if isinstance(inner, dict | list)]
    return ""


def subschemas(schema: Schema, pointer: str) -> list[tuple[Schema, str]]:
    """Return the direct subschemas of a schema, with their pointers."""
    if isinstance(schema, bool):
        return []
    found: list[tuple[Schema, str]] = []
    for key in ONE:
        if key in schema:
            found.append((schema[key], join(pointer, key)))
    for key in MANY:
        found += [(inner, join(pointer, key, at)) for at, inner in enumerate(schema.get(key, ()))]
    for key in NAMED:
        found += [(inner, join(pointer, key, name)) for name, inner in schema.get(key, {}).items()]
    return found


def check_schema(schema: Schema, document: Document, pointer: str = "") -> None:
    """Raise :class:`SchemaError` if a schema, or one that it refers to, cannot be used.

    Refused are: schemas invalid by the meta-schema, broken and circular references, dynamic references,
    invalid patterns.
    """
    seen: set[int] = set()
    _check_form(schema, pointer)
    stack = [(schema, pointer)]
    while stack:
        node, at = stack.pop()
        if not isinstance(node, dict | bool):
            raise SchemaError(f"at {at or '/'}: not a schema")
        if isinstance(node, bool) or id(node) in seen:
            continue
        seen.add(id(node))
        for dynamic in ("$dynamicRef", "$recursiveRef"):
            if dynamic in node:
                raise SchemaError(f"at {at or '/'}: {dynamic} is not supported")
        if "$ref" in node:
            target = resolve(node["$ref"], document)
            if id(target[0]) not in seen:
                _check_form(*target)
            stack.append(target)
            _refuse_circle(node, document, at)
        _check_patterns(node, at)
        stack += subschemas(node, at)


def _check_form(schema: Schema, pointer: str) -> None:
    found = best_match(_META.iter_errors(schema))
    if found is not None:
        raise SchemaError(f"at {join(pointer, *found.absolute_path) or '/'}: {found.message[:200]}")


def _check_patterns(node: dict[str, Any], pointer: str) -> None:
    patterns = [node.get("pattern"), *node.get("patternProperties", {})]
    for pattern in patterns:
        if isinstance(pattern, str):
            try:
                compile_pattern(pattern)
            except UnsupportedPattern as error:
                raise SchemaError(f"at {pointer or '/'}: {error}") from None


def _refuse_circle(schema: dict[str, Any], document: Document, pointer: str) -> None:
    """Raise for a reference that leads back to itself at the same value: validation would not end."""
    path: list[int] = []

    def walk(node: Schema) -> None:
        if isinstance(node, bool):
            return
        if id(node) in path:
            raise SchemaError(f"at {pointer or '/'}: $ref {schema['$ref']!r} comes back to itself")
        path.append(id(node))
        if "$ref" in node:
            walk(resolve(node["$ref"], document)[0])
        for key in ("allOf", "anyOf", "oneOf"):
            for inner in node.get(key, ()):
                walk(inner)
        for key in ("not", "if", "then", "else"):
            if key in node:
                walk(node[key])
        path.pop()

    walk(schema)
