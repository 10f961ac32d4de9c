"""The plugin in use: exit statuses, reports, selection, workers, settings, Ctrl-C, and no effect elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from batch_conformance.contract import load_contract
from batch_conformance.reference.store import REFERENCE_KEY
from tests.support import hostile
from tests.support.hostile import Hostile, Peer, serving_hostile
from tests.support.running import CLIENT, ROOT, SERVER, CompletedRun, command, environment, run

PASSED, FAILED, INTERRUPTED = 0, 1, 2
QUICK = "--batch-profile=quick"
SERVER_CLAUSES = [clause.id for clause in load_contract().of_side("server")]
CLIENT_CLAUSES = [clause.id for clause in load_contract().of_side("client")]


def timeless(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report without the values that differ from run to run."""
    copied: dict[str, Any] = json.loads(json.dumps(report))
    for name in ("started", "seconds"):
        del copied["run"][name]
    return copied


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> CompletedRun:
    """One run of both embedded sides, with all files."""
    folder = tmp_path_factory.mktemp("both")
    return run(folder, SERVER, CLIENT, "--batch-report=out", "--junitxml=junit.xml", REVOKED_API_KEY="")


@pytest.fixture(scope="module")
def target() -> Iterator[Hostile]:
    """A conforming server on a port."""
    with serving_hostile(hostile.never) as server:
        yield server


# The embedded subjects.


def test_embedded_sides_conform_and_nothing_is_left_out(both: CompletedRun) -> None:
    """Status 0, and each clause was exercised."""
    assert both.status == PASSED, both.text
    for side, clauses in (("server", SERVER_CLAUSES), ("client", CLIENT_CLAUSES)):
        assert both.report(f"out/{side}")["verdict"] == "pass"
        assert both.verdicts(f"out/{side}") == dict.fromkeys(clauses, "pass")
    assert "Traceback" not in both.text


def test_a_run_of_both_sides_writes_one_folder_for_each(both: CompletedRun) -> None:
    """Each is complete, and nothing else is written."""
    names = {"conformance.json", "conformance.html", "conformance.md", "badge.json", "badge.svg"}
    assert {path.name for path in (both.folder / "out").iterdir()} == {"server", "client"}
    for side in ("server", "client"):
        assert {path.name for path in (both.folder / "out" / side).iterdir()} == names
    assert not (both.folder / "reports").exists()


def test_a_default_verdict_costs_at_most_250_requests(both: CompletedRun) -> None:
    """The budget of the default profile."""
    facts = both.report("out/server")["run"]
    assert 100 < facts["requests"] <= 250 + 80  # Get Batch, and List Batches in addition
    assert facts["profile"] == "default"


def test_junit_names_clause_level_and_verdict(both: CompletedRun) -> None:
    """They are properties of each test case."""
    cases = ElementTree.parse(both.folder / "junit.xml").iter("testcase")
    properties = [{row.get("name"): row.get("value") for row in case.iter("property")} for case in cases]
    contract = load_contract().clauses
    assert sorted(row["clause"] or "" for row in properties) == sorted([*SERVER_CLAUSES, *CLIENT_CLAUSES])
    assert {(row["level"], row["verdict"]) for row in properties} == {("must", "pass"), ("should", "pass")}
    assert all(row["level"] == contract[row["clause"] or ""].level for row in properties)


def test_two_workers_give_the_same_report(both: CompletedRun, tmp_path: Path) -> None:
    """One worker makes the run, all read it."""
    pytest.importorskip("xdist")
    ended = run(tmp_path, SERVER, "-n", "2")
    assert ended.status == PASSED, ended.text
    assert timeless(ended.report()) == timeless(both.report("out/server"))
    assert ended.out.count("batch conformance: server") == 1


def test_quick_costs_at_most_80_requests(tmp_path: Path) -> None:
    """A quick run still exercises all clauses."""
    alone = run(tmp_path, SERVER, QUICK, "--batch-operations=get")
    assert alone.status == PASSED, alone.text
    assert alone.report()["run"]["requests"] <= 80
    ended = run(tmp_path, SERVER, QUICK)
    assert ended.status == PASSED, ended.text
    assert ended.report()["run"]["requests"] <= 80 + 20
    # The quick profile has no room for the one probe of crossed dates.
    crossed = {"server.list.crossed-dates": "not-exercised"}
    assert ended.verdicts() == dict.fromkeys(SERVER_CLAUSES, "pass") | crossed


