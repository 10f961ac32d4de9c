"""Wrong overlays: one line names the action, the error and the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from batch_conformance.contract import load_document, load_with_overlays
from batch_conformance.contract.overlay import OverlayError, read_overlay
from batch_conformance.contract.validity import problems
from tests.support.overlays import BATCH, GET, LIST, overlay, remove, update, written

STATUS = f"{BATCH}.properties.status"
ERROR = "$.components.schemas.Error"
OK = f"{GET}.responses['200'].content['application/json']"
BASE = load_document().content
_ANY: dict[str, Any] = {"application/json": {"schema": {}}}


# Wrong overlays.


def _said(folder: Path, content: Any, name: str = "o.yaml") -> str:
    file = folder / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(OverlayError) as caught:
        load_with_overlays([file])
    line = str(caught.value)
    assert "\n" not in line
    assert line.isprintable()
    assert name in line
    return line


_INFO = {"title": "t", "version": "1"}
_FINE = update("$.info", {"title": "x"})


@pytest.mark.parametrize(
    ("content", "excerpt"),
    [
        ("overlay: [1", "neither YAML nor JSON: line 1"),
        ('{"overlay": "1.0.0",', "neither YAML nor JSON: line 1"),
        ("a: b: c", "neither YAML nor JSON: line 1, column 5"),
        ("overlay: 1.0.0\noverlay: 1.0.0", "'overlay' stands twice"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        ("", "not an overlay"),
        ("[]", "not an overlay"),
        ("just text", "not an overlay"),
        ("openapi: 3.1.0", "is an OpenAPI document"),
        ({"info": _INFO, "actions": [_FINE]}, "has no member 'overlay'"),
        (overlay(_FINE, overlay="1.1.0"), "version '1.1.0' is not supported: write overlay: 1.0.0"),
        (overlay(_FINE, overlay="2.0.0"), "not supported"),
        (overlay(_FINE, overlay=1.0), "version 1.0 is not supported"),
        (overlay(_FINE, overlay=None), "not supported"),
        (overlay(_FINE, info=None), "has no info"),
        (overlay(_FINE, info={"version": "1"}), "no info.title"),
        (overlay(_FINE, info={"title": "t"}), "no info.version"),
        (overlay(), "has no actions"),
        (overlay(actions={}), "has no actions"),
        (overlay(_FINE, action=[]), "unknown member 'action'"),
        (overlay(_FINE, {"update": {}}), "action 2: has no target"),
        (overlay("x"), "action 1: has no target"),  # type: ignore[arg-type]
        (overlay(_FINE, {"target": "$.info"}), "action 2 ($.info): neither updates nor removes"),
        (overlay({"target": "$.info", "remove": False}), "neither updates nor removes"),
        (overlay({"target": "$.info", "remove": "yes"}), "remove is 'yes'"),
        (overlay({"target": "$.info", "updates": {}, "update": {}}), "unknown member 'updates'"),
        (overlay(update("$.info[", {})), "action 1 ($.info[): the target is no JSONPath"),
        (overlay(update("info", {})), "no JSONPath"),
        (overlay(update("", {})), "no JSONPath"),
        (overlay(update("$.paths./v2/batch.get", {})), "no JSONPath"),
        (overlay(update("$.info[?nope(@)]", {})), "no JSONPath"),
        (overlay(_FINE, update("$.nothing", {})), "action 2 ($.nothing): the target matches nothing"),
        (overlay(update(f"{STATUS}.enum[?@ == 'X']", {})), "matches nothing"),
        (overlay(remove("$.info.nothing")), "matches nothing"),
        (overlay(update("$.info", "text")), "the target is an object, the update is a string"),
        (overlay(update("$.info", None)), "the update is null"),
        (overlay(update("$.info", [1])), "the update is an array"),
        (overlay(remove("$")), "the whole document cannot be removed"),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_overlay(tmp_path: Path, content: Any, excerpt: str) -> None:
    """One line names the action, the error and the remedy."""
    assert excerpt in _said(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A folder is not a file either."""
    for file in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(OverlayError, match="cannot be read"):
            read_overlay(file)


