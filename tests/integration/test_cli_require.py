"""``--batch-require``: clauses that were not exercised fail, and a pattern that matches nothing is wrong usage."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from batch_conformance.plugin import required
from batch_conformance.plugin.options import Options, UsageProblem
from batch_conformance.plugin.subjects import Kind
from batch_conformance.reference.embedded import serving_embedded
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.store import REFERENCE_KEY
from tests.support.running import SERVER, CompletedRun, run

QUICK = ("--batch-profile=quick", "-q")


def judged(folder: Path, *arguments: str) -> CompletedRun:
    """Run against a server that is not embedded, so that clauses on another organisation's key are not exercised."""
    with serving_embedded(ReferenceServer()) as url:
        return run(folder, SERVER, *QUICK, f"--batch-target={url}", *arguments, SYNC_API_KEY=REFERENCE_KEY)


def test_what_is_required_and_not_exercised_fails(tmp_path: Path) -> None:
    """The reason is shown; clauses that are not required are unchanged."""
    ended = judged(tmp_path, "--batch-require=server.body.*, server.auth.other-org", "--batch-require", "server.ok.*")
    assert ended.status == 1, ended.text
    verdicts = ended.verdicts()
    assert verdicts["server.auth.other-org"] == "fail"
    assert verdicts["server.auth.revoked-key"] == "not-exercised"
    assert [clause for clause, verdict in verdicts.items() if verdict == "fail"] == ["server.auth.other-org"]
    assert "required by --batch-require, and not exercised" in ended.out
    assert ended.report()["verdict"] == "fail"


def test_what_is_required_and_exercised_changes_nothing(tmp_path: Path) -> None:
    """Status 0."""
    ended = judged(tmp_path, "--batch-require=server.body.*,server.ok.*")
    assert ended.status == 0, ended.text


def options_with(*patterns: str) -> Options:
    """Return the options that matter here."""
    return cast("Options", SimpleNamespace(require=patterns, require_told=True))


@pytest.mark.parametrize(
    ("kind", "pattern", "line"),
    [
        (
            "server",
            "server.autth.*",
            "'server.autth.*' matches no clause of the contract; did you mean server.auth.*",
        ),
        (
            "server",
            "server.auth",
            "'server.auth' matches no clause of the contract; did you mean 'server.auth.*'?",
        ),
        ("server", "server.auth.*,,server.ok.*", "has an empty pattern"),
        ("server", "client.*", "'client.*' names clauses of a client, and this run tests: server"),
        ("recorded", "client.*", "'client.*' names clauses of a client, and this run tests: recorded"),
        ("client", "server.auth.*", "'server.auth.*' names clauses of a server, and this run tests: client"),
    ],
)
def test_wrong_patterns_are_explained(kind: Kind, pattern: str, line: str) -> None:
    """One line with a suggestion."""
    with pytest.raises(UsageProblem) as problem:
        required.check(options_with(pattern), [kind])
    assert line in str(problem.value)


def test_wrong_patterns_are_wrong_usage(tmp_path: Path) -> None:
    """The run ends before anything is sent."""
    for pattern, line in {"server.auth": "matches no clause", "": "--batch-require is empty"}.items():
        ended = run(tmp_path, SERVER, f"--batch-require={pattern}")
        assert ended.status == 4, ended.text
        assert line in ended.text
    assert not (tmp_path / "reports/latest/conformance.json").exists()


def test_workers_do_not_let_a_pattern_of_the_other_side_pass(tmp_path: Path) -> None:
    """The controlling process only learns at the end which sides were tested."""
    pytest.importorskip("xdist")
    ended = run(tmp_path, SERVER, *QUICK, "-n", "1", "--batch-require=client.auth.*")
    assert ended.status == 4, ended.text
    assert "names clauses of a client, and this run tests: server" in ended.text


def test_clauses_that_were_not_selected_count_on_the_command_line_only(tmp_path: Path) -> None:
    """The ini file holds for all runs, partial ones included; it may also name clauses of the other side."""
    theme = (SERVER, "-k", "server.ok")
    ended = run(tmp_path, *theme, *QUICK, "--batch-require=server.auth.missing-key")
    assert ended.status == 1, ended.text
    assert "not selected in this run" in ended.text
    ended = run(tmp_path, *theme, *QUICK, "-o", "batch_require=server.auth.missing-key,client.auth.*")
    assert ended.status == 0, ended.text
    ended = run(tmp_path, *theme, *QUICK, "-o", "batch_require=server.nothing.*")
    assert ended.status == 4, ended.text
