"""Known failures in runs of pytest, from the option to the exit status."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from batch_conformance.known_failures import Expected, read_known_failures
from tests.support.running import run

SUITES = Path(__file__).resolve().parents[2] / "suites"
SIGNED = """\
# agreed on with the team
[[known_failure]]
clause = "server.body.id"
evidence = [{ code = "type", pointer = "/id", operation = "get" }]
reason = "ids are numbers"
issue = "https://acme.example/issues/7"
expires = 9999-12-31
"""


class Ran:
    """One run of pytest in a folder of its own."""

    def __init__(self, folder: Path, *arguments: str, suite: str = "server") -> None:
        ended = run(
            folder,
            *("-c", os.devnull, "-ra", "--rootdir", str(folder), "--confcutdir", str(SUITES.parent)),
            *(str(SUITES / suite), "--batch-profile", "quick", "--junitxml", "junit.xml"),
            *("--batch-report", "report", *arguments),
            COLUMNS="200",
            SYNC_API_KEY="sk-planted",
        )
        self.folder, self.status, self.output = folder, ended.status, ended.text

    def clause(self, clause: str = "server.body.id", place: str = "report") -> dict[str, Any]:
        """Return the clause in the report."""
        document = json.loads((self.folder / place / "conformance.json").read_text("utf-8"))
        entry: dict[str, Any] = next(entry for entry in document["clauses"] if entry["id"] == clause)
        return entry

    def junit(self, clause: str = "server.body.id") -> str:
        """Return the element and the message of the clause's test in JUnit."""
        root = ElementTree.parse(self.folder / "junit.xml").getroot()
        case = next(case for case in root.iter("testcase") if case.get("name") == f"test_server[{clause}]")
        return " ".join(f"{child.tag} {child.get('message', '')}" for child in case if child.tag != "properties")


def known(folder: Path, text: str = SIGNED) -> Path:
    """Write the known-failures file."""
    path = folder / "known.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_known_failure_conforms(tmp_path: Path) -> None:
    """Exit status 0; the reason and its link are in the terminal, in the report and in JUnit."""
    known(tmp_path)
    ran = Ran(tmp_path, "--batch-mutant", "id-number", "--batch-known-failures", "known.toml")
    assert ran.status == 0, ran.output
    entry = ran.clause()
    assert (entry["verdict"], entry["reason"]) == (
        "known-failure",
        "ids are numbers; see https://acme.example/issues/7, until 9999-12-31",
    )
    assert "known failure: ids are numbers; see https://acme.example/issues/7" in ran.junit()
    summary = r"known failures\. Of \d+ clauses: 1 known failure, (?:\d+ not exercised, )?\d+ passed\b"
    assert re.search(summary, ran.output)


def test_a_file_with_sentences_is_read_warned_of_and_rewritten(tmp_path: Path) -> None:
    """For one version, a warning names the entries and the remedy, once; the update applies it."""
    old = '{ message = "id of a * batch: expected a string, got the number #", actual = "#" }'
    path = known(tmp_path, SIGNED.replace('{ code = "type", pointer = "/id", operation = "get" }', old))
    arguments = ["--batch-mutant", "id-number", "--batch-known-failures", "known.toml"]
    ran = Ran(tmp_path, *arguments)
    assert (ran.status, ran.clause()["verdict"]) == (0, "known-failure"), ran.output
    flat = " ".join(ran.output.split())
    assert flat.count("known.toml: entry 1 names its evidence by sentences") == 1
    assert "run with --batch-known-failures-update, which rewrites them" in flat
    Ran(tmp_path, *arguments, "--batch-known-failures-update")
    assert path.read_text("utf-8") == SIGNED
    again = Ran(tmp_path, *arguments)
    assert again.status == 0
    assert "by sentences" not in again.output


@pytest.mark.parametrize(
    ("mutant", "word"), [("id-upper-case", "not the known failure"), (None, "stale known failure")]
)
def test_another_failure_or_none_does_not(mutant: str | None, word: str, tmp_path: Path) -> None:
    """Exit status 1; the entry is named in the terminal, in every report and in JUnit."""
    known(tmp_path)
    chosen = ["--batch-mutant", mutant] if mutant else []
    ran = Ran(tmp_path, *chosen, "--batch-known-failures", "known.toml")
    assert (ran.status, ran.clause()["verdict"]) == (1, "fail"), ran.output
    line = f"{word} (known.toml, entry 1)"
    assert line in ran.output
    assert line in ran.junit()
    for name in ("conformance.json", "conformance.html", "conformance.md"):
        assert line in (tmp_path / "report" / name).read_text("utf-8")


