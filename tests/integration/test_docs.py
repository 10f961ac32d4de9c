"""The documentation says what is: generated pages, links, examples, workflows."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from batch_conformance.cli import COMMANDS
from batch_conformance.cli.pages import clause_page, decision_anchors, option_table, source_links
from batch_conformance.client_runner.inprocess import load_adapter
from batch_conformance.contract import load_contract

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *sorted(DOCS.glob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md")),
]


def test_the_page_of_clauses_is_the_generated_one() -> None:
    """Made with ``python -m batch_conformance.cli.pages clauses > docs/clauses.md``."""
    assert (DOCS / "clauses.md").read_text("utf-8").splitlines() == list(clause_page())


def test_the_table_of_options_is_the_generated_one() -> None:
    """Made with ``python -m batch_conformance.cli.pages options``."""
    text = (DOCS / "reference.md").read_text("utf-8")
    between = re.search(r"<!-- options: .* -->\n(.*)<!-- end of options -->", text, re.DOTALL)
    assert between
    assert between[1].splitlines() == list(option_table())


def test_the_reference_has_every_command() -> None:
    """And no other."""
    text = (DOCS / "reference.md").read_text("utf-8")
    assert set(re.findall(r"^\| `batch-conformance (\w+)", text, re.MULTILINE)) == set(COMMANDS)


def test_every_decision_that_a_clause_names_is_linked() -> None:
    """RFCs and weaknesses too."""
    anchors = decision_anchors()
    assert source_links("docs; decisions 1 and 2", anchors).count("decisions.md#") == 2
    assert "rfc9110#section-8.3.1)" in source_links("page; RFC 9110, 8.3.1", anchors)
    assert "CWE-209](https://cwe.mitre.org" in source_links("good practice (CWE-209)", anchors)
    for clause in load_contract().clauses.values():
        numbers = re.findall(r"decisions? ([\d, and]+)", clause.source)
        wanted = sum(len(re.findall(r"\d+", row)) for row in numbers)
        assert source_links(clause.source, anchors).count("decisions.md#") == wanted


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    """Relative ones; anchors are those of headings."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        if "://" in target or not name:
            continue
        file = (page.parent / name).resolve()
        known = decision_anchors().values() if file.name == "decisions.md" else [anchor]
        if not file.exists() or (anchor and anchor not in known):
            broken.append(target)
    assert broken == []


def test_the_index_names_every_page() -> None:
    """None is lost."""
    index = (DOCS / "README.md").read_text("utf-8")
    assert [
        page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index
    ] == []


def test_the_example_of_an_adapter_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with a client made up for it; it has a hello that the suite takes."""
    text = (DOCS / "reference.md").read_text("utf-8")
    (source,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in ast.unparse(ast.parse(source)).splitlines() if line.strip()]) <= 12

    class ApiError(Exception):
        status = 404

    class Client:
        def __init__(self, *told: Any, **more: Any) -> None:
            del told, more

        def get_batch(self, batch_id: str) -> Any:
            if batch_id == "none":
                raise ApiError("no such batch")
            return self

        def to_dict(self) -> dict[str, str]:
            return {"id": "batch_1"}

    made_up, example = ModuleType("my_client"), ModuleType("adapter_of_the_docs")
    made_up.__dict__.update(ApiError=ApiError, Client=Client)
    monkeypatch.setitem(sys.modules, "my_client", made_up)
    monkeypatch.setitem(sys.modules, "adapter_of_the_docs", example)
    exec(compile(source, "reference.md", "exec"), example.__dict__)
    adapter = load_adapter("python:adapter_of_the_docs:adapter")
    call = {"base_url": "http://h", "api_key": "k", "batch_id": "batch_1", "timeout_s": 5}
    assert adapter(call) == {"batch": {"id": "batch_1"}}
    error = {"kind": "not_found", "status": 404, "message": "no such batch"}
    assert adapter(call | {"batch_id": "none"}) == {"error": error}


def test_ci_runs_what_the_file_for_ci_runs() -> None:
    """On each Python that the statement on stability names."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    run = workflow["jobs"]["run"]
    assert run["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert run["steps"][-1] == {"run": ".ci/run"}
    assert workflow["jobs"]["lowest"]["steps"][-1] == {"run": "pip install nox && nox -s lowest lowest_client"}


def test_hooks_are_local() -> None:
    """Nothing is downloaded before a commit."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
    assert {hook["language"] for repo in hooks["repos"] for hook in repo["hooks"]} == {"system"}


def test_the_licence_is_the_one_that_the_package_names() -> None:
    """MIT."""
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")
    assert 'license = { text = "MIT" }' in (ROOT / "pyproject.toml").read_text("utf-8")
