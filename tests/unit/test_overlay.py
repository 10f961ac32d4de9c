"""Overlays: how they change the contract, and what a run with one reports."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from batch_conformance.contract import base_contract, contract_in_use, load_document, load_with_overlays
from batch_conformance.contract.document import at_pointer
from batch_conformance.contract.overlay import OverlayError
from batch_conformance.contract.text_format import yaml_text
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.report.document import check_document, report_document
from tests.support import hostile, samples
from tests.support.hostile import serving_hostile
from tests.support.overlays import BATCH, GET, LIST, overlaid, overlay, remove, update, written
from tests.support.running import SERVER, run

STATUS = f"{BATCH}.properties.status"
ERROR = "$.components.schemas.Error"
BASE = load_document().content


def at(folder: Path, place: str, *actions: dict[str, Any]) -> Any:
    """Return the value at a JSON pointer after the actions."""
    return at_pointer(overlaid(folder, *actions).document.content, f"#{place}")


# Merging of updates.


def test_objects_merge_member_by_member(tmp_path: Path) -> None:
    """They merge at every depth; other members stay."""
    found = at(
        tmp_path,
        "/components/schemas/Batch",
        update(BATCH, {"properties": {"name": {"type": "string"}, "id": {"minLength": 1}}, "title": "B"}),
    )
    assert found["properties"]["name"] == {"type": "string"}
    assert found["properties"]["id"] == {
        **BASE["components"]["schemas"]["Batch"]["properties"]["id"],
        "minLength": 1,
    }
    assert found["title"] == "B"
    assert "created_at" in found["properties"]


@pytest.mark.parametrize(
    "action",
    [
        update(f"{BATCH}.required", "webhookUrl"),
        update(f"{BATCH}.required", ["webhookUrl"]),
        update(BATCH, {"required": ["webhookUrl"]}),
        update("$", {"components": {"schemas": {"Batch": {"required": ["webhookUrl"]}}}}),
    ],
)
def test_arrays_are_appended_to(tmp_path: Path, action: dict[str, Any]) -> None:
    """They may be a member of an object or the target itself, with one item or several."""
    known = BASE["components"]["schemas"]["Batch"]["required"]
    assert at(tmp_path, "/components/schemas/Batch/required", action) == [*known, "webhookUrl"]


def test_an_object_is_one_entry_of_an_array(tmp_path: Path) -> None:
    """A parameter can be added without an array."""
    row = {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string"}, "example": "t"}
    contract = overlaid(tmp_path, update(f"{GET}.parameters", row))
    assert contract.operation("get").required_headers() == (("X-Tenant", "t"),)


@pytest.mark.parametrize(
    ("value", "new"), [("string", "integer"), ("string", ["string", "null"]), (["string", "null"], "string")]
)
def test_other_values_replace(tmp_path: Path, value: object, new: object) -> None:
    """An array replaces another type, and the other way round."""
    place = "id" if value == "string" else "webhookUrl"
    action = update(f"{BATCH}.properties.{place}", {"type": new})
    assert at(tmp_path, f"/components/schemas/Batch/properties/{place}/type", action) == new


def test_a_copy_follows_a_source_that_is_replaced(tmp_path: Path) -> None:
    """Removed and added again: the status filter has the new statuses."""
    contract = overlaid(
        tmp_path,
        remove(STATUS),
        update(f"{BATCH}.properties", {"status": {"type": "string", "enum": ["queued", "done"]}}),
    )
    (row,) = [row for row in contract.operation("list").parameters if row.name == "status"]
    assert row.schema["enum"] == ["queued", "done"]


def test_null_and_false_are_values(tmp_path: Path) -> None:
    """They replace a value and do not remove it."""
    found = at(tmp_path, "/components/schemas/Batch", update(BATCH, {"default": None, "deprecated": False}))
    assert (found["default"], found["deprecated"]) == (None, False)


def test_a_value_alone_is_replaced(tmp_path: Path) -> None:
    """The target may be the value itself."""
    scheme = "$.components.securitySchemes.apiKey.name"
    assert overlaid(tmp_path, update(scheme, "X-Key")).operation("get").key_header == "X-Key"


def test_remove_removes(tmp_path: Path) -> None:
    """A member, an item, several at once; an update in the same action is ignored."""
    contract = overlaid(
        tmp_path,
        remove(f"{GET}.responses['401']"),
        remove(f"{STATUS}.enum[?@ == 'JOBS_CREATED' || @ == 'PROCESSING']"),
        {**remove(f"{BATCH}.required[?@ == 'outputUrl']"), "update": "ignored"},
        remove(f"{LIST}.parameters[0,2]"),
    )
    assert 401 not in contract.operation("get").documented_statuses
    assert 401 in contract.operation("list").documented_statuses
    assert contract.lifecycle.values == ("PENDING", "COMPLETED", "FAILED")
    assert contract.lifecycle.order == (("PENDING",),)
    assert "outputUrl" not in contract.schemas["Batch"]["required"]
    assert [row.name for row in contract.operation("list").parameters] == ["created_after"]


def test_every_match_is_changed(tmp_path: Path) -> None:
    """Wildcards, descendants, filters."""
    found = overlaid(
        tmp_path,
        update("$.components.schemas.Metrics.properties.*", {"maximum": 9}),
        update("$..responses['500']", {"x-seen": True}),
        update("$.paths.*.get.parameters[?@.in == 'query']", {"deprecated": True}),
    ).document.content
    assert {row["maximum"] for row in found["components"]["schemas"]["Metrics"]["properties"].values()} == {9}
    assert all(path["get"]["responses"]["500"]["x-seen"] for path in found["paths"].values())
    marked = [row.get("deprecated") for path in found["paths"].values() for row in path["get"]["parameters"]]
    assert marked == [True, True, True, None]


def test_nested_matches_are_removed(tmp_path: Path) -> None:
    """Inner matches are removed first, so that places stay valid."""
    actions = [remove("$.components..description"), remove("$..examples")]
    assert "description" not in json.dumps(at(tmp_path, "/components", *actions))


def test_actions_take_effect_in_order(tmp_path: Path) -> None:
    """A later action sees the result of earlier ones, and so do later overlays."""
    text = update(f"{BATCH}.properties", {"note": {"type": "string"}})
    first = written(tmp_path, text, update(f"{BATCH}.properties.note", {"maxLength": 3}), name="1.json")
    second = written(tmp_path, update(f"{BATCH}.properties.note", {"maxLength": 5}), name="2.json")
    for files, length in (([first], 3), ([first, second], 5)):
        contract = load_with_overlays(files)
        assert contract.schemas["Batch"]["properties"]["note"]["maxLength"] == length
        assert [row.sha256 for row in contract.overlays] == [
            hashlib.sha256(file.read_bytes()).hexdigest() for file in files
        ]
    with pytest.raises(OverlayError, match="matches nothing"):
        load_with_overlays([second, first])


def test_only_the_result_of_all_actions_is_validated(tmp_path: Path) -> None:
    """An intermediate result may be invalid."""
    id_schema = f"{BATCH}.properties.id"
    assert overlaid(tmp_path, update(id_schema, {"type": "text"}), update(id_schema, {"type": "string"}))


def test_base_contract_is_left_alone(tmp_path: Path) -> None:
    """Applying overlays does not change it."""
    before = base_contract().sha256
    changed = overlaid(tmp_path, remove(f"{GET}.responses['401']"))
    assert base_contract().sha256 == before == load_document().sha256 != changed.sha256
    assert 401 in base_contract().operation("get").documented_statuses


def test_yaml_and_json_are_equivalent(tmp_path: Path) -> None:
    """Anchors, comments, numbers as statuses, dates."""
    file = tmp_path / "o.yaml"
    file.write_text(
        "# a change\noverlay: 1.0.0\ninfo: {title: A change, version: 1.0}\nx-note: y\nextends: openapi.yaml\n"
        "actions:\n- target: $.paths['/v2/batch/{id}'].get.responses\n  description: why\n"
        "  update: {410: {description: Gone}}\n"
        f"- target: {BATCH}.properties\n  update: {{since: {{type: string, default: 2024-01-15}}}}\n",
        "utf-8",
    )
    contract = load_with_overlays([file])
    assert contract.operation("get").documents(410)
    assert contract.schemas["Batch"]["properties"]["since"]["default"] == "2024-01-15"
    actions = [
        update(f"{GET}.responses", {"410": {"description": "Gone"}}),
        update(f"{BATCH}.properties", {"since": {"type": "string", "default": "2024-01-15"}}),
    ]
    assert overlaid(tmp_path, *actions).sha256 == contract.sha256


# Ten edits and the contracts that result.


def _metrics(contract: Any) -> Any:
    return contract.schemas["Metrics"]


EDITS: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "member added": (
        [update(BATCH, {"properties": {"name": {"type": "string"}}, "required": ["name"]})],
        lambda contract: "name" in contract.schemas["Batch"]["required"],
    ),
    "member removed": (
        [remove(f"{BATCH}.properties.webhookUrl")],
        lambda contract: "webhookUrl" not in contract.schemas["Batch"]["properties"],
    ),
    "type changed": (
        [update(f"{BATCH}.properties.id", {"type": "integer"})],
        lambda contract: contract.schemas["Batch"]["properties"]["id"]["type"] == "integer",
    ),
    "count added": (
        [update("$.components.schemas.Metrics.properties", {"skipped": {"type": "integer", "minimum": 0}})],
        lambda contract: "skipped" in _metrics(contract)["properties"],
    ),
    "final status added": (
        [update(STATUS, {"enum": ["CANCELLED"], "x-lifecycle": {"order": ["CANCELLED"], "final": ["CANCELLED"]}})],
        lambda contract: "CANCELLED" in contract.lifecycle.final and contract.lifecycle.rank("CANCELLED") == 3,
    ),
    "status removed": (
        [remove(f"{STATUS}.enum[?@ == 'JOBS_CREATED']")],
        lambda contract: contract.lifecycle.rank("JOBS_CREATED") is None,
    ),
    "key header renamed": (
        [update("$.components.securitySchemes.apiKey", {"name": "authorization"})],
        lambda contract: {row.key_header for row in contract.operations.values()} == {"authorization"},
    ),
    "answer struck out": (
        [remove(f"{GET}.responses['404']")],
        lambda contract: not contract.operation("get").documents(404),
    ),
    "error body extended": (
        [update(ERROR, {"properties": {"traceId": {"type": "string"}}, "required": ["traceId"]})],
        lambda contract: "traceId" in contract.schemas["Error"]["required"],
    ),
    "rule added": (
        [update(BATCH, {"x-validations": [{"rule": "self.id != ''", "message": "no id"}]})],
        lambda contract: contract.schemas["Batch"]["x-validations"][-1]["message"] == "no id",
    ),
    "server added": (
        [update("$.servers", {"url": "https://eu.example.com", "x-name": "eu"})],
        lambda contract: contract.servers["eu"] == "https://eu.example.com",
    ),
    "other media type": (
        [update(f"{GET}.responses['404'].content", {"application/problem+json": {"schema": {"type": "object"}}})],
        lambda contract: len(contract.operation("get").answers["404"].media_types) == 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_edit(tmp_path: Path, edit: str, form: str) -> None:
    """The edit's statement holds now and not before, and the result is valid for OpenAPI tools."""
    actions, holds = EDITS[edit]
    file = tmp_path / f"edit.{form}"
    file.write_text((yaml_text if form == "yaml" else json.dumps)(overlay(*actions)), "utf-8")
    contract = load_with_overlays([file])
    assert holds(contract)
    assert list(OpenAPIV31SpecValidator(contract.document.content).iter_errors()) == []
    with suppress(KeyError, IndexError):
        assert not holds(base_contract())


