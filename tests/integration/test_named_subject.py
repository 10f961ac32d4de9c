"""Installed and vendored suites need a named subject; a checkout tests the embedded subjects by default."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from batch_conformance.plugin.usage import in_checkout
from tests.support.running import ROOT, run

PROJECT = '[project]\nname = "sync-batch-conformance"\n'


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """The client suite of a checkout, within a client's repository."""
    root = tmp_path / "client" / "vendor" / "suite"
    folder = root / "suites" / "client"
    folder.mkdir(parents=True)
    (root / "pyproject.toml").write_text(PROJECT)
    return folder


def test_this_checkout_is_recognised() -> None:
    """The run may start from its own folder, or from anywhere that is not above it."""
    assert in_checkout(ROOT / "suites" / "client", ROOT)
    assert in_checkout(ROOT / "suites" / "client", ROOT / "suites")


def test_a_run_within_a_checkout_uses_it(suite: Path) -> None:
    """A run that is started within a checkout uses that checkout."""
    root = suite.parents[1]
    assert in_checkout(suite, root)
    assert in_checkout(suite, suite)


def test_a_subtree_is_not_a_checkout(suite: Path, tmp_path: Path) -> None:
    """A subtree is vendored, whether or not the repository around it uses git."""
    client = tmp_path / "client"
    assert not in_checkout(suite, client)
    assert in_checkout(suite, tmp_path / "elsewhere")
    (client / ".git").mkdir()
    assert not in_checkout(suite, tmp_path / "elsewhere")


def test_a_clone_is_a_checkout_and_a_submodule_is_not(suite: Path, tmp_path: Path) -> None:
    """Clones and worktrees are checkouts wherever they are; a submodule is vendored."""
    git = suite.parents[1] / ".git"
    git.mkdir()
    assert in_checkout(suite, tmp_path / "client")
    git.rmdir()
    git.write_text("gitdir: /elsewhere/.git/worktrees/suite\n")
    assert in_checkout(suite, tmp_path / "client")
    git.write_text("gitdir: ../../.git/modules/vendor/suite\n")
    assert not in_checkout(suite, tmp_path / "client")


@pytest.mark.parametrize("project", [None, '[project]\nname = "client"\n'])
def test_a_folder_without_the_project_is_not_a_checkout(suite: Path, project: str | None) -> None:
    """Made by the vendoring command, installed, or another project's tests."""
    path = suite.parents[1] / "pyproject.toml"
    path.unlink()
    if project:
        path.write_text(project)
    assert not in_checkout(suite, suite)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_vendored_suites_need_a_named_subject(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """One line says so; the embedded subject has to be named."""
    for name in ("client", "recorded"):
        shutil.copytree(ROOT / "suites" / name, tmp_path / "vendor" / "suites" / name)
    ended = run(tmp_path, "vendor/suites/client", *workers)
    assert ended.status == 4, ended.text
    assert "no subject was named for suites/client: add --batch-client C, or --batch-client embedded" in (ended.text)
    assert "Traceback" not in ended.text
    assert not (tmp_path / "reports").exists() or not list((tmp_path / "reports").rglob("*.json"))
    if not workers:
        ended = run(tmp_path, "vendor/suites/recorded")
        assert "no subject was named for suites/recorded: add --batch-recorded GLOB" in ended.text


@pytest.mark.parametrize("place", ["typed", "ini"])
def test_vendored_suites_test_a_named_subject(tmp_path: Path, place: str) -> None:
    """The subject is named on the command line or in the repository's settings."""
    shutil.copytree(ROOT / "suites" / "client", tmp_path / "vendor" / "suites" / "client")
    (tmp_path / "pytest.ini").write_text("[pytest]\n" + ("batch_client = embedded\n" if place == "ini" else ""))
    typed = ["--batch-client=embedded"] if place == "typed" else []
    ended = run(tmp_path, "vendor/suites/client", "-k", "client.request.no-body", *typed)
    assert ended.status == 0, ended.text
    assert ended.report("reports/latest/partial")["subject"]["target"] == "embedded"
