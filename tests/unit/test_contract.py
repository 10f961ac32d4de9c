"""The contract is consistent: clauses, schemas, OpenAPI document, decisions, and the constants in the code."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from batch_conformance.checks.client import CLIENT_CHECKS
from batch_conformance.checks.server import SERVER_CHECKS
from batch_conformance.client_runner.call import ErrorKind
from batch_conformance.contract import contract_root, current_contract, load_contract
from batch_conformance.contract import load as loading
from batch_conformance.contract.load import either
from batch_conformance.generate.keys import valid_key
from batch_conformance.operations.get_batch.client_cases.decode import COUNTS
from batch_conformance.server_runner.probe import ProbeContext
from batch_conformance.server_runner.profile import PROFILES
from tests.support.running import CLIENT, SERVER, run

ROOT = contract_root()
CONTRACTS = ROOT / "contracts"
SCHEMAS = ROOT / "schemas"
CONTRACT = load_contract()
CONTRACT_IN_USE = current_contract()
LISTED = yaml.safe_load((CONTRACTS / "clauses.yaml").read_text("utf-8"))
ROWS: list[dict[str, Any]] = [*LISTED["server"], *LISTED["client"]]
OPERATION: dict[str, Any] = CONTRACT.fragment["paths"]["/v2/batch/{id}"]["get"]

#: What a clause may cite. A decision must exist; sections follow a comma.
_SECTIONS = r"(?:, \d+(?:\.\d+)*(?: and \d+(?:\.\d+)*)?)?"
_SOURCE = re.compile(
    rf"page|docs|sdk|RFC \d{{4}}{_SECTIONS}|JSON Schema 2020-12 core{_SECTIONS}|good practice(?: \(CWE-\d+\))?"
    r"|decisions? (?P<decisions>\d+(?: and \d+)*)"
)


def cited(source: str) -> set[str]:
    """Return the decisions that a source cites; fail on a source that cannot be looked up."""
    found: set[str] = set()
    for part in source.split("; "):
        match = _SOURCE.fullmatch(part)
        assert match, f"{part!r} is not a source"
        found |= set(re.findall(r"\d+", match["decisions"] or ""))
    return found


def decisions() -> list[str]:
    """Return the numbers of the decisions, in the order of the page."""
    return re.findall(r"(?m)^## (\d+)\. \S", (CONTRACTS / "decisions.md").read_text("utf-8"))


# Clauses.


def test_every_clause_is_listed_once() -> None:
    """The YAML loader would keep the last of two silently."""
    times = Counter(row["id"] for row in ROWS)
    assert [name for name, count in times.items() if count > 1] == []
    assert list(CONTRACT.clauses) == [row["id"] for row in ROWS]
    assert all(row["id"].startswith("server.") for row in LISTED["server"])
    assert all(row["id"].startswith("client.") for row in LISTED["client"])


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_clause_has_a_promise_and_a_source(row: dict[str, Any]) -> None:
    """Id, level, promise and source are well formed; the cited decisions exist."""
    assert set(load_contract().clauses[row["id"]].operations) <= CONTRACT_IN_USE.operations.keys()
    assert row.keys() - {"kinds", "operations", "covers"} == {"id", "level", "promise", "source"}
    assert re.fullmatch(r"(server|client)\.[a-z]+\.[A-Za-z0-9_-]+", row["id"])
    assert row["level"] in ("must", "should")
    assert re.fullmatch(r"\S.{12,}[^\s.]\.", row["promise"]), "one sentence or two, with a full stop"
    assert cited(row["source"]) <= set(decisions())


@pytest.mark.parametrize("row", [row for row in ROWS if "kinds" in row], ids=lambda row: str(row["id"]))
def test_promise_names_every_kind_that_its_check_accepts(row: dict[str, Any]) -> None:
    """Known kinds only; each list is shown in the promise. Beside ``never``, ``kinds`` are all the others."""
    shown = dict(row["kinds"])
    if {"kinds", "never"} <= shown.keys():
        assert set(shown.pop("kinds")) == set(get_args(ErrorKind)) - set(shown["never"])
    assert set(re.findall(r"\{(\w+)\}", row["promise"])) == set(shown)
    clause = CONTRACT.clauses[row["id"]]
    for name, kinds in row["kinds"].items():
        assert set(kinds) <= set(get_args(ErrorKind))
        assert clause.kinds[name] == tuple(kinds)
        assert name not in shown or either(kinds) in clause.promise
    assert "{" not in clause.promise


@pytest.mark.parametrize(("words", "text"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")])
def test_kinds_are_shown_as_a_choice(words: list[str], text: str) -> None:
    """Joined as in prose."""
    assert either(words) == text


def test_drivers_page_shows_which_kinds_are_accepted() -> None:
    """The table is derived from the promises, and has every clause that accepts certain kinds."""
    page = (ROOT / "drivers" / "README.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| `(client\.[^`]+)` \| (.+) \|$", page)
    assert rows == [(clause.id, clause.promise) for clause in CONTRACT.clauses.values() if clause.kinds]


@pytest.mark.parametrize(
    "source",
    ["", "decision", "the page", "page, docs", "RFC 3339; common sense", "good practice (CWE)", "pages"],
)
def test_unknown_source_is_noticed(source: str) -> None:
    """The check of sources above can fail."""
    with pytest.raises(AssertionError):
        cited(source)


def test_decisions_are_numbered_without_gaps() -> None:
    """Clauses and code refer to decisions by number."""
    assert decisions() == [str(number) for number in range(1, len(decisions()) + 1)]


def test_code_refers_to_decisions_that_exist() -> None:
    """Comments in the code cite existing decisions."""
    for folder in ("batch_conformance", "schemas", "contracts"):
        for file in sorted((ROOT / folder).rglob("*.*")):
            if file.suffix in (".py", ".yaml", ".json", ".md"):
                named = re.findall(r"\bdecisions? (\d+)", file.read_text("utf-8"))
                assert set(named) <= set(decisions()), file


def test_every_clause_has_exactly_one_check() -> None:
    """Registration refuses a second check for a clause; no clause lacks one, and no check lacks its clause."""
    ids = {clause.id for clause in CONTRACT.of_side("server")}
    assert {SERVER_CHECKS.find(clause).clause for clause in ids} == ids >= set(SERVER_CHECKS.checks)
    with pytest.raises(KeyError):
        SERVER_CHECKS.find("server.ok.nothing")
    assert set(CLIENT_CHECKS.checks) == {clause.id for clause in CONTRACT.of_side("client")}
    with pytest.raises(ValueError, match=r"server\.ok\.status has a check already"):
        SERVER_CHECKS.check("server.ok.status")(SERVER_CHECKS.checks["server.ok.json"].function)


def test_every_clause_has_exactly_one_test() -> None:
    """The tests are those that pytest collects."""
    ended = run(ROOT, "--collect-only", "-q", SERVER, CLIENT)
    assert ended.status == 0, ended.text
    collected = re.findall(r"(?m)^(\S+)::\w+\[(.+)\]$", ended.out)
    assert sorted(clause for _, clause in collected) == sorted(CONTRACT.clauses)
    for file, clause in collected:
        side = clause.partition(".")[0]
        assert Path(file).as_posix().endswith(f"suites/{side}/test_batch_{side}.py")


# The OpenAPI document.


def test_fragment_is_valid_openapi() -> None:
    """The validator is openapi-spec-validator, with references resolved."""
    from openapi_spec_validator import validate_url

    validate_url((CONTRACTS / "openapi.yaml").as_uri())


def test_fragment_that_is_not_valid_is_noticed(tmp_path: Path) -> None:
    """References are resolved, so that an invalid schema in another file is found."""
    from openapi_spec_validator import validate_url

    shutil.copytree(CONTRACTS, tmp_path / "contracts")
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    schema = tmp_path / "schemas" / "error.schema.json"
    schema.write_text(schema.read_text("utf-8").replace('"number"', '"figure"'), "utf-8")
    with pytest.raises(Exception, match="'figure' is not valid"):
        validate_url((tmp_path / "contracts" / "openapi.yaml").as_uri())


def test_fragment_loads_in_schemathesis() -> None:
    """Both operations, from the file and from the bundled document."""
    import schemathesis

    for schema in (
        schemathesis.openapi.from_path(str(CONTRACTS / "openapi.yaml")),
        schemathesis.openapi.from_dict(dict(CONTRACT.fragment)),
    ):
        assert {path: list(schema[path]) for path in schema} == {
            "/v2/batch": ["get"],
            "/v2/batch/{id}": ["get"],
        }
    assert schema["/v2/batch/{id}"]["GET"].label == "GET /v2/batch/{id}"


def references(value: object) -> list[str]:
    """Return all ``$ref`` values of a document."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in references(item)]
    return [found for item in value for found in references(item)] if isinstance(value, list) else []


