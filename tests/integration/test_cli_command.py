"""The command ``batch-conformance``: the runs it starts, wrong usage, exit statuses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batch_conformance.cli import COMMANDS, main
from batch_conformance.cli.explain import advice, breaches, decisions_of
from batch_conformance.contract import load_contract
from tests.support.overlays import update, written
from tests.support.running import ROOT, CompletedRun, run_module

CLAUSES = list(load_contract().clauses.values())


def command(folder: Path, *arguments: str, **variables: str) -> CompletedRun:
    """Run the command in a folder, as users start it."""
    return run_module("batch_conformance", folder, *arguments, **variables)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The help also lists the exit statuses."""
    assert main(["--help"]) == 0
    output = capsys.readouterr().out
    assert all(re.search(rf"^  {name} ", output, re.MULTILINE) for name in COMMANDS)
    assert "0 conforms, 1 does not, 3 could not run, 4 wrong usage" in output


@pytest.mark.parametrize(
    "line",
    [
        "batch_conformance explain server.list.complete",
        "batch_conformance server --help",
        "batch_conformance.reference --list-mutants",
    ],
)
def test_a_closed_pipe_ends_the_command_quietly(line: str) -> None:
    """There is no traceback, whichever side closes first (``head``, for example)."""
    with subprocess.Popen(
        [sys.executable, "-m", *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its help ends with status 0."""
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out


_WRONG = {
    "no command": ([], "usage: batch-conformance COMMAND"),
    "misspelt command": (["sever", "x"], "unknown command 'sever'; did you mean server?"),
    "a URL for a command": (["http://127.0.0.1:9"], "did you mean batch-conformance server http://127.0.0.1:9?"),
    "nobody to test": (["server"], "server: the first argument must name what to test"),
    "an option first": (["client", "-q"], "client: the first argument must name what to test"),
    "misspelt option": (["server", "embedded", "--batch-strickt"], "--batch-strickt; did you mean --batch-strict"),
    "mutants of no clause": (["mutants", "server.nix"], "no clause of server or client is called 'server.nix'"),
    "two subjects": (["client", "embedded", "--batch-client=python:x:y"], "--batch-client names a second subject"),
    "no clause": (["explain"], "explain: name one clause"),
    "a key as an argument": (["server", "http://127.0.0.1:9", "sk-By-Mistake-1"], "keys are never arguments"),
    "misspelt clause": (["explain", "server.auth.near-kye"], "did you mean server.auth.near-key"),
    "clause without its side": (["explain", "auth.near-key"], "did you mean server.auth.near-key?"),
    "no reports": (["diff", "a.json"], "diff: the following arguments are required: NEW"),
    "missing report": (["diff", "a.json", "b.json"], "there is no report a.json"),
    "unknown word": (["init", "--onyl", "server"], "init: unrecognized arguments: --onyl"),
    "no matrix": (["matrix", "nowhere"], "there is no conformance.json below nowhere"),
    "wrong words of a module": (["vendor"], "the following arguments are required"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "line"), _WRONG.values(), ids=list(_WRONG))
def test_wrong_usage_is_one_line_and_status_4(
    arguments: list[str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message suggests what was meant, if it can tell."""
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 4
    told = capsys.readouterr()
    assert line in told.err
    assert "Mistake" not in told.out + told.err


def test_a_run_shows_the_pytest_line_and_passes_options_on(tmp_path: Path) -> None:
    """Status and report are those of pytest."""
    options = ["--batch-mutant", "id-number", "--batch-profile=quick", "-q", "-p", "no:cacheprovider"]
    ended = command(tmp_path, "server", "embedded", *options, "--batch-report", "out dir")
    assert ended.status == 1, ended.text
    assert ended.verdicts("out dir")["server.body.id"] == "fail"
    (line,) = [row for row in ended.err.splitlines() if row.startswith("$ pytest ")]
    assert line.endswith(f"--batch-target embedded {' '.join(options)} --batch-report 'out dir'")


@pytest.mark.parametrize("option", ["--batch-api-key-env", "--batch-other-key-env"])
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("key", ["sk-By-Mistake-1", "skByMistake1"])
def test_a_key_in_place_of_a_name_is_not_repeated(tmp_path: Path, option: str, apart: bool, key: str) -> None:
    """The key is neither in the pytest line nor in the message, also if it could be a name."""
    words = [option, key] if apart else [f"{option}={key}"]
    ended = command(tmp_path, "server", "http://127.0.0.1:9", *words, SYNC_API_KEY="sk-x")
    assert ended.status == 4
    assert f"{option} takes the name of an environment variable" in ended.err + ended.out
    assert "Mistake" not in ended.err + ended.out


def test_a_trace_follows_links_and_replaces_no_device(tmp_path: Path) -> None:
    """Devices and other special files are not replaced."""
    from batch_conformance.report.files import ReportNotWritten, write_whole

    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert write_whole(tmp_path / "link", "told").is_symlink()
    assert (tmp_path / "real").read_text("utf-8") == "told"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReportNotWritten, match="no regular file"):
        write_whole(tmp_path / "pipe", "told")


def test_a_run_that_selects_nothing_has_not_run(tmp_path: Path) -> None:
    """Pytest's status 5 is replaced by one of the documented ones."""
    ended = command(tmp_path, "server", "embedded", "-k", "nothing_at_all", "-q")
    assert ended.status == 3
    assert "no clause was selected" in ended.err


@pytest.mark.parametrize(
    ("subject", "option"),
    [
        ("node driver.mjs", "'exec:node driver.mjs'"),
        ("exec:node driver.mjs", "'exec:node driver.mjs'"),
        ("python:a.b:c", "python:a.b:c"),
        ("embedded", "embedded"),
    ],
)
def test_a_client_is_a_command_unless_it_says_otherwise(
    subject: str, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It becomes an ``exec:`` specification."""
    given: list[list[str]] = []
    monkeypatch.setattr("batch_conformance.cli.run.start_pytest", _noting(given))
    assert main(["client", subject, "-x"]) == 0
    assert f"--batch-client {option} -x" in capsys.readouterr().err
    assert given[0][-1] == "-x"


def test_recorded_takes_files_that_a_shell_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name is a pattern of its own."""
    given: list[list[str]] = []
    monkeypatch.setattr("batch_conformance.cli.run.start_pytest", _noting(given))
    assert main(["recorded", "a.json", "b.har", "-q"]) == 0
    assert given[0][1:] == ["--batch-recorded", "a.json", "--batch-recorded", "b.har", "-q"]


def test_an_installed_suite_is_named_by_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel has no folder to name; a checkout has."""
    from batch_conformance.cli import run

    assert run.place_of("client")[-1].endswith("suites/client")
    monkeypatch.setattr(run, "contract_root", lambda: ROOT / "batch_conformance")
    assert run.place_of("client") == ["--pyargs", "batch_conformance.suites.client"]


def _noting(given: list[list[str]]) -> Callable[[list[str]], int]:
    def run(words: list[str]) -> int:
        given.append(words)
        return 0

    return run


# mutants


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["client.decode.id"], "id-as-asked"),
        (["server", "server.auth"], "list-without-key"),
        (["client", "*.fault.*"], "reset-crash"),
    ],
    ids=["a clause", "a theme of a side", "a pattern"],
)
def test_mutants_are_listed(words: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that break the clauses asked for, and no others."""
    assert main(["mutants", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    pattern = words[-1].strip("*")
    assert all(pattern in line for line in lines)
    assert any(line.startswith(f"{name} ") for line in lines)


def test_mutants_of_both_sides_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """With legal variations."""
    assert main(["mutants"]) == 0
    shown = capsys.readouterr().out
    assert "server.ok.status" in shown
    assert "client.decode.id" in shown
    assert "  legal" in shown


# explain


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_every_clause_is_explained(clause: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Promise, source, advice, and a mutant that breaks it."""
    assert main(["explain", clause.id]) == 0  # type: ignore[attr-defined]
    output = capsys.readouterr().out
    words = " ".join(output.split())
    assert clause.promise in words  # type: ignore[attr-defined]
    assert clause.source in words  # type: ignore[attr-defined]
    assert "  fix " in output
    assert all(len(line) <= 80 or "--batch-mutant" in line for line in output.splitlines())


def test_advice_comes_by_clause_theme_or_side() -> None:
    """New clauses get advice too; there is no advice for a clause that does not exist."""
    from batch_conformance.cli import explain

    ids = {clause.id for clause in CLAUSES}
    themes = {one.rpartition(".")[0] for one in ids} | {"server", "client"}
    assert set(explain._advice()) <= ids | themes
    assert not [one for one in ids if advice(one) in (advice("client"), advice("server"))]
    assert advice("server.auth.something-new") == advice("server.auth")
    assert advice("client.brand.new") == advice("client")


def test_decisions_are_shown_in_full() -> None:
    """All decisions that a source names are shown."""
    assert list(decisions_of("docs; decisions 1 and 2")) == [1, 2]
    assert "Absent, null and string are all legal" in decisions_of("decision 1")[1]
    assert decisions_of("page; RFC 9110, 8.3.1") == {}


def test_breaches_name_a_mutant_that_shows_them() -> None:
    """The command that shows the mutant is printed."""
    clause = load_contract().clauses["client.decode.unknown-fields"]
    assert breaches(clause)[-1].startswith("see it: batch-conformance client embedded --batch-mutant ")


def test_a_theme_lists_its_clauses(capsys: pytest.CaptureFixture[str]) -> None:
    """Users need not know the whole id of a clause."""
    assert main(["explain", "server.poll"]) == 0
    assert "server.poll.forward-only" in capsys.readouterr().out


# pytest --help


def test_pytest_help_shows_six_options(tmp_path: Path) -> None:
    """``--batch-help`` shows all of them."""
    from batch_conformance.plugin.options import FIRST, OPTIONS

    ended = run_module("pytest", tmp_path, "--help")
    output = set(re.findall(r"^  --batch-([a-z-]+)", ended.out, re.MULTILINE))
    assert output == FIRST
    assert len(FIRST) == 6
    everything = run_module("pytest", tmp_path, "--batch-help")
    assert set(re.findall(r"^  --batch-([a-z-]+)", everything.out, re.MULTILINE)) == {name for name, *_ in OPTIONS}
    assert "test session starts" not in everything.out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]\nbatch_operations = 'get'\n"),
        ("pytest.ini", "[pytest]\nbatch_operations = get\n"),
        ("setup.cfg", "[tool:pytest]\nbatch_operations = get\n"),
    ],
)
def test_the_settings_are_those_of_the_current_folder(name: str, text: str, tmp_path: Path) -> None:
    """Not those of the checkout that the suite runs from, which pytest would take; also from a folder below."""
    (tmp_path / name).write_text(text, "utf-8")
    below = tmp_path / "below"
    below.mkdir()
    for folder in (tmp_path, below):
        ended = command(folder, "server", "embedded", "-k", "[server.ok.json]")
        assert ended.status == 0, ended.text
        assert ended.report("reports/latest/partial")["run"]["operations"] == ["get"]
        assert f" -c {'../' if folder == below else ''}{name} --rootdir " in ended.err
    told = command(below, "server", "embedded", "-k", "[server.ok.json]", f"--rootdir={tmp_path}")
    assert " -c " not in told.err.splitlines()[0]


def test_a_file_of_the_settings_is_looked_up_beside_them(tmp_path: Path) -> None:
    """Also from a folder below; one of an option is looked up from there."""
    written(tmp_path, update("$.info", {"title": "x"}))
    (tmp_path / "pytest.ini").write_text("[pytest]\nbatch_overlay = overlay.json\n", "utf-8")
    below = tmp_path / "below"
    below.mkdir()
    ended = command(below, "server", "embedded", "-k", "[server.ok.json]")
    assert ended.status == 0, ended.text
    assert len(ended.report("reports/latest/partial")["contract"]["overlays"]) == 1
    refused = command(below, "server", "embedded", "--batch-overlay=overlay.json")
    assert refused.status == 4
    assert "overlay.json" in refused.text
