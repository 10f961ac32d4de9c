"""Flattening of all schemas of one place into alternatives, each a :class:`Shape`.

``$ref``, ``allOf``, ``anyOf``, ``oneOf``, ``if``/``then``/``else`` and ``dependentSchemas`` are multiplied
out. A value of a shape is not always valid: ``not``, ``contains`` and the exclusiveness of ``oneOf`` must be
validated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.numbers import exact, is_integer, is_number, same
from batch_conformance.contract.references import Document, Schema, resolve

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_MOST = 24
_DEEPEST = 12


@dataclass
class Shape:
    """One alternative of the values of a place; ``types`` are in the order in which to try them."""

    types: tuple[str, ...] = TYPES
    enum: list[Any] | None = None
    low: Any = None
    high: Any = None
    above: Any = None
    below: Any = None
    step: Any = None
    shortest: int = 0
    longest: int | None = None
    least: int = 0
    most: int | None = None
    fewest: int = 0
    greatest: int | None = None
    unique: bool = False
    patterns: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    properties: dict[str, list[Schema]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    prefix: list[list[Schema]] = field(default_factory=list)
    items: list[Schema] = field(default_factory=list)
    contains: list[tuple[Schema, int]] = field(default_factory=list)
    extra: list[Schema] = field(default_factory=list)
    names: list[Schema] = field(default_factory=list)
    mapped: list[tuple[str, Schema]] = field(default_factory=list)
    closed: bool = False


def shapes(schemas: Iterable[Schema], document: Document) -> list[Shape]:
    """Return the alternatives that satisfy all schemas, at most 24, without contradictory ones."""
    alternatives: list[list[dict[str, Any]]] = [[]]
    for schema in schemas:
        alternatives = _product(alternatives, _expand(schema, document, 0))
    found = [_shape(rows) for rows in alternatives]
    return [shape for shape in found if shape.types and shape.enum != []]


def _product(one: list[list[dict[str, Any]]], other: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    return [a + b for a in one for b in other][:_MOST]


def _expand(schema: Schema, document: Document, depth: int) -> list[list[dict[str, Any]]]:
    if isinstance(schema, bool):
        return [[]] if schema else []
    if depth > _DEEPEST:
        return [[]]
    found: list[list[dict[str, Any]]] = [[schema]]
    below = depth + 1
    if "$ref" in schema:
        found = _product(found, _expand(resolve(schema["$ref"], document)[0], document, below))
    for inner in schema.get("allOf", ()):
        found = _product(found, _expand(inner, document, below))
    for key in ("oneOf", "anyOf"):
        if key in schema:
            branches = [rows for inner in schema[key] for rows in _expand(inner, document, below)]
            found = _product(found, branches)
    if "if" in schema and ("then" in schema or "else" in schema):
        matching = _product(_expand(schema["if"], document, below), _expand(schema.get("then", True), document, below))
        found = _product(found, matching + _expand(schema.get("else", True), document, below))
    for name, inner in schema.get("dependentSchemas", {}).items():
        rows = _product([[{"required": [name]}]], _expand(inner, document, below))
        found = _product(found, [[], *rows])
    return found


def _shape(rows: Sequence[dict[str, Any]]) -> Shape:
    shape = Shape()
    for row in rows:
        _constrain_type(shape, row)
        _constrain_scalar(shape, row)
        _constrain_object(shape, row)
        _constrain_array(shape, row)
    _dependents(shape, rows)
    if shape.enum is not None:
        shape.enum = [value for value in shape.enum if type_of(value, shape.types) is not None]
    if shape.closed:
        shape.required = [name for name in shape.required if name in shape.properties or shape.mapped]
    shape.types = _likeliest(shape)
    return shape


def type_of(value: Any, types: Iterable[str] = TYPES) -> str | None:
    """Return the JSON type of a value, the narrowest of those given; None if it has none of them."""
    checks = {
        "null": value is None,
        "boolean": isinstance(value, bool),
        "integer": is_integer(value),
        "number": is_number(value),
        "string": isinstance(value, str),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }
    return next((name for name in TYPES if name in types and checks[name]), None)


def _constrain_type(shape: Shape, row: dict[str, Any]) -> None:
    if "type" in row:
        given = [row["type"]] if isinstance(row["type"], str) else row["type"]
        allowed = [name for name in shape.types if name in given or (name == "integer" and "number" in given)]
        if "number" in allowed and "integer" in allowed and "integer" not in given:
            allowed.remove("integer")
        shape.types = tuple(allowed)
    for key in ("enum", "const"):
        if key in row:
            values = row[key] if key == "enum" else [row[key]]
            known = shape.enum
            shape.enum = [v for v in values if known is None or any(same(v, other) for other in known)]


def _tighter(one: Any, other: Any, largest: bool) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=exact) if largest else min(one, other, key=exact)


def _constrain_scalar(shape: Shape, row: dict[str, Any]) -> None:
    for name, key, largest in (
        ("low", "minimum", True),
        ("high", "maximum", False),
        ("above", "exclusiveMinimum", True),
        ("below", "exclusiveMaximum", False),
        ("shortest", "minLength", True),
        ("longest", "maxLength", False),
        ("least", "minItems", True),
        ("most", "maxItems", False),
        ("fewest", "minProperties", True),
        ("greatest", "maxProperties", False),
        ("step", "multipleOf", True),
    ):
        setattr(shape, name, _tighter(getattr(shape, name), row.get(key), largest))
    if "pattern" in row:
        shape.patterns.append(row["pattern"])
    if row.get("format") in FORMATS:
        shape.formats.append(row["format"])


def _constrain_object(shape: Shape, row: dict[str, Any]) -> None:
    for name, inner in row.get("properties", {}).items():
        shape.properties.setdefault(name, []).append(inner)
    shape.required += [name for name in row.get("required", ()) if name not in shape.required]
    shape.mapped += row.get("patternProperties", {}).items()
    for key in ("additionalProperties", "unevaluatedProperties"):
        if row.get(key) is False:
            shape.closed = True
        elif isinstance(row.get(key), dict):
            shape.extra.append(row[key])
    if "propertyNames" in row:
        shape.names.append(row["propertyNames"])


def _constrain_array(shape: Shape, row: dict[str, Any]) -> None:
    for at, inner in enumerate(row.get("prefixItems", ())):
        if at == len(shape.prefix):
            shape.prefix.append([])
        shape.prefix[at].append(inner)
    if "items" in row or "unevaluatedItems" in row:
        rest: Schema = row["items"] if "items" in row else row["unevaluatedItems"]
        shape.items.append(rest)
        if rest is False:
            shape.most = min(len(row.get("prefixItems", ())), *([shape.most] if shape.most is not None else []), 10**6)
    if "contains" in row:
        shape.contains.append((row["contains"], row.get("minContains", 1)))
    shape.unique = shape.unique or bool(row.get("uniqueItems"))


def _dependents(shape: Shape, rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        for name, names in row.get("dependentRequired", {}).items():
            if name in shape.required:
                shape.required += [other for other in names if other not in shape.required]


def _likeliest(shape: Shape) -> tuple[str, ...]:
    """Return the types in the order to try them: those that keywords apply to come first."""
    hints = (
        (
            "object",
            bool(shape.properties or shape.required or shape.extra or shape.mapped or shape.names or shape.fewest),
        ),
        ("array", bool(shape.items or shape.prefix or shape.contains or shape.least)),
        ("string", bool(shape.patterns or shape.formats or shape.shortest or shape.longest is not None)),
        (
            "integer",
            any(bound is not None for bound in (shape.low, shape.high, shape.above, shape.below, shape.step)),
        ),
        ("string", True),
        ("integer", True),
        ("number", True),
        ("boolean", True),
        ("array", True),
        ("object", True),
        ("null", True),
    )
    return tuple(dict.fromkeys(name for name, hinted in hints if hinted and name in shape.types))
