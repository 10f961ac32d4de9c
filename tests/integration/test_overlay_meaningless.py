"""Well-formed overlays without a meaning: a promise that cannot be kept, broken or sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.contract import load_with_overlays
from batch_conformance.contract.document import ContractError
from batch_conformance.contract.overlay import OverlayError
from batch_conformance.generate.satisfiable import why_no_value
from batch_conformance.mutants.derived import derived_mutants
from tests.support.overlays import BATCH, GET, LIST, overlaid, overlay, remove, update, using, written
from tests.support.running import CLIENT, SERVER, run

STATUS = f"{BATCH}.properties.status"
CYCLE = f"{STATUS}.x-lifecycle"
SCHEME = "$.components.securitySchemes"
TEXT = {"type": "string"}
EITHER = ["string", "integer"]
N = {"$ref": "#/components/schemas/N"}


def rule(text: str = "true", target: str = BATCH, **members: Any) -> dict[str, Any]:
    """Return an action that adds a rule."""
    return update(target, {"x-validations": [{"code": "a", "rule": text, "message": "m", **members}]})


def header(example: Any = None, name: str = "X-T", schema: Any = TEXT, **more: Any) -> dict[str, Any]:
    """Return an action that adds a required header."""
    extra = {} if example is None else {"example": example}
    row = {"name": name, "in": "header", "required": True, "schema": schema, **extra, **more}
    return update(f"{GET}.parameters", row)


MEANINGLESS = {
    "no rule": (rule("self.status =="), "Syntax error"),
    "a rule about a header": (
        update(f"{GET}.responses['200']", {"headers": {"X-N": {"schema": {"x-validations": [
            {"code": "even", "rule": "self % 2 == 0", "message": "even"}]}}}}),
        "rules are for bodies",
    ),
    "nearly x-filter": (
        update(f"{GET}.parameters", {"name": "tag", "in": "query", "schema": TEXT, "x-fliter": {}}), "write x-filter",
    ),
    "nearly required": (
        update(f"{GET}.parameters", {"name": "tag", "in": "query", "schema": TEXT, "requird": True}),
        "'requird' is no field here; write required",
    ),
    "a status of another kind": (update(f"{GET}.responses", {"4xx": {"description": "d"}}), "a range such as 4XX"),
    "a type of Python": (update(f"{BATCH}.properties", {"x": {"type": "str"}}), "'str' is no type: write array"),
    "another OpenAPI": (update("$", {"openapi": "3.0.3"}), "documents of OpenAPI 3.1 are read"),
    "another dialect": (
        update("$", {"jsonSchemaDialect": "http://json-schema.org/draft-07/schema#"}), "read as JSON Schema 2020-12",
    ),
    "unknown function": (rule("frobnicate(self.id)"), "undeclared reference to 'frobnicate'"),
    "unknown keyword": (rule(colour="red"), "unknown keyword 'colour': known are rule, message"),
    "no message": (update(BATCH, {"x-validations": [{"rule": "true"}]}), "message is missing"),
    "wrong types": (rule("self.id > 5"), "cannot be evaluated on any value of its schema: No matching overload"),
    "wrong types below": (rule("self.metrics.failed_count > 'x'"), "cannot be evaluated on any value"),
    "wrong types of two reads": (rule("self.id > oldSelf.metrics.failed_count"), "cannot be evaluated on any value"),
    "wrong types in a branch": (rule("self.id > 5", f"{BATCH}.then"), "/then/x-validations/2: the rule 'self.id > 5'"),
    "wrong types of an error": (rule("self.message > 5", "$.components.schemas.Error"), "/Error/x-validations/0"),
    "no boolean": (rule("self.id"), "neither true nor false"),
    "no boolean, known without values": (rule("1 + 1"), "it answers int, not bool"),
    "a type that a rule of ours cannot take": (
        update("$.components.schemas.Metrics.properties.failed_count", TEXT),
        "self.success_count + self.failed_count + self.pending_count <= self.total_generations' cannot be evaluated",
    ),
    "unknown status in the order": (update(CYCLE, {"order": ["NOPE"]}), "order: 'NOPE' is no value of the enum"),
    "unknown status in a list of equals": (update(CYCLE, {"order": [["NOPE"]]}), "'NOPE' is no value of the enum"),
    "unknown final status": (update(CYCLE, {"final": ["NOPE"]}), "final: 'NOPE' is no value of the enum"),
    "frozen nowhere": (update(CYCLE, {"frozen": ["/nope"]}), "frozen: /nope leads to no member"),
    "no pointer of identity": (update(BATCH, {"x-identity": ["id"]}), "'id' is no JSON pointer"),
    "identity nowhere": (update(BATCH, {"x-identity": ["/metrics/nope"]}), "/metrics/nope leads to no member"),
    "member nowhere": (update(f"{GET}.parameters[0]", {"x-member": "/nope"}), "x-member of 'id': /nope leads to no"),
    "a line feed in a header": (header("a\r\nb: c"), "which no header can hold"),
    "blanks around a header": (header(" a "), "which no header can hold"),
    "a name that no header has": (header("a", name="X T"), "has a name that no header can have"),
    "a semicolon in a cookie": (header("a;b", **{"in": "cookie"}), "which no cookie can hold"),
    "no example": (header(), "'X-T' has no example to be sent"),
    "an example of another type": (header("abc", schema={"type": "integer"}), "does not fit its own schema"),
    "an example beyond its enum": (header("abc", schema={"enum": ["a"]}), "does not fit its own schema"),
    "another way to authenticate": (
        update(SCHEME, {"apiKey": {"type": "http", "scheme": "basic"}}),
        "'http basic' is not supported: apiKey (in header, query or cookie) and http bearer are",
    ),
    "no success answer": (remove(f"{GET}.responses['200']"), "no success answer (2xx) is documented"),
    "no Get": (remove("$.paths['/v2/batch/{id}']"), "/paths: Get Batch (a GET with one path parameter) is gone"),
    "a class of Unicode": (update(f"{STATUS}", {"pattern": r"^\p{L}+$"}), "Unicode classes (\\p{…}) are not supp"),
    "a class of POSIX": (update(f"{STATUS}", {"pattern": "^[[:alpha:]]+$"}), "lone bracket at 11"),
    "a server's variable": (update("$.servers[0]", {"url": "https://{x}.example"}), "the variable 'x', which"),
    "a header of an answer": (
        update(f"{GET}.responses['200']", {"headers": {"X Foo": {"schema": TEXT}}}), "'X Foo' is no name of a header",
    ),
    "a parameter where the key is": (header("abc", name="X-API-KEY"), "'X-API-KEY' is where the key is"),
    "a key where a filter is": (update(f"{SCHEME}.apiKey", {"in": "query", "name": "status"}), "is where the key is"),
    "a key in Accept": (update(f"{SCHEME}.apiKey", {"name": "accept"}), "a header with a meaning of its own, which"),
    "a batch that is a text": (
        update(f"{GET}.responses['200'].content['application/json']", {"schema": {"type": "string"}}),
        "must be an object",
    ),
    "an object in the path": (update(f"{GET}.parameters[0]", {"x-member": "/metrics"}), "is no text and no number"),
    "no regular expression in a rule": (rule("self.id.matches('([')"), "invalid regular expression: missing ]"),
    "no time in a rule": (rule("timestamp(self.created_at) > timestamp('2024-01-01')"), "timestamp('2024-01-01'): S"),
    "a list of fixed length": (
        update(f"{LIST}.responses['200'].content['application/json'].schema",
               {"prefixItems": [{"$ref": "#/components/schemas/Batch"}], "items": False}),
        "the list has prefixItems",
    ),
    "two reads of an error": (
        rule("self.message == oldSelf.message", "$.components.schemas.Error"), "between two reads of a batch only",
    ),
    "a success without a body": (update(f"{LIST}.responses", {"204": {"description": "none"}}), "without a body"),
    "a filter of another type": (
        update(f"{LIST}.parameters", {"name": "st", "in": "query", "schema": {"type": "integer"},
                                      "x-filter": {"member": "/status", "operator": "eq"}}),
        "no value of '/status' fits",
    ),
    "a filter with a default": (
        update(f"{LIST}.parameters[?@.name=='status'].schema", {"default": "COMPLETED"}), "a default is not supported",
    ),
    "a pattern of Python alone": (update(f"{STATUS}", {"pattern": "(?i)a"}), "unknown group"),
}  # fmt: skip


@pytest.mark.parametrize("name", MEANINGLESS)
def test_a_meaningless_overlay_is_refused(tmp_path: Path, name: str) -> None:
    """One line names the action."""
    action, excerpt = MEANINGLESS[name]
    actions = [remove(f"{SCHEME}.apiKey")] if "authenticate" in name else []
    with pytest.raises(OverlayError) as caught:
        overlaid(tmp_path, *actions, action)
    line = str(caught.value)
    assert excerpt in line
    assert f"action {len(actions) + 1} ({action['target']})" in line
    assert line.isprintable()


FINE = {
    "a status removed": (remove(f"{STATUS}.enum[?@ == 'FAILED']"),),
    "an end of a chain": (
        update(STATUS, {"enum": ["CANCELLED"], "x-lifecycle": {"order": ["CANCELLED"], "final": ["CANCELLED"]}}),
    ),
    "what is frozen removed": (
        remove(f"{BATCH}.properties.metrics"),
        remove(f"{BATCH}.required[?@ == 'metrics']"),
        remove(f"{BATCH}.then.x-validations"),
    ),
    "the id removed": (remove(f"{BATCH}.properties.id"), remove(f"{BATCH}.required[?@ == 'id']")),
    "List removed": (remove("$.paths['/v2/batch']"),),
    "a division": (rule("self.metrics.total_generations / self.metrics.pending_count >= 0"),),
    "members of several types": (
        update(f"{BATCH}.properties", {"note": {"type": EITHER}, "size": {"type": EITHER[::-1]}}),
        rule("self.note <= self.size"),
    ),
    "a member that must be absent": (
        update(f"{BATCH}.properties", {"note": TEXT}), rule("!has(self.note) || self.note > 5"),
    ),
    "times of two reads": (rule("timestamp(self.created_at) >= timestamp(oldSelf.created_at)"),),
    "examples as text": (
        header("5", schema={"type": "integer"}),
        header("true", name="X-U", schema={"type": "boolean"}),
        header("a,b", name="X-V", schema={"type": "array", "items": TEXT}),
        header(5, name="X-W", schema={"type": "number", "minimum": 5}),
    ),
    "a way to authenticate beside ours": (
        update(SCHEME, {"user": {"type": "http", "scheme": "basic"}}),
        update("$.security", {"user": []}),
    ),
    "a rule without a code": (update(BATCH, {"x-validations": [{"rule": "true", "message": "Fine so far"}]}),),
    "a recursive schema that ends": (
        update("$.components.schemas", {"N": {"type": "object", "properties": {"n": N}}}),
        update(BATCH, {"required": ["n"], "properties": {"n": N}}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FINE)
def test_a_meaningful_overlay_is_accepted(tmp_path: Path, name: str) -> None:
    """Names that an overlay removed may still be referred to."""
    contract = overlaid(tmp_path, *FINE[name])
    assert why_no_value(contract) == ""


def required(schema: Any) -> tuple[dict[str, Any], ...]:
    """Return actions that add a required member."""
    return (update(BATCH, {"required": ["x"], "properties": {"x": schema}}),)


IMPOSSIBLE: dict[str, tuple[tuple[dict[str, Any], ...], str]] = {
    "bounds": (required({"type": "integer", "minimum": 5, "maximum": 3}), "Batch/properties/x ("),
    "bounds within": (
        required({"type": "object", "required": ["y"], "properties": {"y": {"minLength": 2, "maxLength": 1, **TEXT}}}),
        "Batch/properties/x/properties/y (",
    ),
    "items": (required({"type": "array", "minItems": 1, "items": False}), "Batch/properties/x/items (false)"),
    "nothing at all": ((update(BATCH, {"not": {}}),), '/components/schemas/Batch ({"not": {}'),
    "itself": (
        (
            update(
                "$.components.schemas",
                {"N": {"type": "object", "required": ["n"], "properties": {"n": N}}},
            ),
            *required(N),
        ),
        "/components/schemas/N (",
    ),
    "an empty enum": ((remove(f"{STATUS}.enum[*]"),), "Batch/properties/status ("),
    "a rule that nothing keeps": ((rule("self.id != self.id", code="no"),), "keeps the rule no; correct it"),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_contract_that_no_value_fits(tmp_path: Path, name: str) -> None:
    """The line names the place, without a search for mutants."""
    actions, excerpt = IMPOSSIBLE[name]
    with using(tmp_path, *actions) as contract:
        assert excerpt in why_no_value(contract)
        with pytest.raises(Exception, match="no valid answer"):
            derived_mutants("server")


@pytest.mark.parametrize("suites", [SERVER, CLIENT])
@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_run_that_needs_values_is_wrong_usage(tmp_path: Path, suites: str, workers: list[str]) -> None:
    """Status 4, and the place, for the embedded server and for any client."""
    file = written(tmp_path, *IMPOSSIBLE["bounds"][0])
    ended = run(tmp_path, suites, f"--batch-overlay={file.name}", *workers)
    assert ended.status == 4, ended.text
    assert "no value was found that fits /components/schemas/Batch/properties/x" in ended.text
    assert "bug of the suite" not in ended.text


@pytest.mark.parametrize("module", ["contract", "reference"])
def test_other_commands_refuse_too(tmp_path: Path, module: str) -> None:
    """The validator and the server of the reference: status 4 and the line."""
    file = written(tmp_path, MEANINGLESS["no rule"][0])
    command = [sys.executable, "-m", f"batch_conformance.{module}", "--overlay", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "Syntax error" in ended.stderr


def test_a_schema_that_nests_too_deeply_is_refused(tmp_path: Path) -> None:
    """The line says so, in place of an error about the suite's own stack."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}
    with pytest.raises(ContractError, match=r"overlay\.json: the result nests too deeply to be read; flatten"):
        overlaid(tmp_path, update(BATCH, {"properties": {"deep": schema}}))


#: 10 to the tenth values in 11 lines.
_NESTED_ALIASES = "a0: &a0 x\n" + "".join(f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]\n" for at in range(1, 11))


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("overlay: 1.0.0\ninfo: {title: !!python/object/apply:os.system [x]}", "tag !!python/object/apply:os.system"),
        ("a: &a [*a]", "an alias stands within what it names"),
        ("overlay: 1.0.0\noverlay: 1.0.0", "line 2, column 1: the member 'overlay' stands twice"),
        (json.dumps(overlay())[:-1] + ', "info": {}}', "the member 'info' stands twice"),
        ("a: *none", "found undefined alias"),
        (_NESTED_ALIASES, "its aliases make more than 1,000,000 values of it"),
    ],
)
def test_yaml_beyond_json_is_not_called_malformed(tmp_path: Path, text: str, excerpt: str) -> None:
    """The line says what is wrong, and does not deny that it is YAML."""
    file = tmp_path / "o.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(OverlayError, match="cannot be read as JSON values") as caught:
        load_with_overlays([file])
    assert excerpt in str(caught.value)
