"""A run of some clauses has no verdict on the subject, and leaves the last full report alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from batch_conformance.contract import load_contract
from tests.support.running import CLIENT, ROOT, SERVER, CompletedRun, run, run_module

QUICK = "--batch-profile=quick"
LATEST = "reports/latest"
PARTIAL = f"{LATEST}/partial"
CLAUSES = [clause.id for clause in load_contract().of_side("server")]
#: Breaks server.body.id, and nothing else.
MUTANT = "--batch-mutant=id-number"
OK = ("-k", "server.ok")
NODE = f"{SERVER}/test_batch_server.py::test_server[server.ok.status]"
FILES = {"conformance.json", "conformance.html", "conformance.md"}


def _files(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _not_selected(ended: CompletedRun, place: str = PARTIAL) -> list[str]:
    return [entry["id"] for entry in ended.report(place)["clauses"] if not entry.get("selected", True)]


def test_one_clause_of_a_broken_server_is_no_green_verdict(tmp_path: Path) -> None:
    """No output shows a verdict, and the full report with another result stays."""
    assert run(tmp_path, SERVER, QUICK, MUTANT).status == 1
    full = _files(tmp_path / LATEST)
    assert full.keys() == {*FILES, "badge.svg", "badge.json"}

    ended = run(tmp_path, SERVER, QUICK, MUTANT, "-k", "server.ok.status")
    assert ended.status == 0, ended.text
    assert _files(tmp_path / LATEST) == full
    assert _files(tmp_path / PARTIAL).keys() == FILES
    report = ended.report(PARTIAL)
    assert report["verdict"] == "partial"
    assert _not_selected(ended) == [clause for clause in CLAUSES if clause != "server.ok.status"]
    line = f"1 of 1 selected passed; no verdict, {len(CLAUSES) - 1} not selected."
    assert f"partial run. {line}".casefold() in ended.out.casefold()
    for name in ("conformance.html", "conformance.md"):
        text = (tmp_path / PARTIAL / name).read_text("utf-8")
        assert line in text
        assert "conforms" not in text
    assert "onforms" not in ended.out
    # One line in their place instead of 44 ids.
    assert "server.auth.missing-key" not in ended.out


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        ([SERVER, *OK, "-n", "2"], [clause for clause in CLAUSES if clause.startswith("server.ok.")]),
        ([SERVER, *OK], [clause for clause in CLAUSES if clause.startswith("server.ok.")]),
        ([NODE], ["server.ok.status"]),
        ([SERVER, "-k", "not body"], [clause for clause in CLAUSES if ".body" not in clause]),
        ([SERVER, "--deselect", NODE], [clause for clause in CLAUSES if clause != "server.ok.status"]),
    ],
    ids=["xdist", "theme", "node", "-k", "--deselect"],
)
def test_each_way_to_leave_clauses_out_is_partial(tmp_path: Path, arguments: list[str], selected: list[str]) -> None:
    """It does not matter which option leaves them out."""
    if "--deselect" in arguments:
        # Deselected ids are relative to pytest's root.
        arguments = [*arguments[:-1], os.path.relpath(NODE, ROOT)]
    ended = run(tmp_path, f"--rootdir={ROOT}", *arguments, QUICK)
    assert ended.status == 0, ended.text
    assert ended.report(PARTIAL)["verdict"] == "partial"
    assert [clause for clause in CLAUSES if clause not in _not_selected(ended)] == selected
    assert not (tmp_path / LATEST / "conformance.json").exists()


def test_all_clauses_one_by_one_are_a_full_run(tmp_path: Path) -> None:
    """It depends on the clauses that were tested, not on the options."""
    ended = run(tmp_path, SERVER, QUICK, "-k", "server or nothing", "--maxfail=3", "-n", "2")
    assert ended.status == 0, ended.text
    assert ended.report()["verdict"] == "pass"
    assert not (tmp_path / PARTIAL).exists()


def test_a_broken_clause_among_the_selected_is_red(tmp_path: Path) -> None:
    """A failure counts, whatever else was not tested."""
    ended = run(tmp_path, SERVER, QUICK, MUTANT, "-k", "server.body.id or server.ok.status")
    assert ended.status == 1, ended.text
    assert ended.report(PARTIAL)["verdict"] == "fail"
    assert f"1 of 2 selected passed, 1 failed; {len(CLAUSES) - 2} not selected." in ended.out


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_run_stopped_at_the_first_failure_is_partial(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Clauses that were not reached do not hold, and the exit status agrees with the report."""
    assert run(tmp_path, SERVER, QUICK).status == 0
    full = _files(tmp_path / LATEST)
    ended = run(tmp_path, SERVER, QUICK, MUTANT, "-x", *workers)
    assert ended.status == 1, ended.text
    assert _files(tmp_path / LATEST) == full
    report = ended.report(PARTIAL)
    assert report["verdict"] == "fail"
    assert "server.body.id" not in _not_selected(ended)
    reasons = {entry["reason"] for entry in report["clauses"] if not entry.get("selected", True)}
    assert reasons == {"not reached: the run was stopped before its test"}


