"""The values that a schema enumerates, also through references and branches."""

from __future__ import annotations

from typing import Any

from batch_conformance.contract.numbers import same
from batch_conformance.contract.references import Document, Schema, resolve

_DEEPEST = 12


def listed_values(schema: Schema, document: Document, depth: int = 0) -> list[Any] | None:
    """Return the values that a schema enumerates, in its order; None if it does not enumerate them.

    They are read from ``enum`` and ``const``, through ``$ref``, ``allOf``, and branches that all enumerate
    values.
    """
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    found: list[list[Any] | None] = [schema.get("enum"), [schema["const"]] if "const" in schema else None]
    if schema.get("type") == "null":
        found.append([None])
    if "$ref" in schema:
        found.append(listed_values(resolve(schema["$ref"], document)[0], document, depth + 1))
    found += [listed_values(inner, document, depth + 1) for inner in schema.get("allOf", ())]
    for key in ("oneOf", "anyOf"):
        branches = [listed_values(inner, document, depth + 1) for inner in schema.get(key, ())]
        listed = [one for one in branches if one is not None]
        if branches and len(listed) == len(branches):
            found.append([value for one in listed for value in one])
    rows = [one for one in found if isinstance(one, list)]
    if not rows:
        return None
    first, *others = rows
    return [value for value in first if all(any(same(value, each) for each in one) for one in others)]
