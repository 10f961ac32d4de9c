"""Lifecycles: the order in which the values of an enum may follow each other (``x-lifecycle``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from batch_conformance.contract.listed import listed_values
from batch_conformance.contract.places import within
from batch_conformance.contract.pointers import join
from batch_conformance.contract.references import Document, Schema, SchemaError, pointer_of, resolve


@dataclass(frozen=True)
class Lifecycle:
    """The order of the values of an enum; ``final`` values follow all others and never change.

    Values of equal rank share an entry of ``order``. ``values`` are all documented ones, in the order of the
    schema; those in neither list are not constrained. ``pointer`` is the place of the enum in a value.
    ``frozen`` are pointers of members, in the same value, that never change once a final value is reached.
    """

    values: tuple[str, ...] = ()
    order: tuple[tuple[str, ...], ...] = ()
    final: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    pointer: str = ""
    schema_pointer: str = ""

    @classmethod
    def of(cls, schema: Any, document: Document | None = None, pointer: str = "", where: str = "") -> Lifecycle:
        """Read a schema with an enum and ``x-lifecycle``; names that the enum does not list are dropped.

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
                raise SchemaError(f"at {where}: order and final name values of the enum, frozen names pointers")
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
        """Return the position of a value, 0 for the first; None for a value that is not constrained."""
        if self.is_final(value):
            return len(self.order)
        return next((at for at, equals in enumerate(self.order) if value in equals), None)

    def is_final(self, value: Any) -> bool:
        """Whether a value is final."""
        return isinstance(value, str) and value in self.final

    def allowed(self, before: Any, after: Any) -> bool:
        """Whether one value may follow another: never backwards, and never a change of a final one."""
        if before == after or self.is_final(before):
            return bool(before == after)
        first, second = self.rank(before), self.rank(after)
        return first is None or second is None or first <= second


def lifecycles(schema: Schema, document: Document) -> list[Lifecycle]:
    """Return every lifecycle of a schema, with its pointer. Raises :class:`SchemaError`, one line."""
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
