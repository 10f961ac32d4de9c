"""``init`` writes valid workflows, which run what exists, and overwrites no file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from batch_conformance.cli import COMMANDS, init, main
from batch_conformance.cli.init import FILES, requirement
from batch_conformance.contract import base_contract
from batch_conformance.plugin import required
from batch_conformance.plugin.options import OPTIONS
from batch_conformance.server_runner.target import resolve_target
from tests.integration.test_cli_require import options_with


@pytest.fixture
def written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, str]:
    """Run ``init`` in an empty repository; return the repository and the output."""
    assert main(["init", str(tmp_path)]) == 0
    return tmp_path, capsys.readouterr().out


def test_each_workflow_is_valid(written: tuple[Path, str]) -> None:
    """Jobs have steps, time limits and least permissions; artifacts are kept on failure; no placeholder is left."""
    for place in FILES.values():
        text = (written[0] / place).read_text("utf-8")
        assert not re.search(r"@[A-Z]+@", text)
        workflow = yaml.safe_load(text)
        assert workflow["permissions"]
        (job,) = workflow["jobs"].values()
        assert job["timeout-minutes"] <= 30
        uploads = [step for step in job["steps"] if step.get("uses", "").startswith("actions/upload-artifact")]
        assert [step["if"] for step in uploads] == ["always()"]


def test_everything_that_workflows_run_exists(written: tuple[Path, str]) -> None:
    """Commands and options; required patterns match clauses."""
    options = {f"--batch-{name}" for name, *_ in OPTIONS}
    for place in FILES.values():
        text = (written[0] / place).read_text("utf-8")
        commands = re.findall(r"^ +batch-conformance (\w+) ", text, re.MULTILINE)
        assert commands
        assert set(commands) <= COMMANDS.keys()
        assert set(re.findall(r"--batch-[a-z-]+", text)) <= options
        for patterns in re.findall(r"--batch-require '(.*)'", text):
            required.check(options_with(patterns))


def test_the_snippet_is_a_valid_target(written: tuple[Path, str], tmp_path: Path) -> None:
    """``--batch-target staging`` reads it, with the gateway's header."""
    snippet = written[1].partition("\n\n")[2].replace("# headers_env", "headers_env")
    tomllib.loads(snippet)
    (tmp_path / "pyproject.toml").write_text(snippet, "utf-8")
    environ = {"STAGING_API_KEY": "k-123456789", "STAGING_GATEWAY_TOKEN": "t-123456789"}
    target = resolve_target("staging", start=tmp_path, environ=environ)
    assert target.rate == 8
    assert target.header_fields == [("X-Gateway-Token", "t-123456789")]
    assert base_contract().servers


def test_nothing_is_overwritten_without_force(written: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """If one file exists, no file is written; a file with the same content does not count."""
    folder = str(written[0])
    assert main(["init", folder]) == 0
    mine = written[0] / FILES["client"]
    mine.write_text("mine", "utf-8")
    (written[0] / FILES["server"]).unlink()
    assert main(["init", folder]) == 4
    assert "--force overwrites" in capsys.readouterr().err
    assert mine.read_text("utf-8") == "mine"
    assert not (written[0] / FILES["server"]).exists()
    assert main(["init", folder, "--force", "--only", "client"]) == 0
    assert "mine" not in mine.read_text("utf-8")
    assert not (written[0] / FILES["server"]).exists()


@pytest.mark.parametrize(
    ("install", "kind", "expected"),
    [
        ("sync-batch-conformance", "nightly", "sync-batch-conformance[server]"),
        ("wheels/sync.whl", "client", "wheels/sync.whl[client]"),
        ("git+https://h/r.git@v1", "server", "sync-batch-conformance[server] @ git+https://h/r.git@v1"),
    ],
)
def test_the_user_chooses_where_the_suite_is_installed_from(install: str, kind: str, expected: str) -> None:
    """A name, a wheel, or a git URL."""
    assert requirement(install, kind) == expected


def test_the_workflows_install_what_this_was_installed_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A git URL with its commit; otherwise the user is told what to fill in, since the package is on no index."""
    direct_url: dict[str, Any] = {"url": "https://h/r.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}
    for direct, expected in (
        (json.dumps(direct_url), "@ git+https://h/r.git@c0ffee"),
        (json.dumps({"url": "file:///x", "dir_info": {}}), "@ git+https://HOST/OWNER/sync-batch-conformance@COMMIT"),
        (None, "@ git+https://HOST/OWNER/sync-batch-conformance@COMMIT"),
    ):
        monkeypatch.setattr(init, "distribution", lambda _, text=direct: SimpleNamespace(read_text=lambda _: text))
        assert main(["init", str(tmp_path), "--only", "client", "--force"]) == 0
        assert expected in (tmp_path / FILES["client"]).read_text("utf-8")
        assert ("use --install WHAT" in capsys.readouterr().out) == ("COMMIT" in expected)


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    """The folder is not created."""
    assert main(["init", str(tmp_path / "nowhere")]) == 4


@pytest.mark.parametrize(
    ("before", "verdict", "kept"),
    [("pass", "fail", "fail"), ("pass", "error", "pass"), (None, "error", None), (None, "pass", "pass")],
)
def test_a_night_without_a_verdict_leaves_the_baseline(
    before: str | None, verdict: str, kept: str | None, tmp_path: Path
) -> None:
    """The step as it is in the workflow, with a remote of its own."""
    assert main(["init", str(tmp_path), "--only", "nightly"]) == 0
    workflow = yaml.safe_load((tmp_path / FILES["nightly"]).read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    script = next(step["run"] for step in job["steps"] if step.get("name") == "publish badge and baseline")
    remote, folder = tmp_path / "remote", tmp_path / "reports" / "batch"
    folder.mkdir(parents=True)
    for name in ("conformance.md", "badge.svg", "badge.json"):
        (folder / name).write_text("{}", "utf-8")
    (folder / "conformance.json").write_text(json.dumps({"verdict": verdict}), "utf-8")
    (tmp_path / "baseline").mkdir()
    (tmp_path / "baseline" / "conformance.json").write_text(json.dumps({"verdict": before}) if before else "", "utf-8")

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git("init", "-q", "--bare", str(remote))
    git("init", "-q")
    git("remote", "add", "origin", str(remote))
    variables = {**os.environ, "GITHUB_WORKSPACE": str(tmp_path), "RUNNER_TEMP": str(tmp_path)}
    # As GitHub runs it.
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=variables, check=True, capture_output=True)
    published = git("--git-dir", str(remote), "ls-tree", "--name-only", "batch-conformance").split()
    assert published == sorted(["badge.json", "badge.svg", "conformance.md", *(["conformance.json"] if kept else [])])
    if kept:
        shown = git("--git-dir", str(remote), "show", "batch-conformance:conformance.json")
        assert json.loads(shown) == {"verdict": kept}
