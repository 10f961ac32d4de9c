"""The documented places of one value, each with the kind of comparison it needs.

Members that no schema names are ignored (contracts/decisions.md, 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from batch_conformance.contract.applying import Applying
from batch_conformance.contract.cel_values import beside, parts
from batch_conformance.contract.numbers import is_number
from batch_conformance.contract.pointers import MISSING, join
from batch_conformance.contract.references import Document, Schema, types_of
from batch_conformance.contract.rfc3339 import Instant, parse_date_time

#: How a place is compared. ``absent``: documented and missing; ``any``: any JSON value, compared in full.
Kind = Literal[
    "lifecycle", "date-time", "integer", "number", "text", "uuid", "flag", "null", "absent", "object", "array", "any"
]
#: Keywords that define the members of an object or the items of an array.
_INSIDE = ("properties", "patternProperties", "additionalProperties", "required", "items", "prefixItems")


@dataclass(frozen=True)
class Leaf:
    """One documented place of a value: ``place`` is ``pointer`` with ``*`` for items and map keys.

    ``value`` is the value there, MISSING for an absent documented member; ``default`` is what its schema names then.
    """

    pointer: str
    place: str
    kind: Kind
    value: Any = field(hash=False)
    default: Any = field(default=MISSING, hash=False)

    @property
    def empty(self) -> bool:
        """Whether there is no value: absent or null."""
        return self.value is MISSING or self.value is None


class Leaves:
    """Lists the leaves of values of one schema.

    ``lifecycle`` is the place of the status, ``echo`` that of the id asked for, if any: an integer there is no count.
    """

    def __init__(self, schema: Schema, document: Document, lifecycle: str = "", echo: str | None = None) -> None:
        self._schema = schema
        self._lifecycle = lifecycle
        self._echo = echo
        self._document = document
        self._applying = Applying(document)

    def of(self, value: Any) -> tuple[Leaf, ...]:
        """Return every documented place of a value, outer ones first, without the value itself."""
        return tuple(self._walk(value, [self._schema], "", ""))

    def _walk(self, value: Any, schemas: Sequence[Schema], pointer: str, place: str) -> Iterator[Leaf]:
        applying = [one for schema in schemas for one in self._applying.to(schema, value)]
        if pointer:
            kind = self._kind(value, applying, place)
            yield Leaf(pointer, place, kind, value)
            if kind not in ("object", "array"):
                return
        if isinstance(value, list):
            for at, item in enumerate(value):
                yield from self._walk(item, parts(applying, at), join(pointer, at), place + "/*")
        elif isinstance(value, dict):
            yield from self._members(value, applying, pointer, place)

    def _members(
        self, value: dict[str, Any], applying: Sequence[dict[str, Any]], pointer: str, place: str
    ) -> Iterator[Leaf]:
        named = documented(applying)
        for name, item in value.items():
            below = [schema for schema in parts(applying, name) if name in named or schema is not True or not named]
            if below:
                last = join("", name) if name in named else "/*"
                yield from self._walk(item, below, join(pointer, name), place + last)
        for name in named:
            if name not in value:
                layers = [one for schema in parts(applying, name) for one in beside(schema, self._document)]
                default = next((one["default"] for one in layers if "default" in one), MISSING)
                yield Leaf(join(pointer, name), place + join("", name), "absent", MISSING, default)

    def _kind(self, value: Any, applying: Sequence[dict[str, Any]], place: str) -> Kind:
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "flag"
        if isinstance(value, dict | list):
            is_structured = any(keyword in one for one in applying for keyword in _INSIDE)
            return ("array" if isinstance(value, list) else "object") if is_structured else "any"
        if place == self._lifecycle:
            return "lifecycle"
        if is_number(value):
            if place == self._echo:
                return "any"
            types = {name for one in applying for name in types_of(one)}
            return "integer" if "integer" in types and "number" not in types else "number"
        formats = {one.get("format") for one in applying}
        if "date-time" in formats and isinstance(parse_date_time(value), Instant):
            return "date-time"
        return "uuid" if "uuid" in formats else "text"


def documented(applying: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return the names of the members that schemas document; a forbidden member is not documented."""
    names = (name for one in applying for name, inner in one.get("properties", {}).items() if inner is not False)
    required = (name for one in applying for name in one.get("required", ()))
    return tuple(dict.fromkeys([*names, *required]))
