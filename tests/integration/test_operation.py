"""Operations and statuses as derived from the contract, and the current contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.contract import (
    Contract,
    Lifecycle,
    NoSuchOperation,
    Operation,
    base_contract,
    current_contract,
    load_document,
    schema_violations,
    violations_at,
)
from batch_conformance.contract.document import at_pointer
from tests.support.overlays import BATCH, GET, LIST, overlaid, remove, update, using

DOCUMENT = load_document()
GET_BATCH = base_contract().operation("get")
LIST_BATCHES = base_contract().operation("list")


# Operations.


def test_get_batch_is_as_documented() -> None:
    """Derived from the document."""
    assert (GET_BATCH.name, GET_BATCH.operation_id, GET_BATCH.method) == ("get", "getBatch", "GET")
    assert (GET_BATCH.path, GET_BATCH.path_parameters) == ("/v2/batch/{id}", ("id",))
    assert GET_BATCH.key_header == "x-api-key"
    assert GET_BATCH.documented_statuses == {200, 401, 404, 429, 500}
    assert GET_BATCH.success is GET_BATCH.answers["200"]
    assert GET_BATCH.required_headers() == GET_BATCH.required_query() == ()
    assert at_pointer(DOCUMENT.content, "#" + GET_BATCH.pointer)["operationId"] == "getBatch"


def test_list_batches_is_as_documented() -> None:
    """A bare array; three filters, none required."""
    assert (LIST_BATCHES.name, LIST_BATCHES.method, LIST_BATCHES.path) == ("list", "GET", "/v2/batch")
    assert [row.name for row in LIST_BATCHES.of_place("query")] == [
        "status",
        "created_after",
        "created_before",
    ]
    assert not any(row.required for row in LIST_BATCHES.parameters)
    assert LIST_BATCHES.documented_statuses == {200, 401, 429, 500}
    assert LIST_BATCHES.success is not None
    media_type = LIST_BATCHES.success.media_type
    assert media_type is not None
    assert media_type.schema == {"type": "array", "items": {"$ref": "#/components/schemas/Batch"}}
    (status,) = (row for row in LIST_BATCHES.parameters if row.name == "status")
    assert status.schema["enum"] == DOCUMENT.schemas["Batch"]["properties"]["status"]["enum"]
    created = [row["created_at"] for row in media_type.examples["several"]]
    assert created == sorted(created, reverse=True)


def test_servers_are_found_by_their_names() -> None:
    """The names are those of ``--batch-target``."""
    assert list(base_contract().servers) == ["production", "dev", "local"]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("batch_1", "/v2/batch/batch_1"),
        ("a/b?c#d", "/v2/batch/a%2Fb%3Fc%23d"),
        ("ü %", "/v2/batch/%C3%BC%20%25"),
        ("..", "/v2/batch/%2E%2E"),
        ("a.b", "/v2/batch/a.b"),
        ("", "/v2/batch/"),
        ("{id}", "/v2/batch/%7Bid%7D"),
    ],
)
def test_ids_are_one_segment_of_the_path(value: str, path: str) -> None:
    """They may contain any characters."""
    assert GET_BATCH.url_path(value) == GET_BATCH.url_path({"id": value}) == path


def test_the_example_is_the_id_by_default() -> None:
    """A path without values takes them from the examples."""
    assert GET_BATCH.url_path() == "/v2/batch/batch_abc123"


def test_ranges_and_default_are_documented_answers(tmp_path: Path) -> None:
    """A status takes precedence over its range, and the range over the default."""
    rows = {"4XX": {"description": "range"}, "default": {"description": "default"}}
    operation = overlaid(tmp_path, update(f"{GET}.responses", rows)).operation("get")
    descriptions = {
        status: answer.description for status in (200, 404, 418, 503) if (answer := operation.answer(status))
    }
    assert descriptions[404] == GET_BATCH.answers["404"].description
    assert (descriptions[418], descriptions[503]) == ("range", "default")
    assert operation.documented_statuses == GET_BATCH.documented_statuses
    assert operation.documents(418)
    assert not GET_BATCH.documents(418)


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("application/json", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/problem+json", "application/*"),
        ("text/plain", "*/*"),
        (None, None),
    ],
)
def test_bodies_are_found_by_their_media_type(tmp_path: Path, media_type: str | None, name: str | None) -> None:
    """Ranges are supported, the most specific one applies."""
    rows = {"application/*": {"schema": True}, "*/*": {"schema": {"type": "string"}}}
    operation = overlaid(tmp_path, update(f"{GET}.responses['404'].content", rows)).operation("get")
    found = operation.answers["404"].body_of(media_type)
    assert (found.name if found else None) == name


def _parameters(*rows: dict[str, Any]) -> dict[str, Any]:
    return update(f"{GET}.parameters", list(rows))


def test_required_parameters_come_with_their_examples(tmp_path: Path) -> None:
    """The example is the parameter's, its schema's, or made up."""
    text = {"type": "string"}
    rows: list[dict[str, Any]] = [
        {"name": "X-One", "in": "header", "required": True, "schema": text, "example": "1"},
        {"name": "X-Two", "in": "header", "required": True, "schema": {"enum": ["a", "b"]}},
        {
            "name": "X-Three",
            "in": "header",
            "required": True,
            "schema": text,
            "examples": {"e": {"value": 3}},
        },
        {"name": "X-Four", "in": "header", "schema": text},
        {"name": "five", "in": "query", "required": True, "schema": {"type": "boolean"}},
        {"name": "six", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 7}},
        {"name": "seven", "in": "query", "required": True, "schema": {**text, "format": "email"}},
        {"name": "eight", "in": "cookie", "required": True, "schema": {**text, "format": "date"}},
    ]
    operation = overlaid(tmp_path, _parameters(*rows)).operation("get")
    assert operation.required_headers() == (("X-One", "1"), ("X-Two", "a"), ("X-Three", "3"))
    assert operation.required_query() == (("five", "true"), ("six", "7"), ("seven", "someone@example.com"))
    assert operation.required_cookies() == (("eight", "2024-01-15"),)


def _renamed(operation_id: str | None) -> list[dict[str, Any]]:
    raw = json.loads(json.dumps(DOCUMENT.content["paths"]["/v2/batch/{id}"]))
    raw["get"]["parameters"][0]["name"] = "batchId"
    raw["get"].pop("operationId")
    if operation_id:
        raw["get"]["operationId"] = operation_id
    return [remove("$.paths['/v2/batch/{id}']"), update("$.paths", {"/v3/batches/{batchId}": raw})]


@pytest.mark.parametrize("operation_id", ["getBatch", "readBatch", None])
def test_a_renamed_operation_is_found(tmp_path: Path, operation_id: str | None) -> None:
    """It is found by its id, otherwise by its shape."""
    contract = overlaid(tmp_path, *_renamed(operation_id))
    operation = contract.operation("get")
    assert operation.url_path("b/1") == "/v3/batches/b%2F1"
    assert operation.id_parameter == "batchId"
    assert contract.operation("list").path == "/v2/batch"


def test_a_removed_operation_is_not_found(tmp_path: Path) -> None:
    """The other operation is not taken for it."""
    contract = overlaid(tmp_path, remove("$.paths['/v2/batch']"))
    assert list(contract.operations) == ["get"]
    with pytest.raises(NoSuchOperation):
        contract.operation("list")


def test_the_key_goes_where_the_contract_says(tmp_path: Path) -> None:
    """Header renamed, moved to the query, not required."""
    scheme = "$.components.securitySchemes.apiKey"
    assert overlaid(tmp_path, update(scheme, {"name": "X-Sync-Key"})).operation("get").key_header == "X-Sync-Key"
    moved = overlaid(tmp_path, update(scheme, {"in": "query", "name": "key"})).operation("get")
    assert (moved.key_header, moved.key and moved.key.name) == (None, "key")
    assert overlaid(tmp_path, remove("$.security")).operation("get").key is None
    free = overlaid(tmp_path, update(GET, {"security": []}))
    assert (free.operation("get").key, free.operation("list").key_header) == (None, "x-api-key")


# Statuses.


def _lifecycle(*values: str, order: list[Any], final: list[str]) -> Lifecycle:
    return Lifecycle.of({"enum": list(values), "x-lifecycle": {"order": order, "final": final}})


def test_final_statuses_rank_after_all_others() -> None:
    """They include those listed before others; equal ranks are nested lists."""
    row = _lifecycle("A", "B", "C", "D", "E", "X", order=["A", ["B", "C"], "D", "E"], final=["D", "E"])
    ranks = {status: row.rank(status) for status in row.values}
    assert ranks == {"A": 0, "B": 1, "C": 1, "D": 2, "E": 2, "X": None}
    allowed = [(a, b) for a in "ABCDEX" for b in "ABCDEX" if row.allowed(a, b)]
    assert ("B", "C") in allowed
    assert ("C", "B") in allowed
    assert ("A", "X") in allowed
    assert ("X", "A") in allowed
    assert not {("B", "A"), ("D", "A"), ("D", "E"), ("E", "D"), ("D", "X")} & set(allowed)


def test_lifecycle_without_order_allows_everything() -> None:
    """All transitions are allowed; statuses that were removed have no rank."""
    assert Lifecycle.of({"enum": ["A", "B"]}).allowed("B", "A")
    assert Lifecycle.of(True) == Lifecycle()
    assert Lifecycle.of({"const": "A"}).values == ("A",)
    assert _lifecycle("A", order=["A", "GONE"], final=["GONE"]).order == (("A",),)
    assert _lifecycle("A", order=["A", "GONE"], final=["GONE"]).final == ()


def test_statuses_are_found_where_the_lifecycle_is(tmp_path: Path) -> None:
    """The member may have another name; without a lifecycle, it is the status."""
    status = base_contract().schemas["Batch"]["properties"]["status"]
    moved = overlaid(
        tmp_path,
        update(f"{BATCH}.properties", {"state": {**status, "enum": ["PENDING", "FAILED"]}}),
        remove(f"{BATCH}.properties.status"),
    )
    assert moved.lifecycle.values == ("PENDING", "FAILED")
    silent = overlaid(tmp_path, remove(f"{BATCH}.properties.status.x-lifecycle"))
    assert silent.lifecycle == Lifecycle(base_contract().lifecycle.values)


# The current contract.


@pytest.fixture
def widened(tmp_path: Path) -> Iterator[Contract]:
    """A contract with another status and another count."""
    with using(
        tmp_path,
        update(f"{BATCH}.properties.status", {"enum": ["CANCELLED"], "x-lifecycle": {"final": ["CANCELLED"]}}),
        update("$.components.schemas.Metrics.properties", {"skipped_count": {"type": "integer"}}),
        remove(f"{GET}.responses['401']"),
    ) as contract:
        yield contract


def test_bodies_are_checked_by_the_current_contract(widened: Contract) -> None:
    """Afterwards they are checked by the contract of the files again."""
    batch = {**_example(GET_BATCH), "status": "CANCELLED"}
    assert list(schema_violations("batch", batch)) == []
    assert [row.path for row in schema_violations("batch", {**batch, "metrics": {}})] == [("metrics",)] * 4
    assert list(violations_at("/components/schemas/Batch", batch, base_contract()))
    assert current_contract() is widened


def test_statuses_follow_the_contract_in_use(widened: Contract) -> None:
    """Statuses of a batch, and documented ones of answers."""
    assert current_contract().lifecycle.values == (*base_contract().lifecycle.values, "CANCELLED")
    assert set(current_contract().lifecycle.final) == {"COMPLETED", "FAILED", "CANCELLED"}
    assert widened.operation("get").documented_statuses == {200, 404, 429, 500}


def test_filter_of_the_list_follows_the_statuses(widened: Contract, tmp_path: Path) -> None:
    """It is a copy of their schema, unless an overlay changes the filter itself."""
    (status,) = (row for row in widened.operation("list").parameters if row.name == "status")
    assert "CANCELLED" in status.schema["enum"]
    own = overlaid(
        tmp_path,
        update(f"{LIST}.parameters[0].schema.enum", "ANY"),
        update(f"{BATCH}.properties.status.enum", "CANCELLED"),
    )
    schema = own.operation("list").parameters[0].schema
    assert "ANY" in schema["enum"]
    assert "CANCELLED" not in schema["enum"]


def _example(operation: Operation) -> dict[str, Any]:
    assert operation.success is not None
    assert operation.success.media_type is not None
    example: dict[str, Any] = operation.success.media_type.examples["completed"]
    return example


def test_the_example_of_a_parameter_with_content_stands_there(tmp_path: Path) -> None:
    """OpenAPI 3.1, 4.8.12.3."""
    row = {
        "name": "x-context",
        "in": "header",
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"v": 1}}},
    }
    parameter = overlaid(tmp_path, update(GET, {"parameters": [row]})).operation("get").parameters[-1]
    assert parameter.example == {"v": 1}


def test_formats_of_the_registry_are_annotations(tmp_path: Path) -> None:
    """The name may resemble a checked one."""
    batch = overlaid(tmp_path, update("$.components.schemas.Batch.properties", {"n": {"format": "uint64"}}))
    assert batch.schemas["Batch"]["properties"]["n"] == {"format": "uint64"}
