"""The entries and filters of List Batches, as overlays may change them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batch_conformance.contract.entity import entity_of, entry_entity, entry_id, list_shape
from batch_conformance.contract.filters import named_filters, selects
from batch_conformance.contract.overlay import OverlayError
from tests.support.overlays import BATCH, LIST, overlaid, remove, update, using

_CONTENT = f"{LIST}.responses['200'].content"
_BATCHES = {"type": "array", "items": {"$ref": "#/components/schemas/Batch"}}


def answering(schema: Any) -> tuple[dict[str, Any], ...]:
    """Return actions that give List another schema."""
    new = {"application/json": {"schema": schema}}
    return remove(f"{_CONTENT}['application/json']"), update(_CONTENT, new)


def within(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object with these properties."""
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        (_BATCHES, ""),
        ({"allOf": [_BATCHES, {"maxItems": 9}]}, ""),
        # As left over by a merge: other types ignore it.
        ({**within(data=_BATCHES), "items": {"type": "object"}}, "/data"),
        (within(data=_BATCHES, total={"type": "integer"}), "/data"),
        (within(**{"a/b": _BATCHES, "tags": {"type": "array", "items": {"type": "string"}}}), "/a~1b"),
    ],
)
def test_entries_are_found_at_their_place(schema: Any, place: str, tmp_path: Path) -> None:
    """They are batches, whatever surrounds them."""
    with using(tmp_path, *answering(schema)):
        shape = list_shape()
        assert shape is not None
        assert shape.place == place
        assert shape.entries(shape.with_entries([1, 2], {})) == [1, 2]
        assert entity_of("list").pointer == entity_of("get").pointer == "/components/schemas/Batch"
        assert entity_of("list").prefix == f"{place}/*"


@pytest.mark.parametrize(
    "schema",
    [
        within(total={"type": "integer"}),
        within(new=_BATCHES, old=_BATCHES),
        {"type": "string"},
        True,
        {**_BATCHES, "type": "object"},
    ],
)
def test_a_response_without_a_list_is_refused(schema: Any, tmp_path: Path) -> None:
    """One line says what is required."""
    with pytest.raises(OverlayError, match="the answer of List Batches is no list: its schema must be an array"):
        overlaid(tmp_path, *answering(schema))


def test_the_list_is_checked_apart_from_its_entries(tmp_path: Path) -> None:
    """A filter may leave fewer entries than the whole list must have."""
    schema = within(data={**_BATCHES, "minItems": 2, "maxItems": 3}, total={"type": "integer"})
    with using(tmp_path, *answering({**schema, "required": ["data", "total"]})):
        shape = list_shape()
        assert shape is not None

        def codes(rows: list[Any], *, whole: bool = True, **more: Any) -> set[tuple[str, str]]:
            return {(one.pointer, one.code) for one in shape.violations({"data": rows, **more}, whole=whole)}

        assert codes([7, None], total=1) == set()
        assert codes([7], total=1) == {("/data", "minItems")}
        assert codes([7], total=1, whole=False) == set()
        assert codes([1, 2, 3, 4], total="4", whole=False) == {("/data", "maxItems"), ("/total", "type")}
        assert codes([7, 8]) == {("/total", "required")}
        assert shape.entries([7]) is None


def test_an_entry_of_its_own_has_the_id_of_a_batch(tmp_path: Path) -> None:
    """The list's parameters need not mention the id."""
    entry = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    with using(tmp_path, *answering({"type": "array", "items": entry})):
        assert (entry_id(), entry_entity().echo, entry_entity().members) == ("/id", "/id", ("id",))


def test_a_filter_keeps_its_meaning(tmp_path: Path) -> None:
    """It may have another name or member; a removed filter has no meaning, a changed one has another."""
    row = f"{LIST}.parameters[?@.name=='created_after']"
    with using(tmp_path, update(row, {"name": "since"})):
        assert named_filters()["created_after"].name == "since"
    with using(tmp_path, remove(row)):
        assert set(named_filters()) == {"status", "created_before"}
    moved = remove(f"{BATCH}.properties.created_at"), remove(f"{BATCH}.required[?@ == 'created_at']")
    added = update(BATCH, {"properties": {"born": {"type": "string", "format": "date-time"}}})
    with using(tmp_path, *moved, added):
        assert not selects(named_filters()["created_after"])
    with using(tmp_path, *moved, added, update(row, {"name": "born_after", "x-filter": {"member": "/born"}})):
        assert named_filters()["created_after"].name == "born_after"
        assert selects(named_filters()["created_after"])
    with using(tmp_path, added, update(row, {"x-filter": {"member": "/born"}})):
        assert "created_after" not in named_filters()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("yes", "is not an object with 'member' and 'operator'"),
        ({"member": "/status"}, "is not an object with 'member' and 'operator'"),
        ({"member": "/status", "operator": "like"}, "has an operator that is none of eq, gt, lt"),
        ({"member": "status", "operator": "eq"}, "has a 'member' that is no JSON pointer"),
        ({"member": "/owner", "operator": "eq"}, "names the member '/owner', which no entry of the list has"),
    ],
)
def test_a_wrong_filter_is_refused(value: Any, problem: str, tmp_path: Path) -> None:
    """One line names the parameter."""
    new = {"name": "owner", "in": "query", "schema": {"type": "string"}, "x-filter": value}
    with pytest.raises(OverlayError, match=f"x-filter of the parameter 'owner' {problem}"):
        overlaid(tmp_path, update(LIST, {"parameters": [new]}))