# Failures.


def test_a_broken_must_fails_the_run_and_is_shown(tmp_path: Path) -> None:
    """Status 1; the clause, expected, actual, and a curl line are shown."""
    ended = run(
        tmp_path,
        SERVER,
        QUICK,
        "--batch-mutant=401-without-challenge",
        "--junitxml=junit.xml",
        "--batch-strict",
    )
    assert ended.status == FAILED
    red = [clause for clause, verdict in ended.verdicts().items() if verdict == "fail"]
    assert red == ["server.auth.challenge"]
    assert f"FAILED {os.path.relpath(ROOT, tmp_path)}" in ended.out
    assert "✗ server.auth.challenge  should" in ended.out
    assert "\n  curl -sS -i " in ended.out
    assert ended.report()["run"]["strict"] is True
    (failure,) = ElementTree.parse(tmp_path / "junit.xml").iter("failure")
    assert "expected" in str(failure.text)
    assert "Traceback" not in ended.text


def test_a_broken_should_warns_unless_strict(tmp_path: Path) -> None:
    """It is shown, but is not a failure."""
    ended = run(tmp_path, SERVER, QUICK, "--batch-mutant=401-without-challenge")
    assert ended.status == PASSED
    assert [clause for clause, verdict in ended.verdicts().items() if verdict == "warn"] == ["server.auth.challenge"]
    assert ended.report()["verdict"] == "pass"
    assert "! server.auth.challenge  should" in ended.out


def test_a_selection_is_run_alone_and_the_rest_is_reported_as_unselected(tmp_path: Path) -> None:
    """Only the requests that it needs are sent."""
    ended = run(tmp_path, SERVER, "-k", "server.notfound.unknown-id")
    assert ended.status == PASSED
    report = ended.report("reports/latest/partial")
    by_id = {clause["id"]: clause for clause in report["clauses"]}
    assert [clause for clause in by_id if by_id[clause]["verdict"] != "not-exercised"] == ["server.notfound.unknown-id"]
    assert {by_id[clause]["reason"] for clause in SERVER_CLAUSES[:9]} == {"not selected in this run"}
    assert report["run"]["requests"] < 25


# Settings.


def test_settings_come_from_the_ini_file_the_environment_and_pyproject(tmp_path: Path, target: Hostile) -> None:
    """A client's repository has them; the command line takes precedence."""
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.batch_conformance.targets.mine]\nurl = '{target.url}'\napi_key_env = 'MINE'\n"
        "batch_ids = ['batch_abc123']\n"
    )
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nbatch_target = mine\nbatch_profile = default\nbatch_report = kept/here\nbatch_strict = true\n"
        "batch_seed = 7\nbatch_timeout = 60\n"
    )
    before = len(target.asked)
    ended = run(
        tmp_path,
        "-c",
        "pytest.ini",
        f"--rootdir={tmp_path}",
        SERVER,
        QUICK,
        "-k",
        "server.ok",
        MINE=REFERENCE_KEY,
    )
    assert ended.status == PASSED, ended.text
    report = ended.report("kept/here/partial")
    assert report["subject"] == {"side": "server", "name": "mine", "version": "", "target": target.url}
    facts = report["run"]
    assert (facts["profile"], facts["strict"], facts["seed"]) == ("quick", True, 7)
    assert facts["requests"] == len(target.asked) - before
    assert {asked.segment for asked in target.asked[before:]} - {None} == {b"batch_abc123"}  # None: the list


