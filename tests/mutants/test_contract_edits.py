"""Contract edits: each makes the subjects that do not follow it fail, and no others.

No Python is written for any edit.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.driver import DriverPool
from batch_conformance.client_runner.session import judge_client
from batch_conformance.contract import load_contract
from batch_conformance.mutants import variants
from batch_conformance.operations.get_batch.store import sample_store
from batch_conformance.reference.client import adapter
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.server_runner.session import judge_server
from batch_conformance.server_runner.target import resolve_target
from tests.support.answer_edits import ANSWER_CLIENT_EDITS, ANSWER_EDITS
from tests.support.client_edits import CLIENT_EDITS
from tests.support.edits import OLD, RUN, Edit
from tests.support.judging import judged_client, judged_server, red, shown
from tests.support.list_edits import LIST_CLIENT_EDITS, LIST_SERVER_EDITS
from tests.support.overlays import using
from tests.support.server_edits import SERVER_EDITS


@pytest.fixture(scope="module")
def old_server() -> Iterator[str]:
    """URL of the reference server in a process that has the unedited contract."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment.pop("SYNC_API_KEY", None)
    command = [sys.executable, "-m", "batch_conformance.reference", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.split("on ")[1].split(",")[0]
        process.terminate()


def _judged_old_server(url: str, operations: Sequence[str]) -> RunResult:
    target = resolve_target(
        url,
        start=Path(__file__).parent,
        batch_ids=list(sample_store().batches),
        environ={"SYNC_API_KEY": REFERENCE_KEY},
    )
    return judge_server(target, operations=operations)


def _clauses(edit: Edit) -> set[str]:
    """Return the clauses of an edit's themes and of decoding, without those whose cases take long."""
    themes = {".".join(clause.split(".")[:2]) + "." for clause in (*edit.red.values(), "client.decode.fields")}
    slow = ("client.auth.redirect", "client.auth.per-call")
    known = {clause.id for clause in load_contract().of_side("client") if clause.id not in slow}
    return {clause for clause in known if clause.startswith(tuple(themes))}


def _judged_client(edit: Edit, subject: str) -> RunResult:
    """Run a few cases per clause; if that shows no failure, all cases of the theme."""
    run = _played(subject, profile="quick", selected=_clauses(edit))
    if red(run) or subject in edit.green:
        return run
    theme = edit.red[subject].rpartition(".")[0]
    return _played(subject, selected={clause for clause in _clauses(edit) if clause.startswith(theme)})


def _played(subject: str, **options: Any) -> RunResult:
    if subject != OLD:
        return judged_client(variants("client", subject)[subject].adapter(), **options)
    pool = DriverPool(f"{shlex.quote(sys.executable)} -m batch_conformance.reference.client_driver", size=2)
    try:
        return judge_client(pool, **options)
    finally:
        pool.close()


def _assert_red(run: RunResult, clause: str, subject: str) -> None:
    found = red(run)
    if clause == RUN:
        assert run.error or found, f"{subject} is green"
        return
    assert not run.error, run.error
    hit = any(one == clause or (clause.endswith(".") and one.startswith(clause)) for one in found)
    assert hit, f"{subject}: {clause} is not red\n{shown(run)}"


def _assert_green(run: RunResult, subject: str) -> None:
    assert not run.error, f"{subject}: {run.error}"
    assert not red(run), f"{subject} is red\n{shown(run)}"


@pytest.mark.parametrize("edit", [*SERVER_EDITS, *LIST_SERVER_EDITS, *ANSWER_EDITS], ids=lambda edit: edit.name)
def test_servers_are_judged_by_the_edited_contract(edit: Edit, old_server: str, tmp_path: Path) -> None:
    """The embedded server passes, and each subject has the outcome that the edit states."""

    def judged(subject: str) -> RunResult:
        if subject == OLD:
            return _judged_old_server(old_server, edit.operations)
        variant = variants("server", subject)[subject]
        return judged_server(variant.build(), getattr(variant, "operations", None))

    with using(tmp_path, *edit.actions):
        _assert_green(judged_server(ReferenceServer()), "the embedded server")
        for subject, clause in edit.red.items():
            _assert_red(judged(subject), clause, subject)
        for subject in edit.green:
            _assert_green(judged(subject), subject)


@pytest.mark.parametrize("edit", [*CLIENT_EDITS, *LIST_CLIENT_EDITS, *ANSWER_CLIENT_EDITS], ids=lambda edit: edit.name)
def test_clients_are_judged_by_the_edited_contract(edit: Edit, tmp_path: Path) -> None:
    """The embedded client passes, and each subject has the outcome that the edit states."""
    with using(tmp_path, *edit.actions):
        _assert_green(judged_client(adapter, profile="quick", selected=_clauses(edit)), "the embedded client")
        for subject, clause in edit.red.items():
            _assert_red(_judged_client(edit, subject), clause, subject)
        for subject in edit.green:
            _assert_green(_judged_client(edit, subject), subject)


def test_there_are_many_kinds() -> None:
    """Both sides have many edits, each with a subject that must fail."""
    assert len(SERVER_EDITS) + len(CLIENT_EDITS) >= 60
    assert all(edit.red for edit in (*SERVER_EDITS, *LIST_SERVER_EDITS, *ANSWER_EDITS))
    assert all(edit.red for edit in (*CLIENT_EDITS, *LIST_CLIENT_EDITS, *ANSWER_CLIENT_EDITS))
