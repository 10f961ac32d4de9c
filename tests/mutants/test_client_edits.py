"""Contract edits change the responses to clients and what clients must report; some clients do not follow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.reference.client import adapter
from tests.support import judging
from tests.support.generic_client import Change, generic_client, judged, red
from tests.support.overlays import BATCH, LIST, remove, update, using

FIELDS, STATUS, DATES = "client.decode.fields", "client.decode.status", "client.decode.created_at"
COUNTS, OPTIONAL, TYPES = "client.decode.counts", "client.decode.optional", "client.reject.wrong-types"
Edit = tuple[list[dict[str, Any]], dict[str, tuple[Change | None, Change | None, str, str, str]]]


def _added(name: str, schema: dict[str, Any], *, required: bool = True) -> list[dict[str, Any]]:
    actions = [update(f"{BATCH}.properties", {name: schema})]
    return [*actions, update(f"{BATCH}.required", [name])] if required else actions


def _without(*names: str) -> Change:
    return lambda batch: {name: value for name, value in batch.items() if name not in names}


def _with(name: str, turned: Callable[[Any], Any]) -> Change:
    return lambda batch: batch | ({name: turned(batch[name])} if batch.get(name) is not None else {})


_ITEM = {
    "type": "object",
    "required": ["name", "at"],
    "properties": {"name": {"type": "string"}, "at": {"type": "string", "format": "date-time"}},
}
#: The edit, and clients with one fault each: what they change or refuse, the clause, a code and a pointer.
EDITS: dict[str, Edit] = {
    "a required text": (
        _added("region", {"type": "string"}),
        {
            "lost": (_without("region"), None, FIELDS, "lost", "/region"),
            "in capitals": (_with("region", str.upper), None, FIELDS, "changed", "/region"),
            "taken as it comes": (None, None, "", "", ""),
        },
    ),
    "an optional text": (
        _added("region", {"type": "string"}, required=False),
        {
            "lost": (_without("region"), None, FIELDS, "lost", "/region"),
            "made up": (lambda batch: {"region": "", **batch}, None, OPTIONAL, "changed", "/region"),
            "demanded": (None, lambda batch: "region" not in batch, OPTIONAL, "refused", "/region"),
        },
    ),
    "a required integer": (
        _added("priority", {"type": "integer", "minimum": 1, "maximum": 9}),
        {
            "lost": (_without("priority"), None, FIELDS, "lost", "/priority"),
            "as text": (_with("priority", str), None, COUNTS, "changed", "/priority"),
            "capped": (_with("priority", lambda value: min(value, 5)), None, COUNTS, "changed", "/priority"),
        },
    ),
    "a required integer without bounds": (
        _added("bytes", {"type": "integer"}),
        {"as a double": (_with("bytes", float), None, COUNTS, "changed", "/bytes"),
         "32 bits": (_with("bytes", lambda value: value % 2**32), None, COUNTS, "changed", "/bytes")},
    ),
    "a required number": (
        _added("ratio", {"type": "number"}),
        {"rounded": (_with("ratio", round), None, FIELDS, "changed", "/ratio")},
    ),
    "a flag": (
        _added("archived", {"type": "boolean"}),
        {"always true": (_with("archived", lambda _: True), None, FIELDS, "changed", "/archived")},
    ),
    "a required date": (
        _added("started_at", {"type": "string", "format": "date-time"}),
        {
            "lost": (_without("started_at"), None, FIELDS, "lost", "/started_at"),
            "naive": (_with("started_at", lambda text: text[:19]), None, DATES, "changed", "/started_at"),
        },
    ),
    "a nested object": (
        _added("owner", {"type": "object", "required": ["name", "age"], "properties": {
            "name": {"type": "string"}, "age": {"type": "integer"}, "role": {"enum": ["admin", "member"]}}}),
        {
            "lost": (_without("owner"), None, FIELDS, "lost", "/owner"),
            "a member of it lost": (_with("owner", _without("name")), None, FIELDS, "lost", "/owner/name"),
            "as text": (_with("owner", str), None, COUNTS, "changed", "/owner"),
            "a role refused": (
                None, lambda batch: batch["owner"].get("role") == "member", FIELDS, "refused", "/owner/role"),
        },
    ),
    "an array of texts": (
        _added("tags", {"type": "array", "items": {"type": "string"}}),
        {
            "lost": (_without("tags"), None, FIELDS, "lost", "/tags"),
            "the first only": (_with("tags", lambda tags: tags[:1]), None, FIELDS, "changed", "/tags"),
            "none refused": (None, lambda batch: not batch["tags"], FIELDS, "refused", "/tags"),
        },
    ),
    "an array of objects": (
        _added("jobs", {"type": "array", "minItems": 1, "items": _ITEM}),
        {
            "names lost": (_with("jobs", lambda jobs: [{"at": job["at"]} for job in jobs]), None,
                           FIELDS, "lost", "/jobs/0/name"),
            "naive dates": (_with("jobs", lambda jobs: [job | {"at": job["at"][:19]} for job in jobs]), None,
                            DATES, "changed", "/jobs/0/at"),
        },
    ),
    "a map": (
        _added("labels", {"type": "object", "additionalProperties": {"type": "string"}}),
        {"emptied": (_with("labels", lambda _: {}), None, FIELDS, "lost", "")},
    ),
    "another enum": (
        _added("size", {"enum": ["small", "large"]}),
        {"one unknown": (None, lambda batch: batch["size"] == "large", FIELDS, "refused", "/size")},
    ),
    "branches": (
        _added("source", {"oneOf": [{"type": "string"}, {"type": "integer"}]}),
        {"texts only": (None, lambda batch: not isinstance(batch["source"], str), COUNTS, "refused", "/source")},
    ),
    "a status more": (
        [update(f"{BATCH}.properties.status", {"enum": ["CANCELLED"], "x-lifecycle": {"final": ["CANCELLED"]}})],
        {
            "refused": (None, lambda batch: batch["status"] == "CANCELLED", STATUS, "refused", ""),
            "renamed": (_with("status", lambda one: "FAILED" if one == "CANCELLED" else one), None,
                        STATUS, "changed", "/status"),
        },
    ),
    "a nullable member": (
        [update(f"{BATCH}.properties.outputUrl", {"type": ["string", "null"]})],
        {
            "null refused": (None, lambda batch: batch["outputUrl"] is None, OPTIONAL, "refused", "/outputUrl"),
            "null as text": (lambda batch: batch | {"outputUrl": batch["outputUrl"] or "None"}, None,
                             OPTIONAL, "changed", "/outputUrl"),
        },
    ),
    "a member removed": (
        [remove(f"{BATCH}.properties.webhookUrl")],
        {"still demanded": (None, lambda batch: "webhookUrl" not in batch, FIELDS, "refused", "")},
    ),
    "a member renamed": (
        [remove(f"{BATCH}.properties.outputUrl"), remove(f"{BATCH}.required"), remove(f"{BATCH}.then"),
         remove(f"{BATCH}.if"), *_added("resultUrl", {"type": "string"}, required=False),
         update(BATCH, {"required": ["id", "created_at", "status", "metrics", "resultUrl"]})],
        {"lost": (_without("resultUrl"), None, FIELDS, "lost", "/resultUrl"),
         "the old one demanded": (None, lambda batch: "outputUrl" not in batch, FIELDS, "refused", "")},
    ),
    "a date as seconds": (
        [remove(f"{BATCH}.properties.created_at"), *_added("created_at", {"type": "integer"}, required=False)],
        {"as text": (_with("created_at", str), None, COUNTS, "changed", "/created_at")},
    ),
    "a numeric id": (
        [update(f"{BATCH}.properties.id", {"type": "integer", "minimum": 1})],
        {"as text": (_with("id", str), None, FIELDS, "changed", "/id")},
    ),
    "ids of a form": (
        [update(f"{BATCH}.properties.id", {"format": "uuid"})],
        {"shortened": (_with("id", lambda text: text[:8]), None, FIELDS, "changed", "/id")},
    ),
    "counts removed": (
        [remove(f"{BATCH}.properties.metrics"), remove(f"{BATCH}.required"),
         update(BATCH, {"required": ["id", "created_at", "status", "outputUrl"]})],
        {"still demanded": (None, lambda batch: "metrics" not in batch, FIELDS, "refused", "")},
    ),
    "a count more": (
        [update("$.components.schemas.Metrics.properties", {"skipped_count": {"type": "integer", "minimum": 0}}),
         update("$.components.schemas.Metrics.required", ["skipped_count"])],
        {"lost": (_with("metrics", _without("skipped_count")), None, FIELDS, "lost", "/metrics/skipped_count")},
    ),
}  # fmt: skip
FAULTS = [(edit, fault) for edit, (_, faults) in EDITS.items() for fault in faults if faults[fault][2]]


@pytest.mark.parametrize("edit", EDITS)
def test_a_client_of_the_edited_contract_conforms(edit: str, tmp_path: Path) -> None:
    """Nothing is red, not even a should clause."""
    with using(tmp_path, *EDITS[edit][0]):
        run = judged(generic_client(), profile="quick")
    assert not run.error
    assert red(run) == {}, [(one.message, one.expected, one.actual) for row in run.results for one in row.findings[:3]]


@pytest.mark.parametrize(("edit", "fault"), FAULTS)
def test_a_client_that_does_not_follow_is_red(edit: str, fault: str, tmp_path: Path) -> None:
    """The clause for the kind of place is broken, with a code and the place."""
    actions, faults = EDITS[edit]
    change, refuses, clause, code, pointer = faults[fault]
    with using(tmp_path, *actions):
        found = red(judged(generic_client(change, refuses)))
    assert clause in found, found
    assert any(one == code and place.startswith(pointer) for one, place in found[clause]), found[clause]


@pytest.mark.parametrize("name", ["code", "details"])
def test_more_error_members_only_affect_clients_that_read_them(name: str, tmp_path: Path) -> None:
    """A member that errors must have is in every documented error."""
    schema = {"type": "string"} if name == "code" else {"type": "array", "items": {"type": "object"}}
    with using(
        tmp_path,
        update("$.components.schemas.Error.properties", {name: schema}),
        update("$.components.schemas.Error.required", [name]),
    ):
        from batch_conformance.client_runner.cases import PROFILES, CaseFactory, listed_cases

        cases = listed_cases(CaseFactory(0), PROFILES["default"])
        plain = [case for case in cases if case.clauses[0] == "client.error.404"]
        assert plain
        assert all(f'"{name}"'.encode() in case.asks[0].answers[0].body for case in plain)
        assert red(judged(generic_client(), ("decode", "error"))) == {}


@pytest.mark.parametrize(
    ("actions", "clauses"),
    [
        (EDITS["counts removed"][0], {"client.decode.counts", "client.decode.counts-fraction"}),
        ([remove("$.paths['/v2/batch/{id}'].get.responses['404']")], {"client.error.404"}),
    ],
    ids=["counts", "a status"],
)
def test_a_clause_without_a_member_is_not_exercised(
    actions: list[dict[str, Any]], clauses: set[str], tmp_path: Path
) -> None:
    """The reason is given."""
    with using(tmp_path, *actions):
        run = judged(generic_client(), ("decode.counts", "error.404"))
    results = {row.clause.id: (row.verdict, row.reason) for row in run.results if row.clause.id in clauses}
    assert results == dict.fromkeys(clauses, ("not-exercised", "the contract has no such member, status or value"))


@pytest.mark.parametrize(("filled_in", "broken"), [(3, set()), (4, {OPTIONAL})])
def test_a_client_may_fill_in_a_documented_default(filled_in: int, broken: set[str], tmp_path: Path) -> None:
    """For a member that is absent, as generated clients do (decision 30)."""
    level = {"type": "integer", "default": 3}
    with using(tmp_path, *_added("level", level, required=False)):
        run = judged(generic_client(lambda batch: {"level": filled_in, **batch}), ("decode",))
    assert set(red(run)) == broken, red(run)


def test_errors_of_the_list_have_bodies_of_their_own(tmp_path: Path) -> None:
    """A client may read each operation's errors by its own schema."""
    from batch_conformance.client_runner.cases import PROFILES, CaseFactory, listed_cases

    errors = f"{LIST}.responses"
    schema = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string", "minLength": 1}}}
    own = {
        "description": "An error.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Own"}}},
    }
    with using(
        tmp_path,
        update("$.components.schemas", {"Own": {**schema, "additionalProperties": False}}),
        *(remove(f"{errors}['{status}']") for status in ("401", "500")),
        update(errors, {"401": own, "422": own, "500": own}),
    ):
        cases = listed_cases(CaseFactory(0), PROFILES["default"])
        found = {
            case.operation: case.asks[0].answers[0].body for case in cases if case.clauses[0] == "client.error.401"
        }
        assert json.loads(found["get"])["message"]
        assert json.loads(found["list"])["detail"]
        assert judging.red(judging.judged_client(adapter)) == set()


def test_hand_written_cases_are_valid_under_the_contract_without_overlays() -> None:
    """Rules included, though client runs do not evaluate them.

    Exceptions, on purpose, are unknown statuses and lists that may be refused.
    """
    from batch_conformance.checks.client.record import ValidBatch
    from batch_conformance.client_runner.cases import PROFILES, CaseFactory, listed_cases
    from batch_conformance.contract.entity import entity_of
    from batch_conformance.operations.list_batches.client_record import Batches

    entity = entity_of("get")
    for case in listed_cases(CaseFactory(0), PROFILES["default"]):
        assert case.place is None, "nothing needs to be derived from the contract as it is"
        for step in case.asks:
            if isinstance(step.expected, ValidBatch) and "client.decode.unknown-status" not in case.clauses:
                expected = step.expected
                if isinstance(expected, Batches) and expected.refusable:
                    continue
                for batch in expected.batches if isinstance(expected, Batches) else [expected.batch]:
                    if "{own}" not in str(batch):
                        assert entity.judge.is_valid(batch), case.title
                        assert not entity.rules.broken(batch), case.title