# Interruption.


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_an_interrupted_run_reports_its_findings_and_is_never_green(tmp_path: Path) -> None:
    """Ctrl-C in the middle of an exchange."""
    process: list[subprocess.Popen[str]] = []

    def choose(number: int, _: object) -> hostile.Fault | None:
        return interrupt if number == 100 else None

    def interrupt(peer: Peer) -> None:
        process[0].send_signal(signal.SIGINT)
        peer.hold()

    with serving_hostile(choose) as server:
        arguments = [SERVER, f"--batch-target={server.url}", "--batch-id=batch_abc123", "--batch-timeout=60"]
        started = subprocess.Popen(
            command(*arguments),
            cwd=tmp_path,
            env=environment(SYNC_API_KEY=REFERENCE_KEY),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        process.append(started)
        printed, _ = started.communicate(timeout=120)
        assert len(server.asked) == 100
    ended = CompletedRun(started.returncode, printed, "", tmp_path)
    assert ended.status == INTERRUPTED, printed
    report = ended.report()
    assert report["verdict"] == "error"
    assert report["run"]["incomplete"] is True
    assert report["run"]["requests"] == 100
    verdicts = ended.verdicts()
    assert "not-exercised" in verdicts.values()
    assert verdicts["server.notfound.hostile-id"] == "not-exercised"
    reasons = {clause["reason"] for clause in report["clauses"] if clause["verdict"] == "not-exercised"}
    assert "not reached: the run was interrupted" in reasons
    assert "could not judge" in printed.casefold()
    assert "conforms" not in printed.casefold()
    for name in ("conformance.html", "conformance.md"):
        assert "interrupted" in (tmp_path / "reports/latest" / name).read_text("utf-8")


# Other runs.

_IMPORTED = """
import sys, pytest
before = set(sys.modules)
import batch_conformance.plugin.entry
print(*sorted(set(sys.modules) - before))
"""


def test_loading_the_plugin_imports_next_to_nothing(tmp_path: Path) -> None:
    """Every run in an environment with the package loads it."""
    ended = subprocess.run(
        [sys.executable, "-c", _IMPORTED],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(ended.stdout.split())
    own = {name for name in imported if name.partition(".")[0] == "batch_conformance"}
    parts = ("", ".plugin", ".plugin.entry", ".plugin.fixtures", ".plugin.options")
    assert own <= {f"batch_conformance{part}" for part in parts}
    others = {name.partition(".")[0] for name in imported - own}
    assert others <= sys.stdlib_module_names


def test_a_repository_that_merely_has_the_package_is_not_affected(tmp_path: Path) -> None:
    """There is no output, no file and no other exit status, but its tests can use the fixtures."""
    (tmp_path / "test_own.py").write_text(
        "def test_own(): pass\ndef test_stub(batch_stub): assert batch_stub.url.startswith('http://127.0.0.1:')\n"
    )
    ended = run(tmp_path, "-q")
    assert ended.status == PASSED, ended.text
    assert ended.out.splitlines()[0].startswith("..")
    assert "batch" not in ended.text
    assert {path.name for path in tmp_path.iterdir()} <= {"test_own.py", "__pycache__", ".hypothesis"}
    (tmp_path / "test_own.py").write_text("def test_own(): assert 0\n")
    assert run(tmp_path, "-q", "--junitxml=junit.xml").status == FAILED
    assert "batch" not in (tmp_path / "junit.xml").read_text()


def test_collecting_is_no_run(tmp_path: Path) -> None:
    """No subject is tested, and no report is written."""
    ended = run(tmp_path, SERVER, "--collect-only", "-q")
    assert ended.status == PASSED
    assert f"{len(SERVER_CLAUSES)} tests collected" in ended.out
    assert not (tmp_path / "reports/latest/conformance.json").exists()


_WARNING = """
import gc, threading, warnings
from batch_conformance.reference.client import adapter as inner, hello

async def never():
    pass

def adapter(request):
    warnings.warn("old", DeprecationWarning)
    open(__file__)
    never()
    threading.Thread(target=int, args=["x"]).start()
    return inner(request)

adapter.hello = hello("a client that warns")
"""


def test_warnings_of_a_client_do_not_affect_its_verdict(tmp_path: Path) -> None:
    """Many repositories have warnings as errors."""
    (tmp_path / "warning.py").write_text(_WARNING)
    options = ("-W", "error", "--batch-client", "python:warning:adapter", "--batch-profile", "quick")
    ended = run(tmp_path, CLIENT, "-q", *options)
    assert ended.status == PASSED, ended.text
    assert set(ended.verdicts().values()) == {"pass"}
