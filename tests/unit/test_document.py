"""The contract as one document: bundled, printed, read from YAML and JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from batch_conformance.contract import (
    base_contract,
    contract_root,
    load_document,
    violations_at,
)
from batch_conformance.contract.document import ContractError, at_pointer, bundle, references
from batch_conformance.contract.shipped import SHIPPED
from batch_conformance.contract.text_format import NotReadable, read_text, yaml_text
from batch_conformance.contract.validity import problems

DOCUMENT = load_document()
GET_BATCH = base_contract().operation("get")
LIST_BATCHES = base_contract().operation("list")


# The bundled document.


def test_no_reference_leaves_the_document() -> None:
    """Each reference names an existing component."""
    found = references(DOCUMENT.content)
    assert found
    for reference in found:
        assert reference in [f"#/components/schemas/{name}" for name in ("Batch", "Metrics", "Error")]
        assert at_pointer(DOCUMENT.content, reference)
    for schema in DOCUMENT.schemas.values():
        assert not {"$id", "$schema"} & schema.keys()


def test_component_names_are_stable() -> None:
    """Overlays refer to these names."""
    content = DOCUMENT.content
    assert {"/v2/batch/{id}", "/v2/batch"} == content["paths"].keys()
    assert {"Batch", "Metrics", "Error"} == content["components"]["schemas"].keys()
    assert content["components"]["securitySchemes"].keys() == {"apiKey"}
    assert "x-lifecycle" in content["components"]["schemas"]["Batch"]["properties"]["status"]


def test_document_is_valid_by_both_checks() -> None:
    """The check of openapi-spec-validator and the one that runs use."""
    assert list(OpenAPIV31SpecValidator(DOCUMENT.content).iter_errors()) == []
    assert list(problems(DOCUMENT.content)) == []


def test_schemas_in_the_document_are_those_of_the_files() -> None:
    """Bundling changes references only."""
    for name in ("batch", "metrics", "error"):
        file = json.loads((contract_root() / "schemas" / f"{name}.schema.json").read_text("utf-8"))
        bundled = DOCUMENT.schemas[name.capitalize()]
        assert {**file, "$id": "", "$schema": ""}.keys() == {**bundled, "$id": "", "$schema": ""}.keys()
        assert bundled["required"] == file["required"]


def test_two_loads_share_nothing() -> None:
    """Changing one document does not change the other."""
    one, other = load_document(), load_document()
    one.content["info"]["title"] = "x"
    assert other.content["info"]["title"] != "x"
    assert one.sha256 != other.sha256 == DOCUMENT.sha256


def _copied(folder: Path) -> Path:
    """Copy the contract's files and return the OpenAPI file of the copy."""
    for name in ("contracts", "schemas"):
        shutil.copytree(contract_root() / name, folder / name)
    return folder / "contracts" / "openapi.yaml"


def _changed(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "excerpt"),
    [
        ("contracts/openapi.yaml", "    Metrics: { $ref: ../schemas/metrics.schema.json }\n", "",
         "'metrics.schema.json' leads to a file that has no name: list it under components.schemas"),
        ("schemas/batch.schema.json", '"$ref": "metrics.schema.json"', '"$ref": "metrics.schema.json#counts"',
         "'metrics.schema.json#counts' is no JSON pointer; anchors are not supported"),
        ("schemas/metrics.schema.json", '"type": "object",', '"type": "object"', "schemas/metrics.schema.json: line "),
        ("schemas/metrics.schema.json", '"type": "object",', '"type": "object", "type": "object",',
         "schemas/metrics.schema.json: the member 'type' stands twice"),
        ("contracts/openapi.yaml", "paths:", "paths: [", "contracts/openapi.yaml: line "),
    ],
)  # fmt: skip
def test_a_wrongly_edited_file_is_reported(name: str, old: str, new: str, excerpt: str, tmp_path: Path) -> None:
    """One line with the file's name or the reference."""
    file = _copied(tmp_path)
    _changed(tmp_path / name, old, new)
    with pytest.raises(ContractError) as caught:
        bundle(file)
    assert excerpt in str(caught.value)
    assert "\n" not in str(caught.value)


