"""Conversion of JSON values for the CEL runtime; the schema decides between int and double."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from batch_conformance.contract.ecma_regex import compile_pattern
from batch_conformance.contract.numbers import exact, is_integer, is_number
from batch_conformance.contract.references import Document, Schema, resolve, types_of

_LARGEST = 1e308
#: The runtime's integers have 64 bits, and a sum of a few such numbers may overflow.
_NEAR_OVERFLOW = 2**61


class CelValues:
    """Converts values by the schemas of one document. Facts about a schema are cached."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._parts: dict[tuple[int, str | int], Schema] = {}
        self._numbers: dict[int, tuple[Schema, bool]] = {}

    def convert(self, value: Any, schema: Schema) -> Any:
        """Convert a value: ``number`` gives a double, ``integer`` an int, others an int if without fraction.

        An integer beyond 64 bits becomes a double.
        """
        if isinstance(value, dict):
            return {key: self.convert(item, self._part(schema, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.convert(item, self._part(schema, at)) for at, item in enumerate(value)]
        if is_number(value):
            if self._is_double(schema):
                return _float(value)
            return _whole(value) if abs(value) < _LARGEST and is_integer(value) else _float(value)
        if isinstance(value, str) and not value.isascii():
            # The runtime refuses lone surrogates: a single one would make every rule fail to evaluate.
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value

    def _is_double(self, schema: Schema) -> bool:
        # The schema is stored as well: Python may reuse the id() of a deleted object.
        if id(schema) not in self._numbers:
            is_double = any("number" in types_of(one) for one in beside(schema, self.document))
            self._numbers[id(schema)] = (schema, is_double)
        return self._numbers[id(schema)][1]

    def _part(self, schema: Schema, key: str | int) -> Schema:
        """Return the schema of one member or item, all branches combined."""
        found = self._parts.get((id(schema), key))
        if found is None:
            rows = parts(beside(schema, self.document), key)
            found = self._parts[id(schema), key] = rows[0] if len(rows) == 1 else {"allOf": rows}
            self._is_double(schema)
        return found


def is_large(value: Any) -> bool:
    """Whether a converted value holds a number that may overflow the runtime's integers."""
    if isinstance(value, dict | list):
        return any(map(is_large, value.values() if isinstance(value, dict) else value))
    return is_number(value) and abs(value) >= _NEAR_OVERFLOW


def in_doubles(value: Any) -> Any:
    """Return a converted value with every number as a double."""
    if isinstance(value, dict):
        return {key: in_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [in_doubles(item) for item in value]
    return float(value) if is_number(value) else value


def _whole(number: Any) -> int | float:
    """Return an int, or a double where it has more than 64 bits: the runtime would refuse the whole value."""
    whole = int(exact(number))
    return whole if -(2**63) <= whole < 2**63 else float(whole)


def _float(number: Any) -> float:
    return float(number) if abs(number) < _LARGEST else float("inf" if number > 0 else "-inf")


def inners(schema: dict[str, Any], key: str | int) -> list[Schema]:
    """Return the subschemas that one schema object has for a member or item."""
    if isinstance(key, int):
        prefix = schema.get("prefixItems", ())
        found = prefix[key] if key < len(prefix) else schema.get("items")
        return [] if found is None else [found]
    rows = [schema["properties"][key]] if key in schema.get("properties", ()) else []
    for pattern, inner in schema.get("patternProperties", {}).items():
        rows += [inner] if compile_pattern(pattern).search(key) else []
    other = schema.get("additionalProperties")
    return rows if rows or other is None else [other]


def parts(schemas: Iterable[dict[str, Any]], key: str | int) -> list[Schema]:
    """Return the subschemas that several schemas of one value have for a member or item."""
    rows = list(schemas)
    found = [part for one in rows for part in inners(one, key)]
    rest = "unevaluatedItems" if isinstance(key, int) else "unevaluatedProperties"
    return found or [one[rest] for one in rows if rest in one]


def beside(schema: Schema, document: Document, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield a schema and every subschema that may apply to the same value."""
    if isinstance(schema, bool) or depth > 20:
        return
    yield schema
    if "$ref" in schema:
        yield from beside(resolve(schema["$ref"], document)[0], document, depth + 1)
    for key in ("allOf", "anyOf", "oneOf"):
        for inner in schema.get(key, ()):
            yield from beside(inner, document, depth + 1)
    for key in ("then", "else"):
        if key in schema:
            yield from beside(schema[key], document, depth + 1)
    for inner in schema.get("dependentSchemas", {}).values():
        yield from beside(inner, document, depth + 1)
