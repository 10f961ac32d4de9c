"""Validation of values by a JSON Schema 2020-12 of one bundled document; violations have codes and pointers.

``jsonschema`` validates, with formats always on. Three things differ:

- a violation has the pointer of the wrong place: a missing or additional member has its own;
- a value of a wrong type violates ``type`` only, not also ``enum``, ``format`` or a branch;
- where all branches of ``oneOf`` or ``anyOf`` but one are ruled out by type, or by a ``const``/``enum``
  member, the violations within that branch are reported, else that of the keyword itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from jsonschema.exceptions import ValidationError

from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.keywords import Jump, validator_class
from batch_conformance.contract.places import Place, places
from batch_conformance.contract.pointers import join
from batch_conformance.contract.references import Document, Schema, SchemaError, check_schema, pointer_of

__all__ = ["Place", "SchemaError", "SchemaJudge", "Violation", "places", "shown"]

_LONGEST = 60
#: Keywords not reported for a value of a wrong type.
_FOLLOWS_FROM_TYPE = frozenset({"enum", "const", "format", "oneOf", "anyOf", "not", "if"})
_ARTICLES = {"array": "an array", "object": "an object", "integer": "an integer", "null": "null"}


@dataclass(frozen=True)
class Violation:
    """One violation of a keyword at one place of a value.

    ``code`` is the keyword, ``pointer`` the place in the value (of the missing member itself, for
    ``required``), ``schema_pointer`` the keyword's place in the document. ``expected`` and ``actual`` are a
    few words each. ``also`` are further places in the document with the same violation.
    """

    code: str
    pointer: str
    schema_pointer: str
    expected: str
    actual: str
    also: tuple[str, ...] = ()


class SchemaJudge:
    """Validator of one schema of a document. Raises :class:`SchemaError` for an invalid schema.

    A ``trusted`` schema is not checked itself: it is part of one that was checked.
    """

    def __init__(self, schema: Schema, document: Document, *, trusted: bool = False) -> None:
        self.schema = schema
        self.document = document
        self._pointer = "" if trusted else pointer_of(schema, document)
        if not trusted:
            check_schema(schema, document, self._pointer)
        kind = validator_class(document)
        self._validator = kind(schema)

    def violations(self, value: Any) -> list[Violation]:
        """Return all violations of a value, by place. A value nested too deeply is one violation."""
        try:
            found = [self._violation(error) for error in self._validator.iter_errors(value)]
        except RecursionError:
            return [Violation("depth", "", self._pointer, "a value that can be walked", "nested too deeply")]
        return _merged(found)

    def is_valid(self, value: Any) -> bool:
        """Whether a value has no violation."""
        try:
            return bool(self._validator.is_valid(value))
        except RecursionError:
            return False

    def _violation(self, error: ValidationError) -> Violation:
        parts = list(error.absolute_schema_path)
        jumps = [at for at, part in enumerate(parts) if isinstance(part, Jump)]
        base = str(parts[jumps[-1]]) if jumps else self._pointer
        code = str(error.validator or "false")
        tail = parts[jumps[-1] + 1 :] if jumps else parts
        if code in ("minContains", "maxContains"):
            tail = [*tail[:-1], code]
        return Violation(
            code=code,
            pointer=join("", *error.absolute_path),
            schema_pointer=join(base, *tail),
            expected=expectation(code, error.validator_value),
            actual="missing" if code in ("required", "dependentRequired") else shown(error.instance),
        )


def _merged(found: Iterable[Violation]) -> list[Violation]:
    merged: dict[tuple[str, str], Violation] = {}
    for one in found:
        first = merged.setdefault((one.pointer, one.code), one)
        if one.schema_pointer not in (first.schema_pointer, *first.also):
            merged[one.pointer, one.code] = replace(first, also=(*first.also, one.schema_pointer))
    mistyped = {pointer for pointer, code in merged if code == "type"}
    rows = [one for one in merged.values() if one.pointer not in mistyped or one.code not in _FOLLOWS_FROM_TYPE]
    return sorted(rows, key=lambda one: (one.pointer, one.code))


def shown(value: Any) -> str:
    """Format a value briefly: scalars as JSON of up to 60 characters, others by their kind."""
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return f"an array of {len(value)}" if value else "an empty array"
    text = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, float) else repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(shown(value) for value in values)


def _types(value: str | list[str]) -> str:
    names = [value] if isinstance(value, str) else value
    return " or ".join(_ARTICLES.get(name, f"a {name}") for name in names)


def _bounds(code: str, value: Any) -> str:
    words = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "exclusiveMinimum": "more than {}",
        "exclusiveMaximum": "less than {}",
        "multipleOf": "a multiple of {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "minItems": "at least {} items",
        "maxItems": "at most {} items",
        "minProperties": "at least {} members",
        "maxProperties": "at most {} members",
        "minContains": "at least {} items of the kind",
        "maxContains": "at most {} items of the kind",
    }
    return words[code].format(value) if code in words else ""


def expectation(code: str, value: Any) -> str:
    """Format the expectation of a keyword briefly."""
    plain = {
        "required": "present",
        "dependentRequired": "present",
        "additionalProperties": "no member of this name",
        "unevaluatedProperties": "no member of this name",
        "unevaluatedItems": "no such item",
        "items": "no more items",
        "propertyNames": "another name",
        "uniqueItems": "items that differ",
        "contains": "an item of the kind asked for",
        "anyOf": "one of the documented forms",
        "not": "anything but this form",
        "false": "nothing",
    }
    if code == "oneOf":
        return "exactly one of the documented forms"
    if code == "type":
        return _types(value)
    if code == "enum":
        return f"one of {_listed(value)}"
    if code == "const":
        return shown(value)
    if code == "format":
        return FORMATS[value].expected if value in FORMATS else str(value)
    if code == "pattern":
        return f"text that matches {value}"
    return plain.get(code) or _bounds(code, value) or code
