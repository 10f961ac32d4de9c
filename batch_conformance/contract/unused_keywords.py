"""Detection of misspelt keywords in schemas, and of those from dialects other than JSON Schema 2020-12.

Unknown keywords are annotations (2020-12 core, 6.5), so a misspelt one would disable a promise without
notice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator

from batch_conformance.contract.document import pointer
from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.references import MANY, NAMED, ONE, Schema, subschemas

#: Keywords of OpenAPI 3.1 (Schema Object), and of this suite.
_MORE = ("discriminator", "xml", "externalDocs", "example", "x-validations", "x-lifecycle", "x-identity", "x-copy-of")
_KNOWN = frozenset(
    (
        "$schema",
        "$id",
        "$anchor",
        "$dynamicAnchor",
        "$dynamicRef",
        "$ref",
        "$vocabulary",
        "$comment",
        "if",
        "then",
        "else",
        "title",
        "description",
        "default",
        "deprecated",
        "readOnly",
        "writeOnly",
        "examples",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "minContains",
        "maxContains",
        "definitions",
        *Draft202012Validator.VALIDATORS,
        *ONE,
        *MANY,
        *NAMED,
        *_MORE,
    )
)
#: Keywords of OpenAPI 3.0 and earlier drafts, with the 2020-12 replacement.
_REPLACEMENTS = {
    "nullable": "write null as one of its types: type: [..., 'null']",
    "dependencies": "write dependentRequired or dependentSchemas",
    "additionalItems": "write prefixItems, and items for the rest",
    "divisibleBy": "write multipleOf",
    "disallow": "write not",
    "extends": "write allOf",
    "$recursiveRef": "write $ref",
    "item": "write items",
    "property": "write properties",
}
#: Unchecked formats of the OpenAPI format registry, which resemble checked ones.
_ANNOTATIONS = frozenset({"int8", "int16", "uint8", "uint16", "uint32", "uint64", "date-time-local", "time-local"})
#: Common wrong names of formats, and the right ones.
_FORMAT_ALIASES = {"url": "uri", "guid": "uuid", "mail": "email", "timestamp": "date-time", "ip": "ipv4 or ipv6"}
#: Keywords that identify a value as a schema.
_SCHEMA_KEYWORDS = frozenset({"type", "enum", "const", "$ref", "properties", "items", "oneOf", "anyOf", "allOf"})
#: Shorter names match too easily.
_MIN_LENGTH = 5
_SIMILARITY = 0.8


def unused_keywords(place: str, schema: Schema) -> Iterator[str]:
    """Yield the ineffective keywords as one-line messages; ``place`` is the JSON pointer of the schema."""
    if not isinstance(schema, dict):
        return
    for name in schema:
        if name in _REPLACEMENTS:
            yield f"{place}{pointer(name)}: is no keyword of JSON Schema 2020-12; {_REPLACEMENTS[name]}"
        elif name not in _KNOWN and (meant := meant_by(name, _KNOWN)):
            yield f"{place}{pointer(name)}: is no keyword; write {meant}, or a name that is not so near to it"
        elif name not in _KNOWN and name[:2] != "x-" and _is_schema(schema[name]):
            yield f"{place}{pointer(name)}: is no keyword, but has a schema; members stand under properties"
    named = schema.get("format")
    if isinstance(named, str) and named not in FORMATS and (meant := _format_meant_by(named)):
        yield f"{place}/format: {named!r} is no format; write {meant}"
    for inner, below in subschemas(schema, place):
        yield from unused_keywords(below, inner)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and not value.keys().isdisjoint(_SCHEMA_KEYWORDS)


def meant_by(name: str, known: Collection[str]) -> str:
    """Return the known word that a name resembles; empty if there is none."""
    spelt = _spelling(name, known)
    if spelt or len(name) < _MIN_LENGTH:
        return spelt
    return next(iter(get_close_matches(name, known, n=1, cutoff=_SIMILARITY)), "")


def _format_meant_by(name: str) -> str:
    """Return the format that a name resembles or is an alias of; empty if there is none."""
    return "" if name in _ANNOTATIONS else _FORMAT_ALIASES.get(name.lower()) or meant_by(name, FORMATS)


def _spelling(name: str, known: Collection[str]) -> str:
    """Return the known word that differs only in case and separators; empty if there is none."""
    return next((one for one in known if _letters(one) == _letters(name)), "")


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
