"""The entity of success responses, as derived from the current contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from batch_conformance.contract import base_contract
from batch_conformance.contract.entity import MISSING, Entity, entity_of
from tests.support.overlays import BATCH, GET, overlaid, remove, update


def _entity(folder: Path, *actions: dict[str, Any]) -> Entity:
    return entity_of("get", overlaid(folder, *actions))


def test_both_operations_hold_the_same_entity() -> None:
    """As it is in one, as the items of a list in the other."""
    one, many = entity_of("get"), entity_of(base_contract().operation("list"))
    assert (one.prefix, many.prefix) == ("", "/*")
    assert one.pointer == many.pointer == "/components/schemas/Batch"
    assert one.members == many.members == ("id", "created_at", "status", "metrics", "outputUrl", "webhookUrl")
    assert one.required == one.members[:-1]
    assert one.identity == ("/id", "/created_at")
    assert (one.echo, many.echo) == ("/id", None)
    assert (one.lifecycle_pointer, one.lifecycle.frozen) == ("/status", ("/metrics",))
    assert one is entity_of("get")


def test_removed_members_are_not_used(tmp_path: Path) -> None:
    """Identity, echo and lifecycle follow the schema."""
    entity = _entity(tmp_path, remove(f"{BATCH}.properties.id"), remove(f"{BATCH}.required[?@ == 'id']"))
    assert (entity.identity, entity.echo) == (("/created_at",), None)
    named = update(f"{GET}.parameters[0]", {"x-member": "/webhookUrl"})
    moved = _entity(tmp_path, named, remove(f"{BATCH}.properties.webhookUrl"), remove(f"{BATCH}['x-validations']"))
    assert moved.echo == "/id"
    still = _entity(tmp_path, remove(f"{BATCH}.properties.status.x-lifecycle"))
    assert (still.lifecycle_pointer, still.lifecycle.final) == ("", ())


def test_members_of_branches_are_documented(tmp_path: Path) -> None:
    """By any composing keyword; forbidden members are not documented."""
    entity = _entity(
        tmp_path,
        update(BATCH, {"allOf": [{"required": ["a"], "properties": {"a": {"properties": {"b": {}}}}}]}),
        update(f"{BATCH}.then", {"required": ["c"]}),
        update(f"{BATCH}.properties", {"d": {"items": {"properties": {"e": {}}}}, "f": False}),
    )  # fmt: skip
    assert {"a", "c", "d"} < set(entity.members)
    assert "a" in entity.required
    assert "c" not in entity.required
    assert [entity.has(one) for one in ("/a/b", "/c", "/d/*/e", "/d/0/e", "/f", "/a/x", "/metrics/success_count")] == [
        True, True, True, True, False, False, True,
    ]  # fmt: skip


def test_a_batch_is_recognised_by_its_required_members() -> None:
    """An object that wraps a batch is not one."""
    entity = entity_of("get")
    batch = {"id": "x", "created_at": "", "status": "PENDING", "metrics": {}}
    assert entity.looks_like(batch)
    assert entity.looks_like({"id": 1})
    assert not entity.looks_like({"id": "x", "data": {**batch, "outputUrl": ""}})
    assert not any(map(entity.looks_like, ({"data": batch}, [batch], None, {})))
    assert entity.state_of(batch) == "PENDING"
    assert entity.state_of({"status": "NEW"}) is None
    assert entity.value_at(batch, "/outputUrl") is MISSING
