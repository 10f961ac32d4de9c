"""Search for a valid value of each answer, and for the place of the contract that prevents it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from batch_conformance.contract import Contract
from batch_conformance.contract.entity import Entity, entity_of
from batch_conformance.contract.pointers import MISSING, join
from batch_conformance.contract.references import Document, Schema, followed
from batch_conformance.contract.rule_list import parts
from batch_conformance.generate.space import Space

_SHORT = 120
_PROSE = ("title", "description", "examples")


class NoValidValue(Exception):
    """No value of an answer's schema could be made. The message is one line that names the place."""


def require_values(contract: Contract) -> None:
    """Raise :class:`NoValidValue` if overlays leave an operation without a valid answer."""
    reason = why_no_value(contract) if contract.overlays else ""
    if reason:
        raise NoValidValue(f"no valid answer was found for the contract with its overlays: {reason}")


def why_no_value(contract: Contract) -> str:
    """Return why no valid answer can be made of the first such operation, as one line; else empty."""
    for name in contract.operations:
        reason = of_entity(entity_of(name, contract))
        if reason:
            return reason
    return ""


def of_entity(entity: Entity) -> str:
    """Return as :func:`why_no_value`, for the entity of one success answer."""
    success = entity.operation.success
    media = success.media_type if success else None
    given = [value for value in (media.examples.values() if media else ()) if isinstance(value, dict | list)]
    rows = [item for value in given for item in (value if entity.prefix and isinstance(value, list) else [value])]
    ruled = bool(entity.stated_rules) and find_spec("cel_expr_python") is not None
    if _has_value(entity.schema, entity.document, rows, ruled=ruled):
        return ""
    if ruled and _has_value(entity.schema, entity.document, rows):
        codes = list(dict.fromkeys(rule.code for rule in entity.stated_rules if not rule.unknown))
        # If removing one rule is enough, name only that one.
        alone = [code for code in codes if _has_value(entity.schema, entity.document, rows, ruled=True, but=code)]
        place = f"{entity.pointer} and keeps {_rules(alone or codes)}"
        return f"no value was found that fits {place}; correct it, or give the answer an example that fits"
    where, schema = _narrowest(entity.schema, entity.pointer, entity.document, ())
    place = f"{where} ({_format_keywords(schema)})"
    return f"no value was found that fits {place}; correct it, or give the answer an example that fits"


def _rules(codes: Sequence[str]) -> str:
    return f"the rule {codes[0]}" if len(codes) == 1 else f"its rules ({', '.join(codes)})"


def _format_keywords(schema: Schema) -> str:
    """Format the keywords of a schema, short ones first: they are most often the reason."""
    if isinstance(schema, bool):
        return json.dumps(schema)
    rows = {key: value for key, value in schema.items() if key not in _PROSE and not key.startswith("x-")}
    text = json.dumps(dict(sorted(rows.items(), key=lambda row: len(json.dumps(row)))), ensure_ascii=False)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _has_value(
    schema: Schema, document: Document, examples: Sequence[Any] = (), *, ruled: bool = False, but: str = ""
) -> bool:
    """Whether a valid value is found; rules with the code ``but`` are ignored."""
    space = Space(schema, document, ruled=ruled)
    if but:
        space.rules.forget(but)
    if any(space.is_valid(one) or space.repaired(one) is not MISSING for one in examples):
        return True
    made = (
        space.builder.of_shape(shape, full=full) for shape in space.builder.shapes([schema]) for full in (False, True)
    )
    return any(one is not MISSING and space.repaired(one) is not MISSING for one in made)


def _narrowest(schema: Schema, where: str, document: Document, trail: tuple[int, ...]) -> tuple[str, Schema]:
    """Return the innermost required schema without a valid value, and its pointer."""
    schema, where = followed(schema, where, document)
    trail = (*trail, id(schema))
    for inner, below in _needed(schema, where, document):
        target, _ = followed(inner, below, document)
        if id(target) not in trail and not _has_value(inner, document):
            return _narrowest(inner, below, document, trail)
    return where, schema


def _needed(schema: Schema, where: str, document: Document) -> Iterator[tuple[Schema, str]]:
    """Yield the schemas of required members, and of items where some are required."""
    if not isinstance(schema, dict):
        return
    for name in schema.get("required", ()):
        if name in schema.get("properties", {}):
            yield schema["properties"][name], join(where, "properties", name)
        else:
            yield from ((inner, where) for inner in parts(schema, document, name) if inner is not True)
    if schema.get("minItems") and "items" in schema:
        yield schema["items"], join(where, "items")
    for at, inner in enumerate(schema.get("allOf", ())):
        yield inner, join(where, "allOf", at)