# A run with an overlay.


def test_report_names_overlays(tmp_path: Path) -> None:
    """The list has title and digest, in order, and is empty without overlays."""
    document = report_document(samples.passing_server())
    assert document["contract"]["overlays"] == []
    file = written(tmp_path, update("$.info", {"title": "x"}))
    with contract_in_use(load_with_overlays([file])):
        document = report_document(samples.passing_server())
    check_document(document)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert document["contract"]["overlays"] == [{"title": "A change", "sha256": digest}]


@pytest.mark.parametrize("place", ["option", "ini"])
def test_run_uses_the_overlaid_contract(tmp_path: Path, place: str) -> None:
    """A server that does not know the overlay returns a status that it removed."""
    written(tmp_path, remove(f"{STATUS}.enum[?@ == 'COMPLETED']"), name="one.json")
    written(tmp_path, update(STATUS, {"title": "Status"}), name="two.json")
    options = ["--batch-overlay", "one.json", "--batch-overlay=two.json"]
    if place == "ini":
        options = ["-o", "batch_overlay=one.json two.json"]
    with serving_hostile(hostile.never) as server:
        target = (f"--batch-target={server.url}", "--batch-id=batch_abc123", "--batch-profile=quick")
        ended = run(tmp_path, SERVER, *target, *options, SYNC_API_KEY=REFERENCE_KEY)
    assert [row["title"] for row in ended.report()["contract"]["overlays"]] == ["A change", "A change"]
    assert ended.status == 1, ended.text
    for page in ("conformance.md", "conformance.html"):
        text = (tmp_path / "reports" / "latest" / page).read_text("utf-8")
        assert "changed by “A change” and “A change”" in text
    assert "changed by “A change”" in " ".join(ended.out.split())
    assert ended.verdicts()["server.body.status"] == "fail"


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("overlay: 2.0.0", "is not supported"),
        (json.dumps(overlay(update("$.nothing", {}))), "action 1 ($.nothing): the target matches nothing"),
        (json.dumps(overlay(remove("$.paths.*"))), "no valid contract"),
        (None, "cannot be read"),
    ],
)
@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_wrong_overlay_is_wrong_usage(tmp_path: Path, text: str | None, excerpt: str, workers: list[str]) -> None:
    """Status 4 and one line, before anything is sent."""
    if text is not None:
        (tmp_path / "o.yaml").write_text(text, "utf-8")
    ended = run(tmp_path, SERVER, "--batch-overlay=o.yaml", *workers)
    assert ended.status == 4
    lines = [line for line in ended.text.splitlines() if line.strip()]
    assert len(lines) == 1
    assert excerpt in lines[0]


def test_an_empty_overlay_option_is_wrong_usage(tmp_path: Path) -> None:
    """Most likely from an unset variable."""
    ended = run(tmp_path, SERVER, "--batch-overlay=")
    assert ended.status == 4
    assert "--batch-overlay is empty" in ended.text
