"""The places of a schema: every keyword that can be checked, with its place in a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.pointers import join
from batch_conformance.contract.references import Document, Schema, pointer_of, resolve

#: Keywords that assert something about a value.
ASSERTIONS = (
    "type",
    "enum",
    "const",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "anyOf",
    "oneOf",
    "not",
)
#: Keywords that select a branch of anyOf or oneOf; their failure is reported for anyOf or oneOf itself.
_BRANCH_SELECTORS = ("type", "const", "enum")
_CLOSING = ("additionalProperties", "unevaluatedProperties", "items", "unevaluatedItems")


@dataclass(frozen=True)
class Place:
    """One keyword at one place of a value.

    ``pointer`` has ``*`` for any item or any member of a map; for ``required`` and ``dependentRequired`` it
    is that of the required member, for ``propertyNames`` that of the named member. ``schema`` is the schema
    object that holds the keyword, ``schema_pointer`` the keyword's place in the document. ``conditional``
    places apply to some values only: they are in a branch of ``anyOf``, ``oneOf`` or ``if``, or depend on
    another member.
    """

    pointer: str
    keyword: str
    schema: dict[str, Any]
    schema_pointer: str
    conditional: bool


def places(schema: Schema, document: Document) -> list[Place]:
    """Return every place, in document order; a recursive schema is visited once."""
    found: dict[tuple[str, str], Place] = {}

    def add(pointer: str, keyword: str, inner: dict[str, Any], where: str, conditional: bool) -> None:
        place = Place(pointer, keyword, inner, where, conditional)
        known = found.get((pointer, where))
        if known is None or (known.conditional and not conditional):
            found[pointer, where] = place

    def walk(
        node: Schema,
        where: str,
        pointer: str,
        conditional: bool,
        trail: tuple[str, ...],
        branch: bool = False,
    ) -> None:
        if isinstance(node, bool):
            return
        if "$ref" in node:
            target, to = resolve(node["$ref"], document)
            if to not in trail:
                walk(target, to, pointer, conditional, (*trail, to), branch)
        for keyword in ASSERTIONS:
            if keyword in node and _asserts(node, keyword) and not (branch and keyword in _BRANCH_SELECTORS):
                last = "/*" if keyword == "propertyNames" else ""
                add(pointer + last, keyword, node, join(where, keyword), conditional)
        for keyword in _CLOSING:
            if node.get(keyword) is False:
                last = "" if keyword == "items" else "/*"
                add(pointer + last, keyword, node, join(where, keyword), conditional)
        for name in node.get("required", ()):
            add(join(pointer, name), "required", node, join(where, "required"), conditional)
        for name, names in node.get("dependentRequired", {}).items():
            for other in names:
                add(
                    join(pointer, other),
                    "dependentRequired",
                    node,
                    join(where, "dependentRequired", name),
                    True,
                )
        for inner, below, to, maybe in within(node, where, pointer):
            if inner is False:
                if to != pointer and "/properties/" in below:
                    add(to, "false", node, below, conditional)
                continue
            chosen = below.rsplit("/", 2)[-2:-1] in (["anyOf"], ["oneOf"])
            walk(inner, below, to, conditional or maybe, trail, to == pointer and (branch or chosen))

    start = pointer_of(schema, document)
    walk(schema, start, "", False, (start,))
    return list(found.values())


def _asserts(node: dict[str, Any], keyword: str) -> bool:
    value = node[keyword]
    if keyword == "format":
        return value in FORMATS
    if keyword in ("minLength", "minItems", "minProperties"):
        return bool(value > 0)
    if keyword == "uniqueItems":
        return bool(value)
    if keyword in ("minContains", "maxContains"):
        return "contains" in node
    if keyword == "contains":
        return bool(node.get("minContains", 1) > 0)
    return True


def within(node: dict[str, Any], where: str, pointer: str) -> list[tuple[Schema, str, str, bool]]:
    """Return the subschemas, each with its pointers in document and value, and whether conditional."""
    rows: list[tuple[Schema, str, str, bool]] = []
    for name, inner in node.get("properties", {}).items():
        rows.append((inner, join(where, "properties", name), join(pointer, name), False))
    for name, inner in node.get("patternProperties", {}).items():
        rows.append((inner, join(where, "patternProperties", name), pointer + "/*", True))
    for at, inner in enumerate(node.get("prefixItems", ())):
        rows.append((inner, join(where, "prefixItems", at), join(pointer, at), False))
    for key in ("items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems"):
        if isinstance(node.get(key), dict):
            rows.append((node[key], join(where, key), pointer + "/*", False))
    for at, inner in enumerate(node.get("allOf", ())):
        rows.append((inner, join(where, "allOf", at), pointer, False))
    for key in ("anyOf", "oneOf"):
        rows += [(inner, join(where, key, at), pointer, True) for at, inner in enumerate(node.get(key, ()))]
    if "if" in node:
        rows += [(node[key], join(where, key), pointer, True) for key in ("then", "else") if key in node]
    for name, inner in node.get("dependentSchemas", {}).items():
        rows.append((inner, join(where, "dependentSchemas", name), pointer, True))
    return rows
