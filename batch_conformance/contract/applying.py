"""Schemas that apply to a value: its own, and the subschemas that apply to the same value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from batch_conformance.contract.references import Document, Schema, resolve
from batch_conformance.contract.schema import SchemaJudge


class Applying:
    """Finds the schemas of one document that apply to a value. Validators are cached per schema."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._judges: dict[int, tuple[Schema, SchemaJudge]] = {}

    def to(self, schema: Schema, value: Any) -> Iterator[dict[str, Any]]:
        """Yield a schema and its subschemas for a value: matching branches, ``then`` where ``if`` holds.

        Where no branch matches, all branches are included.
        """
        if isinstance(schema, bool):
            return
        yield schema
        if "$ref" in schema:
            yield from self.to(resolve(schema["$ref"], self.document)[0], value)
        for inner in schema.get("allOf", ()):
            yield from self.to(inner, value)
        for key in ("anyOf", "oneOf"):
            fitting = [inner for inner in schema.get(key, ()) if self.fits(inner, value)]
            for inner in fitting or schema.get(key, ()):
                yield from self.to(inner, value)
        if "if" in schema:
            branch = "then" if self.fits(schema["if"], value) else "else"
            yield from self.to(schema.get(branch, True), value)
        for name, inner in schema.get("dependentSchemas", {}).items():
            if isinstance(value, dict) and name in value:
                yield from self.to(inner, value)

    def fits(self, schema: Schema, value: Any) -> bool:
        """Whether a value is valid by a schema of the same document."""
        if id(schema) not in self._judges:
            # The schema is stored as well: Python may reuse the id() of a deleted object.
            self._judges[id(schema)] = (schema, SchemaJudge(schema, self.document, trusted=True))
        return self._judges[id(schema)][1].is_valid(value)
