"""``python -m batch_conformance.vendor``: makes a folder, updates it, tells what it is, loses nobody's edits."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import batch_conformance.vendor as vendoring
from batch_conformance import __version__
from batch_conformance.contract import contract_root, load_contract
from batch_conformance.vendor import MANIFEST, VERSION, main

Captured = pytest.CaptureFixture[str]
EDITED = "contracts/clauses.yaml"


@pytest.fixture
def folder(tmp_path: Path, capsys: Captured) -> Path:
    """A folder just made."""
    place = tmp_path / "vendor" / "suite"
    assert main([str(place)]) == 0
    capsys.readouterr()
    return place


def contents(folder: Path) -> dict[str, bytes]:
    """All files, by their names."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}


def test_a_folder_is_whole_and_without_its_proof(folder: Path) -> None:
    """What is needed to run the suites, and no more."""
    names = set(contents(folder))
    assert {
        "conftest.py",
        "requirements.txt",
        ".gitattributes",
        "batch_conformance/__init__.py",
        "batch_conformance/py.typed",
        "batch_conformance/report/style.css",
        "batch_conformance/plugin/entry.py",
        "contracts/clauses.yaml",
        "schemas/batch.schema.json",
        "suites/client/test_batch_client.py",
        "suites/server/test_batch_server.py",
        "suites/recorded/samples/polling.har",
    } < names
    assert {name.split("/")[1] for name in names if name.startswith("suites/")} == {"client", "server", "recorded"}
    # No packages but our own: these would stand in the way of the client's.
    assert {name.split("/")[0] for name in names if name.endswith("__init__.py")} == {"batch_conformance"}
    assert not [name for name in names if name.endswith((".pyc", ".toml", ".ini", ".cfg"))]


def test_its_documentation_comes_along(folder: Path) -> None:
    """The pages that a user of the folder needs; no link in them leads nowhere."""
    pages = sorted(folder.rglob("*.md"))
    named = {page.relative_to(folder).as_posix() for page in pages}
    assert {"README.md", "docs/README.md", "docs/vendoring.md", "docs/reference.md", "drivers/README.md"} < named
    targets = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)\s#]+)", page.read_text("utf-8"))
        if "://" not in target
    ]
    assert len(targets) > 50
    assert [(page.name, target) for page, target in targets if not (page.parent / target).exists()] == []


