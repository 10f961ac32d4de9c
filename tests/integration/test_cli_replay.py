"""Replaying the requests of a finding, and holding the stub on one response."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from batch_conformance.checks.client.record import Unconstrained
from batch_conformance.cli import main
from batch_conformance.client_runner.cases import PROFILES, listed_cases
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.cases.recipe import answer_from, calls_from, case_recipe
from batch_conformance.client_runner.stub import answers
from batch_conformance.contract import current_contract
from batch_conformance.generate.keys import near_keys, other_places
from batch_conformance.http import Intent, Redactor, Request
from batch_conformance.http.recipe import (
    LIMIT,
    NotRepeatable,
    request_from,
    request_recipe,
    text_from,
    text_recipe,
)
from batch_conformance.mutants.client import client_mutants
from batch_conformance.mutants.server import server_mutants
from batch_conformance.reference.embedded import serving_embedded
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY, REVOKED_KEY
from batch_conformance.reference.target import embedded_target
from batch_conformance.report.document import check_document, report_document
from batch_conformance.report.files import write_document
from batch_conformance.report.replaying import evidence_replay
from batch_conformance.server_runner.replay import replay_requests
from batch_conformance.server_runner.session import judge_server
from batch_conformance.server_runner.target import resolve_target
from tests.support.judging import judged_client
from tests.support.running import ROOT, environment, run_module

KEY = "sk-live-planted/7Qv+9x=Zk3LmN0pR"
KEYS = {"SYNC_API_KEY": REFERENCE_KEY, "OTHER_API_KEY": OTHER_KEY, "REVOKED_API_KEY": REVOKED_KEY}
INTENT = Intent("reads", "batch_1", "known", "valid", "an ordinary read")
#: Findings of each kind: the response itself, a derived key, a wrong place, a method, a reused connection, staged.
MUTANTS = {
    "id-number": "server.body.id",
    "key-prefix-of-valid": "server.auth.near-key",
    "connection-remembers-key": "server.auth.every-request",
    "lookup-before-auth": "server.auth.before-lookup",
    "error-500-html": "server.error.body",
    "429-html": "server.rate.429",
    "304-to-any-tag-first": "server.auth.before-lookup",
    "list-after-ignored": "server.list.created-after",
    "list-status-inverted": "server.list.status",
    "list-of-everybody": "server.list.other-org",
}
#: Entries that a filter omits only show between two whole lists, so the second one is requested too.
COMPARED = {"list-status-inverted", "list-after-ignored"}


def judged(name: str, profile: str = "quick") -> dict[str, Any]:
    """Return the report on a mutant of the embedded server."""
    mutant = server_mutants()[name]
    with embedded_target(mutant.build()) as target:
        document = report_document(judge_server(target, profile=profile, operations=mutant.operations))
    check_document(document)
    return document


def evidence(document: dict[str, Any], clause: str) -> dict[str, Any]:
    """Return the first piece of evidence on a clause."""
    entry = next(one for one in document["clauses"] if one["id"] == clause)
    item: dict[str, Any] = entry["evidence"][0]
    return item


# Requests as data.


def secret(kind: str, name: str) -> str:
    """Return the secret that a piece of these tests names."""
    return {"env SYNC_API_KEY": KEY, "key half": KEY[:10]}[f"{kind} {name}"]


SECRETS = {KEY: {"env": "SYNC_API_KEY"}, KEY[:10]: {"key": "half"}}
REDACTOR = Redactor({KEY: "[api-key]", KEY[:10]: "[half]"})


@pytest.mark.parametrize(
    "text",
    ["", "plain", KEY, f"Bearer {KEY}", KEY + KEY, KEY[:10] + "x", "\u00e9\udcff\x00 \u202e", "k" * 16_000]
    + [value for rows in other_places(KEY, current_contract().operation("get")).values() for _, value in rows],
)
def test_a_text_is_restored_from_a_recipe_without_secrets(text: str) -> None:
    """Plain, in base64, with a prefix."""
    pieces = text_recipe(text, SECRETS, REDACTOR)
    written = json.dumps(pieces)
    assert KEY not in written
    assert KEY[:10] not in written
    assert REDACTOR.text(written) == written
    assert written.isascii()
    assert text_from(json.loads(written), secret) == text


def test_a_key_in_a_query_is_restored_percent_encoded() -> None:
    """The request is sent as it was in the run."""
    url = "http://127.0.0.1/v2/batch/b?key=sk-live-planted%2F7Qv%2B9x%3DZk3LmN0pR"
    request = Request("GET", url, (("x-api-key", KEY), ("X-Odd", "\udcff")), b"\xff\x00")
    recipe = request_recipe(request, INTENT, SECRETS, REDACTOR)
    assert "planted" not in json.dumps(recipe)
    assert request_from(json.loads(json.dumps(recipe)), secret) == (request, INTENT)


@pytest.mark.parametrize("text", ["x" * (LIMIT + 1), KEY.encode().hex()])
def test_texts_without_a_recipe_are_left_out(text: str) -> None:
    """A secret in an unknown form, and a text that is too long."""
    with pytest.raises(NotRepeatable):
        text_recipe(text, SECRETS, REDACTOR)


@pytest.mark.parametrize("piece", [{"shell": "$(id)"}, {"env": "A", "key": "b"}, 1, {"bytes": "%%%"}, {}])
def test_a_report_from_elsewhere_cannot_name_anything_else(piece: object) -> None:
    """Nothing is executed, and only the variables are read that the caller allows."""
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        text_from([piece], secret)


# Servers.


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    """Return the reports on the mutants."""
    return {name: judged(name) for name in MUTANTS}


@pytest.mark.parametrize(("name", "clause"), MUTANTS.items(), ids=list(MUTANTS))
def test_a_finding_is_broken_the_same_way_again(name: str, clause: str, documents: dict[str, dict[str, Any]]) -> None:
    """Broken by the mutant again, and not by the reference server."""
    item = evidence(documents[name], clause)
    assert 1 <= len(item["replay"]["requests"]) <= 6
    for app, outcomes in ((server_mutants()[name].build(), {"same"}), (ReferenceServer(), {"kept"})):
        with embedded_target(app) as target:
            done = replay_requests(target, clause, item, seed=0, secrets=KEYS, timeout=5)
        assert done.outcome in outcomes
        assert len(done.exchanges) == len(item["replay"]["requests"]) + (name in COMPARED)


def test_a_batch_that_is_no_longer_listed_is_not_called_broken(tmp_path: Path) -> None:
    """The list named it, and then Get Batch did not know it; a fixed list names it no more."""

    class NamesAStranger(ReferenceServer):
        def answer(self, asked: Asked) -> Answer:
            answer = super().answer(asked)
            if isinstance(answer.body, list) and answer.body and b"=" not in asked.query:
                stranger = {**answer.body[0], "id": "batch_of_another"}
                return replace(answer, body=[stranger, *answer.body])
            return answer

    outcomes = []
    with serving_embedded(NamesAStranger()) as url:
        target = resolve_target(url, start=tmp_path, environ={"SYNC_API_KEY": REFERENCE_KEY})
        run = judge_server(target, profile="quick", selected=["server.ok.status"])
        item = evidence(report_document(run), "server.ok.status")
        again = replay_requests(target, "server.ok.status", item, seed=0, secrets=KEYS, timeout=5)
        outcomes.append(again.outcome)
    with serving_embedded(ReferenceServer()) as url:
        target = resolve_target(url, start=tmp_path, environ={"SYNC_API_KEY": REFERENCE_KEY})
        outcomes.append(replay_requests(target, "server.ok.status", item, seed=0, secrets=KEYS, timeout=5).outcome)
    assert item["message"].startswith("a read of the known batch 'batch_of_another', which the list names,")
    assert outcomes == ["same", "gone"]


def test_a_fault_of_concurrent_requests_is_not_called_fixed() -> None:
    """Sequential requests cannot show a fault of concurrent ones."""
    item = evidence(judged("key-of-another-request", "default"), "server.auth.every-request")
    with embedded_target(ReferenceServer()) as target:
        done = replay_requests(target, "server.auth.every-request", item, seed=0, secrets=KEYS, timeout=5)
    assert done.outcome == "unlike"


def test_no_report_contains_a_key(documents: dict[str, dict[str, Any]]) -> None:
    """No variant of a key is in a report either."""
    variants = [
        near.value for near in near_keys(REFERENCE_KEY, "SYNC_API_KEY", 0) if near.value and len(near.value) > 8
    ]
    for document in documents.values():
        replays = json.dumps([item.get("replay") for entry in document["clauses"] for item in entry["evidence"]])
        assert [variant for variant in [REFERENCE_KEY, OTHER_KEY, REVOKED_KEY, *variants] if variant in replays] == []


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """Return a report on a server that is still running."""
    monkeypatch.setenv("MY_KEY", REFERENCE_KEY)
    with ExitStack() as stack:
        url = stack.enter_context(serving_embedded(server_mutants()["key-prefix-of-valid"].build()))
        target = resolve_target(url, start=tmp_path, api_key_env="MY_KEY", batch_ids=["batch_abc123"])
        clauses = ["server.auth.near-key", "server.ok.status"]
        write_document(report_document(judge_server(target, profile="quick", selected=clauses)), tmp_path / "out")
        yield tmp_path / "out", url


def test_the_command_sends_again_and_shows_no_key(live: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """The key comes from the variable that the run used; status 1, since the clause is broken again."""
    assert main(["replay", str(live[0]), "server.auth.near-key#1"]) == 1
    output = capsys.readouterr().out
    assert f"> GET {live[1]}/v2/batch/batch_abc123" in output
    assert "> x-api-key: [the key without its last character]" in output
    assert "< 200 OK" in output
    assert output.endswith("server.auth.near-key: broken the same way.\n")
    assert REFERENCE_KEY[:-1] not in output


def test_only_the_given_target_gets_the_requests(live: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0: that one refuses the key."""
    with serving_embedded(ReferenceServer()) as url:
        assert main(["replay", str(live[0]), "server.auth.near-key", "--target", url]) == 0
    output = capsys.readouterr().out
    assert f"> GET {live[1]}" not in output
    assert output.endswith("not broken this time.\n")