def _run_with(tmp_path: Path, plugin: str, *arguments: str) -> CompletedRun:
    (tmp_path / "meddles.py").write_text(f"import pytest\ndef pytest_runtest_setup(item):\n    {plugin}\n")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    return run(tmp_path, SERVER, QUICK, "-p", "meddles", *arguments, PYTHONPATH=path)


def test_a_run_stopped_by_another_test_is_partial(tmp_path: Path) -> None:
    """No clause failed, but not all were tested."""
    ended = _run_with(tmp_path, "assert 'server.poll.forward-only' not in item.name", "-x")
    assert ended.status == 1, ended.text
    assert ended.report(PARTIAL)["verdict"] == "partial"
    assert "server.poll.identity" not in _not_selected(ended)
    assert {"server.poll.forward-only", "server.rate.429"} <= set(_not_selected(ended))


def test_a_run_of_the_last_failures_is_partial(tmp_path: Path) -> None:
    """``--lf`` deselects later than other options, and the requests of the rest are not sent."""

    def again(*arguments: str) -> CompletedRun:
        cache = ("-o", f"cache_dir={tmp_path / 'cache'}")
        return run_module("pytest", tmp_path, SERVER, QUICK, *cache, *arguments)

    assert again(MUTANT).status == 1
    full = _files(tmp_path / LATEST)
    ended = again("--lf")
    assert ended.status == 0, ended.text
    assert _files(tmp_path / LATEST) == full
    report = ended.report(PARTIAL)
    assert (report["verdict"], len(_not_selected(ended))) == ("partial", len(CLAUSES) - 1)
    assert report["run"]["requests"] < 40


def test_one_side_may_be_full_and_the_other_partial(tmp_path: Path) -> None:
    """Each has a report folder of its own."""
    ended = run(tmp_path, SERVER, CLIENT, QUICK, "-k", "test_server or client.auth")
    assert ended.status == 0, ended.text
    assert ended.report(f"{LATEST}/server")["verdict"] == "pass"
    assert ended.report(f"{PARTIAL}/client")["verdict"] == "partial"
    assert not (tmp_path / LATEST / "client").exists()
    assert not list((tmp_path / PARTIAL / "client").glob("badge.*"))


def test_a_clause_whose_test_was_skipped_is_not_selected(tmp_path: Path) -> None:
    """A plugin may skip it long after the selection."""
    ended = _run_with(tmp_path, "'server.auth.invalid-key' in item.name and pytest.skip('not today')")
    assert ended.status == 0, ended.text
    assert ended.report(PARTIAL)["verdict"] == "partial"
    assert _not_selected(ended) == ["server.auth.invalid-key"]


def test_recorded_traffic_of_some_clauses(tmp_path: Path) -> None:
    """Clauses that recordings cannot show are not missing from a full run."""
    suite = str(ROOT / "suites" / "recorded")
    assert run(tmp_path, suite).report()["verdict"] == "pass"
    ended = run(tmp_path, suite, "-k", "server.body.id")
    assert ended.report(PARTIAL)["verdict"] == "partial"
    assert ended.status == 0