def test_samples_are_made_for_the_contract_that_is_shipped() -> None:
    """After an intended change of the contract, write the new digest into contract/shipped.py."""
    assert base_contract().sha256 == SHIPPED
    assert not base_contract().edited


def test_examples_conform_to_their_schemas() -> None:
    """Those of every response and every parameter."""
    seen = 0
    for operation in base_contract().operations.values():
        for answer in operation.answers.values():
            for media_type in answer.media_types.values():
                for example in media_type.examples.values():
                    assert list(violations_at(media_type.pointer, example)) == []
                    seen += 1
        for parameter in operation.parameters:
            assert parameter.has_example
    assert seen >= 11


@pytest.mark.parametrize("form", [[], ["--yaml"]])
def test_command_prints_the_document(form: list[str], tmp_path: Path) -> None:
    """The output can be loaded and equals the document."""
    command = [sys.executable, "-m", "batch_conformance.contract", *form]
    ended = subprocess.run(command, capture_output=True, check=True, timeout=60)
    read: Any = (json.loads if not form else yaml.safe_load)(ended.stdout)
    assert read == DOCUMENT.content
    assert ended.stderr == b""
    file = tmp_path / "wrong.yaml"
    file.write_text("openapi: 3.1.0", "utf-8")
    ended = subprocess.run([*command, "--overlay", file], capture_output=True, check=False, timeout=60)
    assert ended.returncode == 4
    assert ended.stdout == b""
    assert ended.stderr.count(b"\n") == 1


def test_schemathesis_reads_the_document() -> None:
    """All responses of both operations."""
    import schemathesis

    schema = schemathesis.openapi.from_dict(load_document().content)
    for operation in base_contract().operations.values():
        found = schema[operation.path][operation.method]
        assert set(found.definition.raw["responses"]) == set(operation.answers)


# YAML and JSON.


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 2024-01-15T10:30:00Z", {"a": "2024-01-15T10:30:00Z"}),
        ("a: 2024-01-15", {"a": "2024-01-15"}),
        ("a: [NO, off, yes, true, False]", {"a": ["NO", "off", "yes", True, False]}),
        ("a: [1:30, 010, 1_000, 0x1F, 1e3, .5, -3, ~]", {"a": ["1:30", 10, "1_000", "0x1F", 1000.0, 0.5, -3, None]}),
        ("200: {}", {"200": {}}),
        ('{"a": 1}', {"a": 1}),
        ("{a: 1, b: [x]}", {"a": 1, "b": ["x"]}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x {k: 1}\nb: {<<: *x, l: 2}", {"a": {"k": 1}, "b": {"k": 1, "l": 2}}),
    ],
)  # fmt: skip
def test_yaml_is_read_as_openapi_tools_read_it(text: str, value: object) -> None:
    """By YAML 1.2: no dates, no yes/no booleans, no octal or sexagesimal numbers."""
    assert read_text(text) == value
    assert read_text(yaml_text(value)) == value


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("a: 1\na: 2", "'a' stands twice"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ("a: !!binary aGVsbG8=", "quote it"),
        ("? [1]\n: 2", ""),
        ("null: 1", "is no text"),
        ("a: [1", "line 1, column 6"),
        ('{"a": 1', "line 1, column 8"),
        ("a: !python/object:os.system {}", "the tag !python/object:os.system makes no JSON value"),
        ("\t- a", "line 1"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_values_that_json_lacks_are_refused(text: str, excerpt: str) -> None:
    """One line with the place."""
    with pytest.raises(NotReadable) as caught:
        read_text(text)
    assert excerpt in str(caught.value)
    assert "\n" not in str(caught.value)
