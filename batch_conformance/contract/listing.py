"""The shape of List's answer: the place of the entries, and the schema around them.

The success schema is an array of entries, or an object of which exactly one property is such an array.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from batch_conformance.contract.document import ContractDocument
from batch_conformance.contract.operation import MediaType
from batch_conformance.contract.places import Place, places
from batch_conformance.contract.pointers import MISSING, join, read, replaced, split
from batch_conformance.contract.references import Document, Schema, followed, pointer_of, resolve, types_of
from batch_conformance.contract.rule_list import beside, layers
from batch_conformance.contract.schema import SchemaJudge, Violation

#: Keywords that a filtered list need not satisfy: a filter may leave fewer entries.
_OF_THE_WHOLE = frozenset({"minItems", "contains", "minContains"})
_BRANCHES = ("allOf", "anyOf", "oneOf")
_DEEPEST = 16


@dataclass(frozen=True, eq=False)
class ListShape:
    """The place of the entries of a list. ``place`` is the pointer of their array, empty for a bare list.

    ``items`` is the schema of an entry, ``pointer`` its place in ``document``, ``schema`` that of the whole
    answer.
    """

    document: Document
    schema: Schema
    place: str
    items: Schema
    pointer: str

    @cached_property
    def around(self) -> Schema:
        """The schema of the whole answer, without constraints on single entries."""
        return _without_items(self.schema, split(self.place), self.document)

    @cached_property
    def _judge(self) -> SchemaJudge:
        return SchemaJudge(self.around, self.document, trusted=True)

    @cached_property
    def places(self) -> list[Place]:
        """Places and keywords of the list as a whole and of the object around it."""
        return places(self.around, self.document)

    def entries(self, value: Any) -> list[Any] | None:
        """Return the entries of an answer; none for an optional list left out, None for an invalid answer."""
        found = read(value, self.place)
        if isinstance(found, list):
            return found
        return [] if (found is MISSING or found is None) and self.allows(value) else None

    def violations(self, value: Any, *, whole: bool = True) -> list[Violation]:
        """Return the violations outside the entries; without ``whole``, of a list that may be partial."""
        found = self._judge.violations(value)
        return [one for one in found if whole or one.pointer != self.place or one.code not in _OF_THE_WHOLE]

    def allows(self, value: Any) -> bool:
        """Whether an answer is valid apart from its entries."""
        return self._judge.is_valid(value)

    def with_entries(self, entries: list[Any], like: Any) -> Any:
        """Return an answer with these entries, in the surroundings of ``like``."""
        return replaced(like, self.place, entries) if self.place else entries

    @cached_property
    def least(self) -> int:
        """The minimum number of entries."""
        rows = [row.schema["minItems"] for row in self.places if (row.pointer, row.keyword) == (self.place, "minItems")]
        return max(map(int, rows), default=0)

    @cached_property
    def most(self) -> int | None:
        """The maximum number of entries; None for no limit."""
        rows = [row.schema["maxItems"] for row in self.places if (row.pointer, row.keyword) == (self.place, "maxItems")]
        return min(map(int, rows), default=None)


def shape_in(document: ContractDocument, media: MediaType | None) -> ListShape | None:
    """Return the shape of a documented body that holds a list; None if its schema has no array of entries."""
    content = document.content
    if media is None:
        return None
    found = _items(media.schema, content)
    if found is not None:
        return _shape(content, media.schema, "", found)
    arrays = dict(_arrays(media.schema, content))
    if len(arrays) > 1:
        # Entries are objects; ignore other arrays beside them, of strings for example.
        arrays = {name: items for name, items in arrays.items() if _is_of_objects(items, content)}
    if len(arrays) != 1:
        return None
    ((name, items),) = arrays.items()
    return _shape(content, media.schema, join("", name), items)


def _shape(document: Document, schema: Schema, place: str, items: Schema) -> ListShape:
    items, pointer = followed(items, pointer_of(items, document), document)
    return ListShape(document, schema, place, items, pointer)


def _items(schema: Schema, document: Document) -> Schema | None:
    """Return the schema of the items of an array; None for other types."""
    rows = list(beside(schema, document))
    kinds = [types for row in rows if (types := types_of(row))]
    if kinds and not any("array" in types for types in kinds):
        # Other types ignore ``items``.
        return None
    found = next((row["items"] for row in rows if isinstance(row.get("items"), dict)), None)
    return found if found is not None else True if kinds else None


def _arrays(schema: Schema, document: Document) -> Iterator[tuple[str, Schema]]:
    for row in beside(schema, document):
        for name, inner in row.get("properties", {}).items():
            items = _items(inner, document)
            if items is not None:
                yield name, items


def may_be_object(items: Schema, document: Document) -> bool:
    """Whether an entry may be an object: no unconditional layer of its schema excludes the type."""
    kinds = [types_of(row) for row, maybe in layers(items, document) if not maybe]
    return items is not False and all("object" in row for row in kinds if row)


def _is_of_objects(items: Schema, document: Document) -> bool:
    return any("object" in types_of(row) or "properties" in row for row in beside(items, document))


def _without_items(schema: Schema, path: list[str], document: Document, depth: int = 0) -> Schema:
    """Return a copy of a schema without constraints on the items of the array at a path."""
    if isinstance(schema, bool) or depth > _DEEPEST:
        return schema
    made = dict(schema)
    if "$ref" in made:
        target = _without_items(resolve(made.pop("$ref"), document)[0], path, document, depth + 1)
        if not made:
            return target
        made["allOf"] = [*schema.get("allOf", ()), target]
    for key in _BRANCHES:
        if key in schema:
            rows = [_without_items(inner, path, document, depth + 1) for inner in schema[key]]
            made[key] = [*rows, *made[key][len(rows) :]]
    for key in ("then", "else"):
        if key in made:
            made[key] = _without_items(made[key], path, document, depth + 1)
    if path:
        known = made.get("properties", {})
        if path[0] in known:
            made["properties"] = {**known, path[0]: _without_items(known[path[0]], path[1:], document, depth + 1)}
        return made
    if isinstance(made.get("items"), dict):
        made["items"] = True
    if "prefixItems" in made:
        made["prefixItems"] = [True for _ in made["prefixItems"]]
    return made
