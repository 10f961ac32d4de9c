"""Another operation is tested by what CONTRIBUTING says of one, followed in a copy of the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "support" / "new_operation"
OF_BATCHES = {"client.decode.status", "client.decode.unknown-status"} | {
    f"client.decode.{name}"
    for name in ("created_at", "created_at-precision", "created_at-letters", "counts", "counts-fraction")
}
BODY = {"server.body.member-id", "server.body.outputs", "server.body.outputs-object"}


def _replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, (file, old)
    file.write_text(text.replace(old, new), "utf-8")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what ``judge.py`` finds in a copy of the repository with another operation."""
    copy = tmp_path_factory.mktemp("repository")
    for name in ("batch_conformance", "contracts", "schemas", "tests/support"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    openapi = copy / "contracts" / "openapi.yaml"
    _replaced(openapi, "components:\n  schemas:\n", (FILES / "openapi.yaml").read_text("utf-8") + (
        "components:\n  schemas:\n    Outputs: { $ref: ../schemas/outputs.schema.json }\n"
    ))  # fmt: skip
    shutil.copy(FILES / "outputs.schema.json", copy / "schemas")
    reading = copy / "batch_conformance" / "contract" / "reading.py"
    _replaced(reading, '"list": "listBatches"}', '"list": "listBatches", "outputs": "getOutputs"}')
    folder = copy / "batch_conformance" / "operations" / "get_outputs"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Get Outputs."""\n', "utf-8")
    for name in ("server_probes.py", "client_cases.py"):
        shutil.copy(FILES / name, folder)
    command = [sys.executable, "-m", "tests.support.new_operation.judge"]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    ended = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


def test_a_server_that_has_it_conforms(found: dict[str, Any]) -> None:
    """The shared clauses are exercised on it, and so are those of its own members."""
    assert found["operations"] == ["get", "list", "outputs"]
    assert found["ok"] == []
    assert found["verdicts"].keys() > BODY
    assert set(found["verdicts"].values()) == {"pass"}
    assert len(found["verdicts"]) > len(BODY) + 25
    assert found["requests"] <= 330 + 80


@pytest.mark.parametrize(
    ("server", "clauses"),
    [
        ("no-key", {"server.auth.missing-key", "server.auth.empty-key", "server.auth.invalid-key"}),
        ("any-tenant", {"server.auth.other-org"}),
        ("empty", {"server.notfound.unknown-id"}),
        ("not-there", {"server.ok.status"}),
    ],
)
def test_a_fault_in_it_alone_is_found(found: dict[str, Any], server: str, clauses: set[str]) -> None:
    """By the clause that would report it for Get Batch."""
    assert clauses <= set(found[server])


def test_requests_may_be_sent_side_by_side(found: dict[str, Any]) -> None:
    """As they are to a server that is far away."""
    assert found["side-by-side"] == []
    assert found["side-by-side-no-key"] == found["no-key"]


def test_each_place_of_its_answer_has_a_mutant_that_is_caught(found: dict[str, Any]) -> None:
    """They are derived from its schema, without a line of Python."""
    assert len(found["mutants"]) > 10
    assert [name for name, caught in found["mutants"].items() if not caught] == []
    assert found["unprovable"] == []


def test_fixtures_and_recordings_have_it(found: dict[str, Any]) -> None:
    """By its path; a body alone is one of it if the test says so."""
    assert found["staged"] == [200, 404, 404, 200]
    assert found["asserted"] == ["server.body.outputs", "", "", ""]
    assert found["asserted alone"] == ["", "server.body.outputs"]
    assert found["recorded"] == ["outputs", "outputs", "get"]
    assert found["recorded faults"] == [
        "/v2/batch/batch_1/outputs: outputs: expected an array, got nothing: it is absent"
    ]


def test_a_client_that_has_it_alone_conforms(found: dict[str, Any]) -> None:
    """All clauses are exercised on it but those about members that only batches have."""
    silent = {name for name, verdict in found["client"].items() if verdict == "not-exercised"}
    assert silent == OF_BATCHES
    assert set(found["client"].values()) == {"pass", "not-exercised"}


@pytest.mark.parametrize(
    "client", ["id-slash-kept", "key-in-a-global", "redirect-with-key", "unlocated-taken", "html-crash"]
)
def test_a_fault_of_a_client_is_found_in_it(found: dict[str, Any], client: str) -> None:
    """By the clause that reports it for Get Batch."""
    clause, broken = found[f"client {client}"]
    assert clause in broken


def test_a_client_that_garbles_its_answer_is_caught(found: dict[str, Any]) -> None:
    """The faults are derived from its schema, too."""
    assert len(found["client mutants"]) > 3
    assert [name for name, caught in found["client mutants"].items() if not caught] == []
