"""Which clause covers a part of an answer: written rows by operation, derived ones for the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from batch_conformance.contract import reading
from batch_conformance.contract.clause_list import clause_list
from tests.support.overlays import BATCH, LIST, overlaid, remove, update

OUTPUT = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {"id": {"type": "integer"}, "status": {"type": "string"}, "url": {"type": "string", "format": "uri"}},
}


def test_another_kind_of_object_has_clauses_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its members may have the names of a batch's; no row about batches covers them."""
    monkeypatch.setitem(reading.OPERATION_IDS, "outputs", "getOutputs")
    answer = {"description": "The outputs.", "content": {"application/json": {"schema": OUTPUT}}}
    path = {"get": {"operationId": "getOutputs", "responses": {"200": answer}}}
    clauses = clause_list(overlaid(tmp_path, update("$.paths", {"/v2/outputs": path})))
    found = {pointer: clauses.of_place(pointer, "outputs") for pointer in ("/id", "/status", "/url", "")}
    assert found == {
        "/id": "server.body.member-id",
        "/status": "server.body.member-status",
        "/url": "server.body.url",
        "": "server.body.outputs-object",
    }
    assert all(clauses.clauses[one].operations == ("outputs",) for one in found.values())
    assert clauses.clauses["server.body.outputs-object"].promise.startswith("the object is an object")
    assert clauses.of_place("/id", "get") == clauses.of_place("/id", "list") == "server.body.id"


def test_a_member_of_two_kinds_of_object_has_one_clause_for_both(tmp_path: Path) -> None:
    """A list whose entries have a schema of their own may share a member with batches."""
    added = {"properties": {"note": {"type": "string"}}}
    schema = f"{LIST}.responses['200'].content['application/json'].schema"
    own = {"type": "object", "properties": {"id": {"type": "string"}, **added["properties"]}}
    contract = overlaid(tmp_path, update(BATCH, added), remove(f"{schema}.items"), update(schema, {"items": own}))
    assert clause_list(contract).clauses["server.body.note"].operations == ("get", "list")
