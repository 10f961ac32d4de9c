"""``--batch-trace``: all exchanges of both sides as HAR, without keys."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult, Subject
from batch_conformance.client_runner.session import keys_of_run
from batch_conformance.http import Exchange, Failure, Intent, Redactor, Request, Response
from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY, REVOKED_KEY
from batch_conformance.report.har import BODY_LIMIT, har_page, har_text
from tests.support.running import CLIENT, SERVER, CompletedRun, run

KEY = "sk-live-planted/7Qv+9x=Zk3LmN0pR"


def traced(response: Response | None, *, failure: Failure | None = None, url: str = "http://h/v2/batch/b") -> Any:
    """Return the HAR entry of one exchange, read back from the file."""
    exchange = Exchange(
        1,
        Intent("reads", "b", "known", "valid", "a\u202eb"),
        Request("GET", url, (("x-api-key", KEY),)),
        response,
        failure,
        1.0,
        1.25,
    )
    result = RunResult(
        Subject("server", "acme", "1", "http://h"),
        started="2026-11-26T10:00:00+00:00",
        redactor=Redactor({KEY: "[api-key]"}),
        exchanges=[exchange],
    )
    text = har_text([har_page(result, "server")])
    assert text.isascii()
    assert "planted" not in text
    return json.loads(text)["log"]["entries"][0]


def test_an_entry_has_what_developer_tools_need() -> None:
    """HAR 1.2: times, status, headers, content, query."""
    entry = traced(
        Response(200, (("Content-Type", "application/json"),), b'{"a":1}', "OK"),
        url=f"http://h/b?q=1&k={KEY}",
    )
    assert entry["startedDateTime"] == "2026-11-26T10:00:00.000+00:00"
    assert entry["time"] == entry["timings"]["wait"] == 250
    assert entry["request"]["method"] == "GET"
    assert entry["request"]["headers"] == [{"name": "x-api-key", "value": "[api-key]"}]
    assert entry["request"]["queryString"][0] == {"name": "q", "value": "1"}
    assert entry["response"]["status"] == 200
    assert entry["response"]["content"] == {"size": 7, "mimeType": "application/json", "text": '{"a":1}'}


def test_a_missing_response_is_written_as_browsers_do() -> None:
    """Status 0, with the reason."""
    entry = traced(None, failure=Failure("reset", "the connection broke"))
    assert entry["response"]["status"] == 0
    assert entry["response"]["_error"] == "the connection broke"


def test_binary_bodies_are_kept() -> None:
    """They are written in base64; a key among them is redacted all the same."""
    content = traced(Response(200, (), b"\xff\x00" + KEY.encode()))["response"]["content"]
    assert content["encoding"] == "base64"
    assert base64.b64decode(content["text"]) == b"\xff\x00[api-key]"


def test_a_long_body_is_cut_with_a_note() -> None:
    """A key at the cut is redacted too."""
    body = b"x" * (BODY_LIMIT - 20) + KEY.encode() + b"y" * 100
    content = traced(Response(200, (), body))["response"]["content"]
    assert content["comment"].startswith("cut: ")
    assert len(content["text"]) <= BODY_LIMIT
    assert "sk-live" not in content["text"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> CompletedRun:
    """A run of both sides."""
    return run(
        tmp_path_factory.mktemp("trace"),
        SERVER,
        CLIENT,
        "--batch-profile=quick",
        "-q",
        "--batch-trace=deep/all.har",
    )


def test_both_sides_go_into_one_file_and_no_key_does(both: CompletedRun) -> None:
    """A page for each side; as many entries as the server run had requests, passed clauses included."""
    assert both.status == 0, both.text
    text = (both.folder / "deep" / "all.har").read_text("utf-8")
    log = json.loads(text)["log"]
    assert log["version"] == "1.2"
    assert [page["id"] for page in log["pages"]] == ["server", "client"]
    sent = [entry for entry in log["entries"] if entry["pageref"] == "server"]
    assert len(sent) == both.report("reports/latest/server")["run"]["requests"]
    assert len([entry for entry in log["entries"] if entry["pageref"] == "client"]) > 50
    for key in (REFERENCE_KEY, OTHER_KEY, REVOKED_KEY, *keys_of_run(0)):
        assert key not in text


def test_the_suite_can_read_its_own_trace(both: CompletedRun, tmp_path: Path) -> None:
    """The trace can be read like any other HAR file."""
    del tmp_path
    ended = run(
        both.folder,
        str(Path(SERVER).parent / "recorded"),
        "-q",
        "--batch-recorded=deep/all.har",
        "--batch-report=again",
    )
    assert ended.status in (0, 1), ended.text
    assert (both.folder / "again" / "conformance.json").exists()


def test_a_place_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    """The run ends before anything is sent."""
    (tmp_path / "file").write_text("", "utf-8")
    ended = run(tmp_path, SERVER, "--batch-trace=file/all.har")
    assert ended.status == 4, ended.text
    assert "cannot be written to" in ended.text