def test_an_update_drafts_entries_that_a_person_completes(tmp_path: Path) -> None:
    """The run that drafts entries is red, and so is the next one; also with workers of pytest-xdist."""
    pytest.importorskip("xdist")
    arguments = ["--batch-mutant", "id-number", "--batch-known-failures", "known.toml"]
    ran = Ran(tmp_path, *arguments, "--batch-known-failures-update", "-n", "2", "-p", "xdist")
    assert ran.status == 1, ran.output
    assert "known.toml: added entry 1 (server.body.id) as a draft: give it a reason and an issue" in ran.output
    assert "the verdict above used the file as it was before" in ran.output
    again = Ran(tmp_path, *arguments)
    assert again.status == 1
    assert "known.toml, entry 1 is a draft, which excuses nothing" in again.clause()["reason"]
    [entry] = read_known_failures(tmp_path / "known.toml").entries
    assert entry.evidence == (Expected("type", "/id", "get"),)


def test_an_update_removes_what_is_stale(tmp_path: Path) -> None:
    """The verdict uses the file as it was, so the run is red, and the next one green."""
    path = known(tmp_path, "# ours\n\n" + SIGNED)
    ran = Ran(tmp_path, "--batch-known-failures", "known.toml", "--batch-known-failures-update")
    assert ran.status == 1, ran.output
    assert path.read_text("utf-8") == "# ours\n\n"
    assert "removed entry 1 (server.body.id), https://acme.example/issues/7: the clause passes now" in " ".join(
        ran.output.split()
    )


def test_a_partial_run_leaves_other_entries_alone(tmp_path: Path) -> None:
    """They are neither red nor removed, but reported as not checked."""
    path = known(tmp_path)
    ran = Ran(
        tmp_path,
        *("--batch-known-failures", "known.toml", "--batch-known-failures-update", "-k", "server.ok"),
    )
    assert ran.status == 0, ran.output
    entry = ran.clause(place="report/partial")
    assert entry["reason"] == "not selected in this run; not checked: known.toml, entry 1"
    assert path.read_text("utf-8") == SIGNED


def test_an_unreachable_target_is_not_a_known_failure(tmp_path: Path) -> None:
    """Exit status 3, and no entry is changed."""
    path = known(tmp_path)
    arguments = ("--batch-target", "http://127.0.0.1:9", "--batch-known-failures", "known.toml")
    ran = Ran(tmp_path, *arguments, "--batch-known-failures-update")
    assert (ran.status, ran.clause()["verdict"]) == (3, "error"), ran.output
    assert path.read_text("utf-8") == SIGNED


@pytest.mark.parametrize(
    ("text", "arguments", "problem"),
    [
        (None, [], r"known\.toml: no such file; correct the path"),
        (
            SIGNED.replace("body.id", "body.<b>"),
            [],
            r"entry 1: clause cannot be 'server\.body\.\\x3cb>'; write",
        ),
        (
            "x = \n" + SIGNED,
            ["--batch-known-failures-update"],
            r"known\.toml is not TOML: .*line 1, column 5",
        ),
        (
            SIGNED,
            ["--batch-known-failures="],
            "--batch-known-failures-update needs --batch-known-failures FILE",
        ),
    ],
)
def test_wrong_usage_is_reported_in_one_line(
    text: str | None, arguments: list[str], problem: str, tmp_path: Path
) -> None:
    """Exit status 4, before anything is sent."""
    if text:
        known(tmp_path, text)
    update = ["--batch-known-failures-update"] if arguments else []
    ran = Ran(tmp_path, "--batch-known-failures", "known.toml", *update, *arguments)
    assert ran.status == 4, ran.output
    assert re.search(f"^ERROR: .*{problem}", ran.output, re.MULTILINE)
    assert not (tmp_path / "report").exists()