def test_it_says_which_version_it_is(folder: Path, capsys: Captured) -> None:
    """Version, commit and contract: in a file, and by the command."""
    version, commit, contract, _ = (folder / VERSION).read_text("utf-8").splitlines()
    assert version == f"sync-batch-conformance {__version__}"
    assert commit.startswith("commit ")
    assert contract == f"contract {load_contract().version} sha256 {load_contract().sha256}"
    assert main(["--check", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: {version}; {commit}; {contract}; unchanged\n"


def test_the_manifest_is_one_that_other_tools_read(folder: Path) -> None:
    """As by ``sha256sum``: a digest, two spaces, a name; every file but itself."""
    lines = (folder / MANIFEST).read_text("utf-8").splitlines()
    listed = {line[66:]: line[:64] for line in lines}
    files = {name: content for name, content in contents(folder).items() if name != MANIFEST}
    assert listed == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert {line[64:66] for line in lines} == {"  "}


def test_the_commit_is_that_of_the_checkout_only(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of a repository which happens to be around it; a folder made from a folder keeps what it was."""
    checkout = tmp_path / "checkout"
    shutil.copytree(folder, checkout)
    (checkout / VERSION).unlink()
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "x")):
        subprocess.run(["git", "-C", str(checkout), *command], check=True, capture_output=True)
    git = subprocess.run(["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    commit = f"commit {git.stdout.strip()}"

    def made_from(root: Path) -> str:
        monkeypatch.setattr(vendoring, "contract_root", lambda: root)
        monkeypatch.setattr(vendoring, "_PACKAGE", root / "batch_conformance")
        return vendoring.vendored_files()[VERSION].decode().splitlines()[1]

    assert made_from(checkout) == commit
    with (checkout / EDITED).open("a") as file:
        file.write("\n")
    assert made_from(checkout) == f"{commit} with changes that are not committed"
    assert f"{made_from(folder)}\n" in (folder / VERSION).read_text("utf-8")
    inside = checkout / "vendor" / "suite"
    shutil.copytree(folder, inside)
    (inside / VERSION).write_text(f"sync-batch-conformance 0\ncommit {'c' * 40}\n", "utf-8")
    assert made_from(inside) == f"commit {'c' * 40}"


def test_an_edit_is_told_and_not_overwritten(folder: Path, capsys: Captured) -> None:
    """Edited, removed and colliding files keep an update away; nothing is done by halves; ``--force`` does it."""
    made = contents(folder)
    (folder / EDITED).write_text("edited", "utf-8")
    (folder / "conftest.py").unlink()
    (folder / "own.txt").write_text("own", "utf-8")
    before = contents(folder)
    assert main(["--check", str(folder)]) == 1
    listed = capsys.readouterr().err.splitlines()
    assert listed[0].endswith("; with local changes:")
    assert listed[1:] == [f"  edited   {EDITED}", "  missing  conftest.py", "  added    own.txt"]

    assert main([str(folder)]) == 1
    refused = capsys.readouterr().err.splitlines()
    assert refused[0] == f"{folder} has local changes, nothing was done; --force overwrites them:"
    assert refused[1:] == listed[1:3]
    assert contents(folder) == before

    assert main([str(folder), "--force"]) == 0
    assert "  2 files changed, 0 new, 0 removed" in capsys.readouterr().out
    assert contents(folder) == made | {"own.txt": b"own"}


def test_an_update_changes_adds_and_removes(folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says what it did; what the user put there stays; what the user has and is new now is in danger."""
    new = vendoring.vendored_files()
    new |= {"contracts/new.yaml": b"new", VERSION: b"sync-batch-conformance 9\ncommit x\ncontract y\n"}
    gone = [name for name in new if name.startswith("suites/recorded/")]
    for name in gone:
        del new[name]
    monkeypatch.setattr(vendoring, "vendored_files", lambda: new)
    (folder / "own").mkdir()
    (folder / "own" / "notes.txt").touch()
    assert main([str(folder)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{folder}: sync-batch-conformance 9; commit x; contract y"
    assert told[1].startswith(f"  was sync-batch-conformance {__version__}; commit ")
    assert told[2:] == [f"  1 files changed, 1 new, {len(gone)} removed", "  added    own/notes.txt"]
    assert contents(folder).keys() == new.keys() | {"own/notes.txt", MANIFEST}
    assert not (folder / "suites" / "recorded").exists()

    newer = {**new, "own/notes.txt": b"ours"}
    monkeypatch.setattr(vendoring, "vendored_files", lambda: newer)
    assert main([str(folder)]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == ["  added    own/notes.txt"]
    assert (folder / "own" / "notes.txt").read_bytes() == b""


@pytest.mark.parametrize("arguments", [["--check"], [], ["--force"]])
@pytest.mark.parametrize(
    "manifest", [None, "", "nonsense\n", f"{'0' * 64}  ../outside.txt\n", f"{'0' * 64}  /etc/outside\n"]
)
def test_what_it_did_not_make_it_does_not_touch(
    tmp_path: Path, capsys: Captured, arguments: list[str], manifest: str | None
) -> None:
    """Not even by force; a manifest cannot lead outside of the folder."""
    (tmp_path / "outside.txt").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "precious.txt").write_text("mine", "utf-8")
    if manifest is not None:
        (folder / MANIFEST).write_text(manifest, "utf-8")
    before = contents(tmp_path)
    assert main([str(folder), *arguments]) == 4
    assert capsys.readouterr().err == f"{folder} was not made by this command: name a new or an empty folder\n"
    assert contents(tmp_path) == before


@pytest.mark.parametrize("arguments", [[], ["--no-such-option", "x"], ["a", "b"]])
def test_wrong_usage(arguments: list[str], capsys: Captured) -> None:
    """Is status 4, as everywhere."""
    assert main(arguments) == 4
    assert "usage: python -m batch_conformance.vendor" in capsys.readouterr().err


def test_a_file_in_its_place_is_named(tmp_path: Path, capsys: Captured) -> None:
    """In one line."""
    place = tmp_path / "file"
    place.touch()
    assert main([str(place)]) == 4
    assert main([str(place / "below")]) == 4
    assert [line.startswith(str(place)) for line in capsys.readouterr().err.splitlines()] == [True, True]


def test_requirements_are_those_of_the_project(folder: Path) -> None:
    """With what judges clients; what judges servers is named."""
    comment, rules, *lines = (folder / "requirements.txt").read_text("utf-8").splitlines()
    assert {line.split(">=")[0] for line in lines} >= {"pytest", "httpx", "hypothesis", "respx"}
    assert not any("schemathesis" in line or "uvicorn" in line for line in lines)
    assert "'schemathesis" in comment
    assert rules.startswith("# For assert_conforms, ")
    assert "'cel-expr-python" in rules


def test_it_runs_as_a_command(folder: Path) -> None:
    """From the folder, as the page has it."""
    command = [sys.executable, "-m", "batch_conformance.vendor", "--check", str(folder)]
    ended = subprocess.run(command, cwd=contract_root(), capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("; unchanged\n")