def test_fragment_takes_every_body_from_the_schemas() -> None:
    """Nothing is stated twice: each body's schema is a reference and nothing else."""
    for status, response in OPERATION["responses"].items():
        (media_type,) = response["content"]
        assert media_type == "application/json"
        name = "Batch" if status == "200" else "Error"
        assert response["content"][media_type]["schema"] == {"$ref": f"#/components/schemas/{name}"}
    fragment = yaml.safe_load((CONTRACTS / "openapi.yaml").read_text("utf-8"))
    for reference in references(fragment):
        file = reference.partition("#")[0]
        assert reference.startswith("#/components/schemas/") or (CONTRACTS / file).parent.is_dir()
        assert not file or (CONTRACTS / file).resolve().parent == SCHEMAS.resolve()
        assert not file or (CONTRACTS / file).is_file()
    for name, schema in CONTRACT.schemas.items():
        assert schema["$id"] == f"{name}.schema.json"
        for reference in references(schema):
            assert reference.startswith("#/$defs/") or (SCHEMAS / reference).is_file()


def test_constants_of_the_code_are_those_of_the_contract() -> None:
    """Names that the code must know are those of the schemas and the OpenAPI document."""
    batch, metrics = CONTRACT.schemas["batch"], CONTRACT.schemas["metrics"]
    lifecycle = CONTRACT_IN_USE.lifecycle
    assert list(lifecycle.values) == batch["properties"]["status"]["enum"]
    assert set(lifecycle.final) == set(lifecycle.values[-2:])
    assert list(COUNTS) == metrics["required"] == list(metrics["properties"])
    assert {int(status) for status in OPERATION["responses"]} == CONTRACT_IN_USE.operation("get").documented_statuses
    (scheme,) = CONTRACT.fragment["components"]["securitySchemes"].values()
    world = ProbeContext(valid_key("k", "K"), "K", ["batch_1"], PROFILES["quick"], 0)
    assert (scheme["type"], scheme["in"], world.key_name) == ("apiKey", "header", "")
    path = current_contract().operation("get").path
    sent = world.read("reads", "batch_1").request("http://127.0.0.1", "127.0.0.1")
    assert sent.url == "http://127.0.0.1" + path.replace("{id}", "batch_1")


# The digest.


def test_digest_identifies_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of any file changes it; the same files give the same digest."""
    shutil.copytree(CONTRACTS, tmp_path / "contracts")
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    monkeypatch.setattr(loading, "contract_root", lambda: tmp_path)
    load: Callable[[], loading.ContractFiles] = loading.load_contract.__wrapped__
    assert load().sha256 == CONTRACT.sha256
    seen = {CONTRACT.sha256}
    files = sorted([*(tmp_path / "contracts").iterdir(), *(tmp_path / "schemas").iterdir()])
    assert {"clauses.yaml", "openapi.yaml", "decisions.md", "batch.schema.json"} <= {file.name for file in files}
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content + b"\n")
        seen.add(load().sha256)
        file.write_bytes(content)
    assert len(seen) == len(files) + 1
    assert load().sha256 == CONTRACT.sha256
