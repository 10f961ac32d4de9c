"""The order in which the values of an enum may follow each other: ``x-lifecycle`` beside the enum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from batch_conformance.contract.places import within
from batch_conformance.contract.pointers import join
from batch_conformance.contract.references import Document, Schema, SchemaError, pointer_of, resolve


@dataclass(frozen=True)
class Lifecycle:
    """``order`` lists the values from first to last, equals together; ``final`` ones come after all and never change.

    Values that stand in neither are not constrained. ``pointer`` is the place in a value that moves.
    """

    order: tuple[tuple[str, ...], ...]
    final: tuple[str, ...]
    pointer: str
    schema_pointer: str

    @property
    def values(self) -> tuple[str, ...]:
        """All values that are constrained, the first ones first."""
        return tuple(dict.fromkeys([*(one for equals in self.order for one in equals), *self.final]))

    def rank(self, value: Any) -> int | None:
        """How far a value is: 0 for the first; the same for equals; None for a value that is not constrained."""
        if self.is_final(value):
            return len(self.order)
        return next((at for at, equals in enumerate(self.order) if value in equals), None)

    def is_final(self, value: Any) -> bool:
        """Whether a value never changes again."""
        return isinstance(value, str) and value in self.final

    def allowed(self, before: Any, after: Any) -> bool:
        """Whether one value may be followed by another: never backwards, and a final one by itself only."""
        if before == after:
            return True
        first, second = self.rank(before), self.rank(after)
        if first is None or second is None:
            return True
        return not self.is_final(before) and first <= second


def lifecycles(schema: Schema, document: Document) -> list[Lifecycle]:
    """Every lifecycle of a schema, with the place it is about. Raises :class:`SchemaError`, one line."""
    found: dict[str, Lifecycle] = {}

    def walk(node: Schema, where: str, pointer: str, trail: tuple[int, ...]) -> None:
        if isinstance(node, bool) or id(node) in trail:
            return
        if "x-lifecycle" in node:
            found.setdefault(pointer, _read(node, join(where, "x-lifecycle"), pointer))
        if "$ref" in node:
            walk(*resolve(node["$ref"], document), pointer, (*trail, id(node)))
        for inner, below, to, _ in within(node, where, pointer):
            walk(inner, below, to, (*trail, id(node)))

    walk(schema, pointer_of(schema, document), "", ())
    return list(found.values())


def _read(schema: dict[str, Any], where: str, pointer: str) -> Lifecycle:
    given = schema["x-lifecycle"]
    if not isinstance(given, dict) or not isinstance(given.get("order"), list):
        raise SchemaError(f"at {where}: an object with the list order is meant")
    unknown = [key for key in given if key not in ("order", "final") and not key.startswith("x-")]
    if unknown:
        raise SchemaError(f"at {where}: unknown keyword {unknown[0]!r}")
    final = given.get("final", [])
    rows = [entry if isinstance(entry, list) else [entry] for entry in given["order"]]
    named = [one for row in rows for one in row]
    if not isinstance(final, list) or not all(isinstance(one, str) for one in [*named, *final]):
        raise SchemaError(f"at {where}: order and final name values of the enum")
    if len(set(named)) != len(named) or len(set(final)) != len(final):
        raise SchemaError(f"at {where}: a value stands there twice")
    for one in [*named, *final]:
        if "enum" in schema and one not in schema["enum"]:
            raise SchemaError(f"at {where}: {one!r} is no value of the enum")
    order = tuple(kept for row in rows if (kept := tuple(one for one in row if one not in final)))
    return Lifecycle(order, tuple(final), pointer, where)