def test_a_target_that_is_gone_is_status_3(live: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why."""
    assert (
        main(
            [
                "replay",
                str(live[0]),
                "server.auth.near-key",
                "--target",
                "http://127.0.0.1:9",
                "--timeout",
                "1",
            ]
        )
        == 3
    )
    assert "the connection failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere.json", "server.auth.near-key"], "there is no report nowhere.json"),
        (["OUT", "server.auth.near-kye"], "did you mean server.auth.near-key"),
        (["OUT", "server.auth.near-key#0"], "write the number of a piece of evidence after #, from 1"),
        (["OUT", "server.auth.near-key#99"], "pieces of evidence on server.auth.near-key, not 99"),
        (["OUT", "server.ok.status"], "has no evidence on server.ok.status (pass); there is some for server."),
        (["OUT", "client.auth.header"], "this is a report of a server, which has no clause client.auth.header"),
        (["OUT", "server.auth.near-key", "--mutant", "nosuch"], "unknown mutant 'nosuch'"),
        (["OUT", "server.auth.near-key", "--api-key-env", "UNSET_KEY"], "set the environment variable UNSET_KEY"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_wrong_usage(
    arguments: list[str], line: str, live: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, status 4."""
    assert main(["replay", *(str(live[0]) if word == "OUT" else word for word in arguments)]) == 4
    assert line in capsys.readouterr().err


def test_an_older_report_cannot_be_replayed(live: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line says so; the same holds for a report with invalid data."""
    path = live[0] / "conformance.json"
    document = json.loads(path.read_text("utf-8"))
    item = evidence(document, "server.auth.near-key")
    document["suite"]["version"] = "0.0.9"
    path.write_text(json.dumps(document), "utf-8")
    assert main(["replay", str(path), "server.auth.near-key"]) == 1
    assert "the report was made by version 0.0.9, this is " in capsys.readouterr().out
    item["replay"]["requests"][0]["url"] = [{"shell": "$(id)"}]
    path.write_text(json.dumps(document), "utf-8")
    assert main(["replay", str(path), "server.auth.near-key"]) == 4
    assert "its requests cannot be reproduced" in capsys.readouterr().err
    del item["replay"]
    path.write_text(json.dumps(document), "utf-8")
    assert main(["replay", str(path), "server.auth.near-key"]) == 4
    assert "cannot be replayed" in capsys.readouterr().err


# Clients.


def test_responses_are_restored_unchanged() -> None:
    """The recipe keeps all features of responses, and echoed keys."""
    responses = (
        answers.batch().chunked(3),
        answers.batch().cut_off(20),
        answers.silence(),
        answers.raw(b"\xff\x00nonsense"),
        answers.redirect(302, "{other}/v2/batch/x").delayed(0.5),
        *[answers.error(503)] * 3,
        answers.error(401, f"the key {KEY} is wrong").dripping(every=0.2),
    )
    case = Case(
        "a case",
        ("client.auth.not-in-errors",),
        (CallStep("batch/é", Unconstrained(), responses),),
        elsewhere=responses[:1],
    )
    recipe = case_recipe(case, {KEY: {"key": "api-key"}}, Redactor({KEY: "[api-key]"}))
    assert recipe is not None
    written = json.dumps(recipe)
    assert "planted" not in written
    (call,) = calls_from(json.loads(written))
    assert call.batch_id == "batch/é"
    assert tuple(answer_from(row, lambda *_: KEY) for row in call.answers) == responses
    assert len(json.loads(written)["calls"][0]["answers"]) == 7


def test_every_case_can_be_replayed() -> None:
    """Nothing in it is taken for a secret; only cases with long bodies cannot be stored."""
    cases = listed_cases(CaseFactory(0), PROFILES["default"])
    lost = [case for case in cases if case_recipe(case, {}, Redactor({})) is None]
    assert [case.title for case in lost if not any(_is_long(case))] == []
    assert len(lost) * 20 < len(cases)


def test_calls_made_at_the_same_time_can_be_replayed() -> None:
    """The evidence has the answers of both calls, and says that they belong together."""
    run = judged_client(client_mutants()["keys-first-wins"].adapter(), profile="sketch")
    findings = [finding for result in run.results for finding in result.findings if "at once" in finding.message]
    recipes = [evidence_replay(finding, run) for finding in findings]
    assert recipes
    for recipe in recipes:
        assert recipe is not None
        assert recipe["together"]
        assert len({call.batch_id for call in calls_from(recipe)}) == 2


def test_a_call_to_replay_names_its_operation_and_filters() -> None:
    """The caller's arguments, without those that were not given."""
    cases = listed_cases(CaseFactory(0), PROFILES["default"])
    case = next(one for one in cases if one.clauses[0] == "client.list.offset")
    recipe = case_recipe(case, {}, Redactor({}))
    assert recipe is not None
    words = {call.words for call in calls_from(json.loads(json.dumps(recipe)))}
    assert all(one.startswith("list_batches(") and "created_" in one and "None" not in one for one in words), words


def _is_long(case: Case) -> Iterator[bool]:
    return (len(answer.body) > LIMIT for step in case.asks for answer in step.answers)


def test_the_stub_runs_until_ctrl_c(tmp_path: Path) -> None:
    """It responds as in the run, prints the requests, and ends with status 0."""
    mutant = next(one for one in client_mutants().values() if one.clause == "client.decode.unknown-fields")
    command = [sys.executable, "-m", "batch_conformance"]
    settings = environment(PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1")
    arguments = [
        "client",
        "embedded",
        "--batch-mutant",
        mutant.name,
        "--batch-profile=quick",
        "-q",
        "-k",
        "unknown-fields",
    ]
    run_module("batch_conformance", tmp_path, *arguments)
    replay = ["replay", "reports/latest/partial", "client.decode.unknown-fields#1"]
    with subprocess.Popen([*command, *replay], cwd=tmp_path, env=settings, stdout=subprocess.PIPE, text=True) as held:
        try:
            assert held.stdout is not None
            head = ""
            while "until Ctrl-C" not in head:
                line = held.stdout.readline()
                assert line, head
                head += line
            url = re.search(r"^base URL  (\S+)$", head, re.MULTILINE)
            batch = re.search(r"get_batch\(batch_id='(\w+)'\), any key", head)
            assert url
            assert batch
            answer = httpx.get(f"{url[1]}/v2/batch/{batch[1]}", headers={"x-api-key": "sk-mine"}, trust_env=False)
            assert answer.status_code == 200
            assert answer.json()["id"] == batch[1]
            assert len(answer.json()) > 6, "the unknown member is there"
            assert held.stdout.readline() == f"  GET /v2/batch/{batch[1]} -> 200\n"
        finally:
            os.kill(held.pid, signal.SIGINT)
        assert held.wait(20) == 0
