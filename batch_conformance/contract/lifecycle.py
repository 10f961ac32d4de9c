"""The order in which the values of an enum may follow each other: ``x-lifecycle`` beside the enum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from batch_conformance.contract.listed import listed_values
from batch_conformance.contract.places import within
from batch_conformance.contract.pointers import join
from batch_conformance.contract.references import Document, Schema, SchemaError, pointer_of, resolve


@dataclass(frozen=True)
class Lifecycle:
    """``order`` lists the values from first to last, equals together; ``final`` ones come after all and never change.

    ``values`` are all documented ones, in the order of the schema; those that stand in neither are not constrained.
    ``pointer`` is the place in a value that moves. ``frozen`` are pointers, in the value that holds that place, of
    what never changes either once it is final.
    """

    values: tuple[str, ...] = ()
    order: tuple[tuple[str, ...], ...] = ()
    final: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    pointer: str = ""
    schema_pointer: str = ""

    @classmethod
    def of(cls, schema: Any, document: Document | None = None, pointer: str = "", where: str = "") -> Lifecycle:
        """Read a schema that lists values and has ``x-lifecycle``; what it does not list is no value.

        Raises :class:`SchemaError`, one line.
        """
        node = schema if isinstance(schema, dict) else {}
        listed = listed_values(node, document or {})
        given = node.get("x-lifecycle", {"order": []})
        if not isinstance(given, dict) or not isinstance(given.get("order", []), list):
            raise SchemaError(f"at {where}: an object with the list order is meant")
        known = ("order", "final", "frozen")
        unknown = [key for key in given if key not in known and not key.startswith("x-")]
        if unknown:
            raise SchemaError(f"at {where}: unknown keyword {unknown[0]!r}")
        rows = [entry if isinstance(entry, list) else [entry] for entry in given.get("order", [])]
        final, frozen = given.get("final", []), given.get("frozen", [])
        named = [one for row in rows for one in row]
        for names in (named, final, frozen):
            if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
                raise SchemaError(
                    f"at {where}: order and final name values of the enum, frozen names pointers"
                )
            if len(set(names)) != len(names):
                raise SchemaError(f"at {where}: a value stands there twice")
        stated = [*named, *final] if listed is None else listed
        values = tuple(dict.fromkeys(one for one in stated if isinstance(one, str)))
        moving = (tuple(one for one in row if one in values and one not in final) for row in rows)
        return cls(
            values,
            tuple(filter(None, moving)),
            tuple(one for one in final if one in values),
            tuple(frozen),
            pointer,
            where,
        )

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
        if before == after or self.is_final(before):
            return bool(before == after)
        first, second = self.rank(before), self.rank(after)
        return first is None or second is None or first <= second


def lifecycles(schema: Schema, document: Document) -> list[Lifecycle]:
    """Every lifecycle of a schema, with the place it is about. Raises :class:`SchemaError`, one line."""
    found: dict[str, Lifecycle] = {}

    def walk(node: Schema, where: str, pointer: str, trail: tuple[int, ...]) -> None:
        if isinstance(node, bool) or id(node) in trail:
            return
        if "x-lifecycle" in node:
            found.setdefault(pointer, Lifecycle.of(node, document, pointer, join(where, "x-lifecycle")))
        if "$ref" in node:
            walk(*resolve(node["$ref"], document), pointer, (*trail, id(node)))
        for inner, below, to, _ in within(node, where, pointer):
            walk(inner, below, to, (*trail, id(node)))

    walk(schema, pointer_of(schema, document), "", ())
    return list(found.values())