BROKEN = {
    "no title": remove("$.info.title"),
    "no paths": remove("$.paths"),
    "no operation": remove("$.paths.*"),
    "no answers": remove(f"{GET}.responses"),
    "empty answers": remove(f"{GET}.responses.*"),
    "no description": remove(f"{GET}.responses['404'].description"),
    "no such status": update(f"{GET}.responses", {"2000": {"description": "d"}}),
    "no such version": update("$", {"openapi": "4.0.0"}),
    "misspelt member": update(GET, {"operationID": "x"}),
    "misspelt in an answer": update(f"{GET}.responses['404']", {"contents": {}}),
    "path without slash": update("$.paths", {"v2/x": {}}),
    "parameter nowhere": update(f"{GET}.parameters", {"name": "x", "in": "body", "schema": {}}),
    "parameter without schema": update(f"{GET}.parameters", {"name": "x", "in": "query"}),
    "parameter not in the path": update(
        f"{GET}.parameters", {"name": "x", "in": "path", "required": True, "schema": {}}
    ),
    "path parameter not required": update(f"{GET}.parameters[0]", {"required": False}),
    "path parameter gone": remove(f"{GET}.parameters[0]"),
    "parameter twice": update(f"{LIST}.parameters", {"name": "status", "in": "query", "schema": {}}),
    "style of a header": update(f"{GET}.responses['200']", {"headers": {"X": {"schema": {}, "style": "form"}}}),
    "style of a query": update(f"{GET}.parameters", {"name": "x", "in": "query", "schema": {}, "style": "simple"}),
    "operation id twice": update(LIST, {"operationId": "getBatch"}),
    "no such type": update(f"{BATCH}.properties.id", {"type": "text"}),
    "no such type within": update(f"{BATCH}.properties", {"x": {"items": {"anyOf": [{"type": "text"}]}}}),
    "not a schema": update(f"{BATCH}.properties", {"x": 5}),
    "required twice": update(f"{BATCH}.required", "id"),
    "negative length": update(f"{BATCH}.properties.id", {"minLength": -1}),
    "an anchor": update(BATCH, {"$defs": {"Owner": {"$anchor": "owner", "type": "string"}}}),
    "a reference to an anchor": update(f"{BATCH}.properties", {"x": {"$ref": "#owner"}}),
    "a dynamic reference": update(f"{BATCH}.properties", {"x": {"$dynamicRef": "#node"}}),
    "bad pattern": update(f"{BATCH}.properties.id", {"pattern": "(["}),
    "bad schema of a parameter": update(f"{GET}.parameters[0].schema", {"type": "text"}),
    "bad schema in an answer": update(f"{GET}.responses['404'].content", {"text/plain": {"schema": {"type": "text"}}}),
    "circle of references": update(BATCH, {"properties": {"x": {"$ref": "#/components/schemas/Batch/properties/x"}}}),
    "parameter that is none": update(f"{GET}.parameters", {"$ref": "#/components/schemas/Batch"}),
    "answer that is none": update(f"{GET}.responses", {"410": {"$ref": "#/components/schemas/Batch/required"}}),
    "example that is none": update(f"{GET}.responses['404'].content['application/json'].examples", {"x": 1}),
    "open reference": update(f"{BATCH}.properties", {"x": {"$ref": "#/components/schemas/None"}}),
    "reference to a file": update(f"{BATCH}.properties", {"x": {"$ref": "other.json"}}),
    "schema that is referred to": remove("$.components.schemas.Error"),
    "key without a name": remove("$.components.securitySchemes.apiKey.name"),
    "key nowhere": update("$.components.securitySchemes.apiKey", {"in": "body"}),
    "no such scheme": update("$.security", {"other": []}),
}
#: Accepted by openapi-spec-validator, but not a contract that can be tested.
OURS = {
    "an anchor",
    "a reference to an anchor",
    "a dynamic reference",
    "no operation", "no such scheme", "bad pattern", "no paths", "parameter not in the path", "path without slash",
    "operation id twice", "parameter twice", "no such status", "reference to a file", "no answers", "open reference",
    "schema that is referred to", "circle of references", "parameter that is none", "answer that is none",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_result_that_is_no_contract_is_refused(tmp_path: Path, name: str) -> None:
    """The line names the action; openapi-spec-validator finds nothing in addition."""
    line = _said(tmp_path, overlay(_FINE, BROKEN[name]))
    assert f"action 2 ({BROKEN[name]['target']}): the result is no valid contract: " in line


@pytest.mark.parametrize(
    ("action", "excerpt"),
    [
        (update(STATUS, {"x-lifecycle": {"finals": []}}), "is not an object with 'order', 'final' and 'frozen'"),
        (update(f"{STATUS}.x-lifecycle", {"order": "PENDING"}), "are arrays"),
        (update(f"{STATUS}.x-lifecycle", {"order": [1]}), "a status is text"),
        (update(f"{STATUS}.x-lifecycle", {"order": ["FAILED"]}), "'FAILED' stands 2 times"),
        (update(BATCH, {"x-validations": {}}), "is not an array of rules"),
        (update(BATCH, {"properties": {"x": {"type": "array", "minItems": 10**8}}}), "of at most 20,000"),
        (update(BATCH, {"properties": {"x": {"type": "string", "minLength": 10**8}}}), "of at most 1,000,000"),
        (update(BATCH, {"x-validations": [{"message": "m"}]}), "has no 'rule'"),
        (
            update(f"{GET}.parameters", {"name": "X", "in": "header", "required": True, "schema": {"pattern": "^a"}}),
            "'X' has no example to be sent",
        ),
        (
            update(f"{BATCH}.properties", {"billing": {"enum": ["OPEN", "PAID"], "x-lifecycle": {"order": ["OPEN"]}}}),
            "one x-lifecycle is supported",
        ),
        (update(BATCH, {"x-lifecycle": {"order": ["PENDING"]}}), "one x-lifecycle is supported"),
        (remove(f"{STATUS}.enum"), "stands beside the enum of a status; here is none"),
        (remove(f"{OK}.schema"), "the success answer has no schema of a JSON body; give it one"),
        (remove(f"{GET}.responses['200'].content"), "the success answer has no schema of a JSON body; give it one"),
        (update("$.components.securitySchemes.apiKey", {"name": "x api key"}), "'x api key' is no name of a header"),
        (
            update(f"{GET}.parameters[?@.name == 'id']", {"style": "matrix"}),
            "has the style 'matrix', which the suite does not support; simple is",
        ),
        (update("$.components.securitySchemes.apiKey", {"name": "Host"}), "Host is a header of the transport, which"),
        (
            update(GET, {"parameters": [{"name": "TE", "in": "header", "required": True, "example": 1, "schema": {}}]}),
            "is a header of the transport, which the HTTP library sets",
        ),
        (
            update(f"{LIST}.parameters[?@.name == 'status']", {"x-member": "/status"}),
            "x-member of 'status' says nothing there: it stands on the path parameter that names the batch",
        ),
        (update("$.paths", {"/v3/{a}/{a}": {}}), "/paths/~1v3~1{a}~1{a}: {a} stands in the path 2 times"),
        (update(f"{BATCH}.properties.id", {"maxlength": 9}), "id/maxlength: is no keyword; write maxLength"),
        (update(f"{BATCH}.properties.id", {"fromat": "uuid"}), "id/fromat: is no keyword; write format"),
        (update(BATCH, {"priority": {"type": "integer"}}), "Batch/priority: is no keyword, but has a schema; members"),
        (update(f"{BATCH}.properties", {"properties": {"a": {"type": "string"}}}), "properties/a: is no keyword, but"),
        (update(BATCH, {"item": {}}), "Batch/item: is no keyword of JSON Schema 2020-12; write items"),
        (update(f"{BATCH}.properties.outputUrl", {"format": "url"}), "'url' is no format; write uri"),
        (update(f"{BATCH}.properties.id", {"format": "int46"}), "'int46' is no format; write int64"),
        (update(f"{BATCH}.properties.id", {"nullable": True}), "id/nullable: is no keyword of JSON Schema 2020-12"),
        (update(BATCH, {"dependencies": {}}), "is no keyword of JSON Schema 2020-12; write dependent"),
        (update(BATCH, {"x-validation": []}), "Batch/x-validation: is no keyword; write x-validations"),
        (
            update(f"{BATCH}.properties", {"x": {"items": {"anyOf": [{"format": "datetime"}]}}}),
            "x/items/anyOf/0/format: 'datetime' is no format; write date-time",
        ),
        (
            update(BATCH, {"x-validations": [{"rule": "self.id != ''", "messageExpression": "self.nope"}]}),
            "the messageExpression names self.nope, which the contract does not have",
        ),
        (
            update(
                BATCH,
                {
                    "properties": {"jobs": {"type": "array", "items": {"properties": {"n": {"type": "integer"}}}}},
                    "x-validations": [{"rule": "self.jobs.all(job, job.m > 0)", "message": "m"}],
                },
            ),
            "the rule names job.m, which the contract does not have",
        ),
        (
            update(f"{GET}.responses", {"202": {"description": "Later.", "content": _ANY}}),
            "202: another schema than that of 200; success answers of one operation need the same",
        ),
    ],
)  # fmt: skip
def test_extensions_of_the_suite_are_checked_too(tmp_path: Path, action: dict[str, Any], excerpt: str) -> None:
    """Lifecycles, rules, and examples of what has to be sent."""
    assert excerpt in _said(tmp_path, overlay(action))


def test_rules_are_checked_by_a_hook(tmp_path: Path) -> None:
    """The hook gets every rule; its message is shown with the place."""
    file = written(tmp_path, update(BATCH, {"x-validations": [{"rule": "self.x ==", "message": "m"}]}))
    seen: list[Any] = []

    def check(rule: Any) -> str | None:
        seen.append(rule["rule"])
        return "ends too early" if rule["rule"].endswith("==") else None

    with pytest.raises(OverlayError, match=r"x-validations/\d+: ends too early"):
        load_with_overlays([file], check)
    assert "self.x ==" in seen


def test_culprit_is_the_action_that_broke_it(tmp_path: Path) -> None:
    """It is not necessarily the last one."""
    actions = [
        _FINE,
        update(f"{BATCH}.properties.id", {"type": "text"}),
        _FINE,
        update("$.info", {"summary": "s"}),
    ]
    assert "action 2 (" in _said(tmp_path, overlay(*actions))


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - OURS))
def test_openapi_tools_agree(name: str) -> None:
    """The OpenAPI validator refuses the same documents."""
    from batch_conformance.contract.overlay import Action, _after

    row = BROKEN[name]
    content = _after(Action(1, row["target"], row.get("update"), row.get("remove", False)), BASE)
    assert list(problems(content))
    assert list(OpenAPIV31SpecValidator(content).iter_errors())


@pytest.mark.parametrize(
    ("actions", "excerpt"),
    [
        (
            [remove(f"{OK}.schema"), update(OK, {"schema": {"type": "array", "items": {"type": "object"}}})],
            "the answer of Get Batch is an array; its schema must be that of one batch",
        ),
        (
            [
                update("$.components.securitySchemes", {"orgKey": {"type": "apiKey", "in": "header", "name": "x-org"}}),
                update(GET, {"security": [{"apiKey": [], "orgKey": []}]}),
            ],
            "apiKey and orgKey at once are not supported",
        ),
        (
            [
                remove(f"{LIST}.responses['200'].content['application/json'].schema"),
                update(
                    f"{LIST}.responses['200'].content['application/json']",
                    {"schema": {"type": "array", "items": {"type": "string"}}},
                ),
            ],
            "entries of List Batches are objects; this schema allows none",
        ),
    ],
)
def test_an_error_of_several_actions_is_explained(tmp_path: Path, actions: list[dict[str, Any]], excerpt: str) -> None:
    """The line says what is required."""
    assert excerpt in _said(tmp_path, overlay(*actions))
