"""Discovery of batches by the list: a faulty list is checked, and does not end the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.target import embedded_target
from batch_conformance.server_runner.session import judge_server
from tests.support.hand_server import HandServer
from tests.support.judging import red, shown
from tests.support.overlays import remove, update, using


def _judged(app: Any) -> RunResult:
    """Test a server without named batches."""
    with embedded_target(app) as target:
        return judge_server(replace(target, batch_ids=(), stager=None), profile="quick")


def _listing(change: Callable[[Answer], None]) -> ReferenceServer:
    class Faulty(ReferenceServer):
        def list_batches(self, asked: Asked) -> Answer:
            answer = super().list_batches(asked)
            if answer.status == 200:
                change(answer)
            return answer

    return Faulty()


def _with_mark(answer: Answer) -> None:
    answer.body = b"\xef\xbb\xbf" + json.dumps(answer.body).encode()


def _created(answer: Answer) -> None:
    answer.status = 201


def _under_other_ids(answer: Answer) -> None:
    answer.body = [{**row, "id": f"x{row['id']}"} for row in answer.body]


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (_with_mark, "server.ok.json"),
        (_created, "server.ok.status"),
        (_under_other_ids, "server.ok.status"),
    ],
    ids=["a byte order mark", "another success status", "ids that Get does not know"],
)
def test_a_faulty_list_is_checked(change: Callable[[Answer], None], clause: str) -> None:
    """The fault is red; a run that could not start would not report it."""
    run = _judged(_listing(change))
    assert not run.error
    assert clause in red(run), shown(run)


def test_a_new_organisation_has_an_empty_list() -> None:
    """Get Batch is not exercised, the list is checked, and the plan still counts the requests."""
    server = _listing(lambda answer: setattr(answer, "body", []))
    totals: list[int] = []
    with embedded_target(server) as target:
        run = judge_server(replace(target, batch_ids=(), stager=None), expect=totals.append)
    assert (run.error, red(run)) == ("", set()), shown(run)
    assert len(totals) == 1


def test_a_body_that_is_no_json_is_reported_as_such() -> None:
    """The reason says why no batch was found."""
    run = _judged(_listing(_with_mark))
    reason = next(row.reason for row in run.results if row.clause.id == "server.notfound.unknown-id")
    assert reason.endswith("and a body that is no JSON: it begins with a byte order mark (RFC 8259, 8.1)")


@pytest.mark.parametrize(
    "action",
    [remove("$.security"), update("$.components.securitySchemes.apiKey", {"name": "x-sync-key"})],
    ids=["no key asked for", "another key header"],
)
def test_a_server_of_the_contract_without_overlays_is_judged(tmp_path: Path, action: dict[str, Any]) -> None:
    """Its responses break the edited contract: it is red, and not said to refuse the API key."""
    with using(tmp_path, action):
        run = _judged(HandServer())
    assert not run.error
    assert "server.ok.status" in red(run), shown(run)


def test_a_server_that_accepts_no_key_is_not_tested(tmp_path: Path) -> None:
    """What is said depends on whether the contract requires a key."""
    locked = HandServer(prefix="no such key ")
    assert "refuses the API key of SYNC_API_KEY (401 on GET /v2/batch)" in _judged(locked).error
    with using(tmp_path, remove("$.security")):
        assert "asks for a key (401 on GET /v2/batch), and the contract in use has none" in _judged(locked).error
