"""The lines that a red run prints work as printed: replay, explain, curl."""

from __future__ import annotations

import asyncio
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
import uvicorn

from batch_conformance.mutants.server import server_mutants
from batch_conformance.reference.serve import listening_socket
from batch_conformance.reference.store import REFERENCE_KEY
from tests.support.overlays import BATCH, update, written
from tests.support.running import SERVER, CompletedRun, run, run_module

#: A required member that an overlay adds, and a fault of it that the embedded server has built in.
REQUIRED = update(BATCH, {"required": ["priority"], "properties": {"priority": {"type": "integer"}}})
FAULT = "--batch-mutant=derived:/priority:required"


def _printed(ended: CompletedRun, name: str) -> list[str]:
    """Return the words after ``batch-conformance`` of a line of the closing summary."""
    line = next(line for line in ended.text.splitlines() if line.strip().startswith(f"{name}  "))
    return shlex.split(line.partition("batch-conformance ")[2])


def _command(folder: Path, *words: str, **variables: str) -> CompletedRun:
    return run_module("batch_conformance", folder, *words, **variables)


def test_the_lines_name_the_overlays_of_the_run(tmp_path: Path) -> None:
    """The clause is there in the edited contract alone; without the overlay, one line says what to add."""
    written(tmp_path, REQUIRED, name="next version.json")
    ended = run(tmp_path, SERVER, "--batch-overlay=next version.json", FAULT, "-k", "[server.body.priority]")
    assert ended.status == 1, ended.text
    assert ended.report("reports/latest/partial")["run"]["overlays"] == ["next version.json"]
    words = _printed(ended, "replay")
    again = _command(tmp_path, *words)
    assert (again.status, again.out.splitlines()[-1]) == (1, "server.body.priority: broken the same way.")
    assert "note: " not in again.out
    file = tmp_path / "next version.json"
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    assert "note: these are not the overlays of the run" in _command(tmp_path, *words).out
    told = _command(tmp_path, *words[:3])
    assert told.status == 4
    assert "had the contract edited by 'A change': add --overlay 'next version.json'" in told.err
    explained = _command(tmp_path, *_printed(ended, "explain"))
    assert explained.status == 0
    assert "promise     priority is an integer, required." in explained.out
    assert "mutant derived:/priority:required" in explained.out


def test_an_overlay_that_the_run_did_not_have_is_refused(tmp_path: Path) -> None:
    """The clauses and their checks would be others."""
    ended = run(tmp_path, SERVER, "--batch-mutant=id-number", "-k", "[server.body.id]")
    file = written(tmp_path, REQUIRED)
    again = _command(tmp_path, *_printed(ended, "replay"), "--batch-overlay", file.name)
    assert again.status == 4
    assert "had no overlay: leave out --overlay" in again.err


@contextmanager
def _over_tls(folder: Path, name: str) -> Iterator[str]:
    """Serve a mutant over TLS with a certificate of an authority of its own, which is written to ``ca.pem``."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    config = uvicorn.Config(
        server_mutants()[name].build(), log_level="critical", lifespan="off", ssl_certfile=folder / "server.pem"
    )
    server, listener = uvicorn.Server(config), listening_socket()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("option", ["--ca", "--batch-ca"])
def test_the_lines_name_the_certificates_to_trust(option: str, tmp_path: Path) -> None:
    """``replay`` takes the option under the name that it has for pytest, too."""
    with _over_tls(tmp_path, "id-number") as url:
        ended = run(
            tmp_path, SERVER, f"--batch-target={url}", "--batch-ca=ca.pem", "-k", "[server.body.id]",
            SYNC_API_KEY=REFERENCE_KEY,
        )  # fmt: skip
        assert ended.status == 1, ended.text
        words = [option if word == "--ca" else word for word in _printed(ended, "replay")]
        again = _command(tmp_path, *words, SYNC_API_KEY=REFERENCE_KEY)
    assert (again.status, again.out.splitlines()[-1]) == (1, "server.body.id: broken the same way."), again.text
    clause = next(clause for clause in ended.report("reports/latest/partial")["clauses"] if clause["evidence"])
    assert " --cacert ca.pem " in clause["evidence"][0]["curl"]
