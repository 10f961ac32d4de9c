"""A contract edited in its files works as one edited by an overlay."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import ROOT, CompletedRun, run_module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy the package, the suites and the contract."""
    folder = tmp_path / "copy"
    skipped = shutil.ignore_patterns("__pycache__")
    for name in ("batch_conformance", "contracts", "schemas", "suites"):
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def _edited(checkout: Path, **members: Any) -> None:
    file = checkout / "schemas" / "batch.schema.json"
    schema = json.loads(file.read_text("utf-8"))
    schema["properties"] |= members
    schema["required"] += list(members)
    file.write_text(json.dumps(schema), "utf-8")


def _judged(checkout: Path, side: str, *options: str) -> CompletedRun:
    more = ("-q", "-p", "no:cacheprovider", "--batch-profile", "quick")
    return run_module("batch_conformance", checkout, side, "embedded", *more, *options, PYTHONPATH=str(checkout))


@pytest.mark.parametrize("side", ["server", "client"])
def test_the_embedded_subjects_follow(side: str, checkout: Path) -> None:
    """Members that no sample has get values."""
    _edited(checkout, priority={"type": "integer", "minimum": 1, "maximum": 5})
    run = _judged(checkout, side)
    assert run.status == 0, run.text
    if side == "server":
        assert run.verdicts()["server.body.priority"] == "pass"
        broken = _judged(checkout, side, "--batch-mutant", "derived:/priority:maximum")
        assert broken.status == 1
        assert broken.verdicts()["server.body.priority"] == "fail"


@pytest.mark.parametrize(
    ("name", "old", "new", "excerpt"),
    [
        ("schemas/metrics.schema.json", None, "{", "ERROR: schemas/metrics.schema.json: "),
        ("schemas/metrics.schema.json", ">= oldSelf", ">== oldSelf", "/components/schemas/Metrics/x-validations/"),
        ("contracts/clauses.yaml", "level: must", "level: musst", "server.ok.status has the level 'musst'"),
        (
            "contracts/clauses.yaml",
            "operations: all",
            "operations: al",
            "server.ok.status has the operations 'al'; make it all, by-id or a list of get, list",
        ),
        ("contracts/clauses.yaml", "server:", "servers:", "contracts/clauses.yaml: needs version, server and client"),
    ],
    ids=["no JSON", "a rule that is no CEL", "a level", "operations", "a side"],
)
def test_an_error_in_a_file_is_one_line(name: str, old: str | None, new: str, excerpt: str, checkout: Path) -> None:
    """Status 4, as for an overlay."""
    file = checkout / name
    text = file.read_text("utf-8")
    file.write_text(new if old is None else text.replace(old, new, 1), "utf-8")
    run = _judged(checkout, "server")
    assert run.status == 4, run.text
    assert excerpt in run.text
    assert "Traceback" not in run.text
