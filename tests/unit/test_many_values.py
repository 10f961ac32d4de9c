"""Values of schemas that require many members, or many distinct items."""

from __future__ import annotations

from typing import Any

import pytest

from batch_conformance.generate.space import Space

MANY = {"type": "object", "required": [f"m{at}" for at in range(20)],
        "properties": {f"m{at}": {"type": "string"} for at in range(20)}}  # fmt: skip
DISTINCT = {"type": "array", "minItems": 60, "uniqueItems": True, "items": {"type": "integer", "minimum": 0}}
DISTINCT_OBJECTS = {**DISTINCT, "items": {"type": "object", "required": ["n"], "properties": {"n": DISTINCT["items"]}}}


@pytest.mark.parametrize("schema", [MANY, DISTINCT, DISTINCT_OBJECTS], ids=["members", "numbers", "objects"])
def test_values_have_the_required_number_of_members_and_items(schema: dict[str, Any]) -> None:
    """However many required members or distinct items a value lacks."""
    space = Space(schema, {})
    assert space.judge.is_valid(space.repaired({} if schema is MANY else []))
