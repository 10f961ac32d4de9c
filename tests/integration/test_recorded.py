"""Recorded traffic: read from every format, checked for what it shows, and red for every clause that it can break."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseResult
from batch_conformance.contract import load_contract
from batch_conformance.recorded import NoSuchFiles, find_files, judge_recorded, recorded_needs
from batch_conformance.recorded.clauses import LIVE
from batch_conformance.recorded.files import sample_folder
from batch_conformance.report.files import write_reports
from tests.support.recordings import (
    BATCH,
    FORMATS,
    NOT_FOUND,
    RED,
    RecordedExchange,
    batch,
    har,
    plain_wrapper,
    vcrpy,
    wiremock,
    without,
)

Check = Callable[..., RunResult]


@pytest.fixture
def judge(tmp_path: Path) -> Check:
    """Return a function that writes files and checks them."""

    def judge(files: Mapping[str, str | bytes], *patterns: str, strict: bool = False) -> RunResult:
        for name, content in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return judge_recorded(patterns or ("**/*",), folder=tmp_path, strict=strict)

    return judge


def result(run: RunResult, clause: str) -> ClauseResult:
    """Return the result of a clause."""
    return next(row for row in run.results if row.clause.id == clause)


def broken(run: RunResult) -> set[str]:
    """Return the clauses that failed or warned."""
    return {row.clause.id for row in run.results if row.verdict in ("fail", "warn")}


def exercised(run: RunResult) -> set[str]:
    """Return the clauses that were exercised."""
    return {row.clause.id for row in run.results if row.verdict != "not-exercised"}


def test_a_redirect_away_from_a_slash_is_no_answer_of_the_api(judge: Check) -> None:
    """Frameworks send it, and it is allowed; one from the path itself is judged."""
    away = RecordedExchange("", 307, "/v2/batch/", headers={"Location": "/v2/batch"})
    run = judge({"a.har": har([RecordedExchange(), away])})
    assert broken(run) == set()
    assert broken(judge({"a.har": har([RecordedExchange(), replace(away, path="/v2/batch")])})) != set()


# Formats.


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_read(judge: Check, name: str) -> None:
    """A batch and an error in the file are found, checked, and conform."""
    write, _ = FORMATS[name]
    run = judge({name: write([RecordedExchange(), RecordedExchange(NOT_FOUND, 404, "/v2/batch/batch_x")])})
    assert (run.error, broken(run), run.requests) == ("", set(), 2)
    assert {"server.body.status", "server.body.metrics", "server.error.body"} <= exercised(run)
    assert run.verdict == "pass"


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_can_be_red(judge: Check, name: str) -> None:
    """Typical faults are red, with file and place."""
    write, place = FORMATS[name]
    run = judge(
        {
            f"sub/{name}": write(
                [
                    RecordedExchange(batch(status="completed")),
                    RecordedExchange({"statusCode": "404", "message": 1}, 404),
                ]
            )
        }
    )
    finding = result(run, "server.body.status").findings[0]
    assert finding.message.startswith(f"sub/{name}: {place}: ")
    assert finding.actual == '"completed"'
    assert result(run, "server.error.body").verdict == "fail"
    assert run.verdict == "fail"


@pytest.mark.parametrize("name", FORMATS)
def test_the_order_of_reads_counts_in_recordings_only(judge: Check, name: str) -> None:
    """A batch that moves back is red in a HAR file or a cassette; mocks have no order in time."""
    write, place = FORMATS[name]
    run = judge(
        {
            name: write(
                [
                    RecordedExchange(),
                    RecordedExchange(batch(status="PROCESSING", outputUrl=""), at="2024-01-15T10:31:00.000Z"),
                ]
            )
        }
    )
    ordered = place.startswith(("entry", "interaction "))
    assert ("server.poll.forward-only" in broken(run)) == ordered
    assert ("server.poll.final" in exercised(run)) == ordered


def test_a_batch_on_its_own_is_its_file(judge: Check) -> None:
    """The most common kind of mock; a byte order mark is ignored."""
    run = judge({"a.json": json.dumps(BATCH), "b.json": b"\xef\xbb\xbf" + json.dumps(BATCH).encode()})
    assert run.verdict == "pass"
    run = judge({"b.json": json.dumps(without("metrics"))})
    assert result(run, "server.body.metrics").findings[0].message == (
        "b.json: metrics of a COMPLETED batch: expected an object, got nothing: it is absent"
    )


# Each check, seen red.


def test_every_check_has_a_recording_that_breaks_it() -> None:
    """The exception is a clause that no recording can break, a promise of the suite itself."""
    assert RED.keys() == recorded_needs().keys() - {"server.body.open"}


@pytest.mark.parametrize("clause", RED)
@pytest.mark.parametrize("write", [har, vcrpy])
def test_each_check_is_seen_red(judge: Check, clause: str, write: Callable[[list[RecordedExchange]], str]) -> None:
    """Each clause that recordings can exercise can be broken by one."""
    recorded = [
        RecordedExchange(**(vars(row) | {"at": f"2024-01-15T10:3{at}:00Z"})) for at, row in enumerate(RED[clause])
    ]
    run = judge({"a.har" if write is har else "a.yaml": write(recorded)})
    assert clause in broken(run)
    assert clause not in broken(judge({"a.har" if write is har else "a.yaml": write([RecordedExchange()])}))


def test_clauses_that_recordings_cannot_show_say_so(judge: Check) -> None:
    """Every clause of the side is in the result once; those that need live requests say so."""
    run = judge({"a.har": har([RecordedExchange()])})
    assert [row.clause.id for row in run.results] == [row.id for row in load_contract().of_side("server")]
    for row in run.results:
        assert (row.clause.id in recorded_needs()) == (LIVE not in row.reason)
        assert row.verdict != "not-exercised" or row.reason


def test_should_clauses_fail_only_when_strict(judge: Check) -> None:
    """A 401 without a challenge warns."""
    recorded = {"a.har": har(RED["server.auth.challenge"])}
    assert result(judge(recorded), "server.auth.challenge").verdict == "warn"
    assert result(judge(recorded, strict=True), "server.auth.challenge").verdict == "fail"


# Facts that a file lacks are not held against it.


@pytest.mark.parametrize(
    ("clause", "content", "reason"),
    [
        ("server.ok.media-type", json.dumps(BATCH), "the answer's headers"),
        ("server.ok.status", json.dumps(BATCH), "the status or the request"),
        ("server.ok.json", json.dumps([BATCH]), "the body as it was sent"),
        ("server.error.media-type", json.dumps(NOT_FOUND), "the answer's headers"),
        ("server.error.status-agrees", json.dumps(NOT_FOUND), "the status"),
        (
            "server.auth.challenge",
            json.dumps({"message": "no", "statusCode": 401}),
            "the status or the answer's headers",
        ),
        ("server.poll.final", json.dumps([BATCH, BATCH]), "when they came"),
        ("server.ok.media-type", wiremock([RecordedExchange(headers={})]), "the answer's headers"),
        ("server.ok.media-type", har([RecordedExchange(headers={})]), "the answer's headers"),
    ],
)
def test_missing_facts_are_not_failures(judge: Check, clause: str, content: str, reason: str) -> None:
    """The clause is not exercised; the reason names the missing fact."""
    run = judge({"a.json": content})
    assert result(run, clause).verdict == "not-exercised"
    assert f"do not tell {reason}" in result(run, clause).reason
    assert run.verdict == "pass"


def test_a_bare_429_is_checked_by_its_body(judge: Check) -> None:
    """It is unknown whether there was a Retry-After."""
    assert judge({"a.json": '{"message": "slow down", "statusCode": 429}'}).verdict == "pass"
    run = judge({"a.json": '{"error": "slow down", "statusCode": 429}'})
    assert broken(run) == {"server.rate.429"}


def test_an_id_without_a_request_is_checked_by_its_type(judge: Check) -> None:
    """Bare bodies and mocks of any id have no requested id."""
    anything = RecordedExchange(path="/v2/batch/[^/?#]+")
    for content in (
        json.dumps(BATCH),
        wiremock([anything]),
        wiremock([RecordedExchange(batch(id="{{request.path.[2]}}"))]),
    ):
        assert result(judge({"a.json": content}), "server.body.id").verdict == "pass"
    run = judge({"a.json": json.dumps(batch(id=7))})
    assert result(run, "server.body.id").findings[0].expected == "a string, the id that was asked for"


def test_findings_show_requests_that_were_recorded_only(judge: Check) -> None:
    """A bare body has no curl line; a mock's path gets a placeholder for the base URL."""
    finding = result(judge({"a.json": json.dumps(batch(id=7))}), "server.body.id").findings[0]
    assert finding.exchange is None
    finding = result(judge({"a.json": wiremock([RecordedExchange(batch(id=7))])}), "server.body.id").findings[0]
    assert finding.exchange
    assert finding.exchange.request.url == "${BASE_URL}/v2/batch/batch_abc123"


@pytest.mark.parametrize("content", [{}, {"_file": "a1b2.json"}, {"text": None}])
def test_a_body_that_was_not_recorded_is_not_a_failure(judge: Check, content: dict[str, Any]) -> None:
    """HAR files may omit bodies, or have them in other files; the rest still counts."""
    log = json.loads(har([RecordedExchange(), RecordedExchange(NOT_FOUND, 404)]))
    for entry in log["log"]["entries"]:
        entry["response"]["content"] = {"size": 49, "mimeType": "application/json", **content}
    run = judge({"a.har": json.dumps(log)})
    assert run.verdict == "pass"
    assert {"server.ok.status", "server.ok.media-type", "server.error.documented-status"} <= exercised(run)
    assert "1 of 1 recordings do not tell the answer's body" in result(run, "server.body.status").reason


def test_a_media_type_beside_the_headers_counts(judge: Check) -> None:
    """The recorder of ``responses`` writes it like this."""
    row = {
        "url": RecordedExchange().url,
        "status": 200,
        "headers": {"X-A": "b"},
        "content_type": "text/plain",
        "body": json.dumps(BATCH),
    }
    assert broken(judge({"a.json": json.dumps([{"response": row}])})) == {"server.ok.media-type"}
    row["content_type"] = "application/json"
    assert not broken(judge({"a.json": json.dumps([{"response": row}])}))


@pytest.mark.parametrize("status", [500, 502, 503])
def test_server_errors_count_as_staged(judge: Check, status: int) -> None:
    """Mocks of a 5xx are intended, but must have the API's form."""
    run = judge({"a.har": har([RecordedExchange({"message": "no", "statusCode": status}, status)])})
    assert run.verdict == "pass"
    assert "server.error.body" in broken(judge({"a.har": har([RecordedExchange("<h1>Bad gateway</h1>", status)])}))


def test_reads_of_different_origins_are_different_batches(judge: Check) -> None:
    """Staging and production in one HAR file; overlapping reads have no order either."""
    first, second = RecordedExchange(), RecordedExchange(batch(status="PROCESSING"), at="2024-01-15T10:31:00Z")
    content = har([first, second]).replace(
        "https://api.sync.so/v2/batch/batch_abc123", "https://dev/v2/batch/batch_abc123", 1
    )
    assert "server.poll.forward-only" not in exercised(judge({"a.har": content}))
    run = judge({"a.har": har([first, RecordedExchange(batch(status="PROCESSING"), at="2024-01-15T10:30:00.020Z")])})
    assert "server.poll.forward-only" not in exercised(run)


def test_reports_of_the_suite_are_not_recordings(judge: Check, tmp_path: Path) -> None:
    """A glob that includes the report folder does not check old evidence."""
    write_reports(judge({"a.har": har([RecordedExchange(batch(status="done"))])}), tmp_path / "reports")
    assert judge({"a.har": har([RecordedExchange()])}, "**/*.har", "**/*.json").verdict == "pass"


# Other traffic is ignored.

_GENERATION = {
    "id": "batch-like",
    "createdAt": "2024-01-15T10:30:00Z",
    "created_at": "2024-01-15T10:30:00Z",
    "status": "COMPLETED",
    "model": "lipsync-2",
    "outputUrl": "x",
}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(_GENERATION),
        json.dumps({"id": 1, "status": "ok"}),
        json.dumps({"metrics": {"cpu": 1}, "status": "ok", "id": "host"}),
        json.dumps({"message": "hello"}),
        "[]",
        "3",
        plain_wrapper([RecordedExchange(path="/v2/generate/batch_1", body=NOT_FOUND, status=404)]),
        plain_wrapper([RecordedExchange(path="/v2/batch-of-another", body=BATCH)]),
        plain_wrapper([RecordedExchange(path="/v2/batches/batch_1/result")]),
        plain_wrapper([RecordedExchange(path="/v2/batch/batch_1/cancel")]),
        plain_wrapper([RecordedExchange(method="DELETE")]),
        har([RecordedExchange(method="OPTIONS", status=204, body="")]),
    ],
)
def test_traffic_other_than_get_batch_is_ignored(judge: Check, content: str) -> None:
    """Alone, there is nothing to check; beside a batch it is listed, not red."""
    run = judge({"a.json": content})
    assert run.verdict == "error"
    assert "1 file without an exchange of the API: a.json" in run.error
    run = judge({"a.json": content, "b.json": json.dumps(BATCH)})
    assert run.verdict == "pass"
    assert "1 file without an exchange of the API: a.json" in result(run, "server.auth.missing-key").reason
    assert run.subject.target == "**/* (1 exchange in 1 of 2 files)"


@pytest.mark.parametrize(("status", "why"), [(304, "is not the API's answer"), (0, "it has no answer")])
def test_exchanges_that_cannot_be_checked_are_set_aside(judge: Check, status: int, why: str) -> None:
    """Responses from a browser's cache and aborted requests are not the server's."""
    entry = json.loads(har([RecordedExchange(status=status), RecordedExchange()]))
    if not status:
        del entry["log"]["entries"][0]["response"]["content"]
    run = judge({"a.har": json.dumps(entry)})
    assert run.verdict == "pass"
    reason = result(run, "server.auth.missing-key").reason
    assert "set aside: a.har: entry 1 (" in reason
    assert why in reason


# Selection of files.


def test_globs_folders_and_exclusions(tmp_path: Path) -> None:
    """``**`` matches folders, a folder stands for its recordings, ``!`` excludes, other characters are literal."""
    for name in ("a.json", "sub/b.json", "sub/deep/c.har", "sub/[x].yaml", "sub/readme.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")

    def found(*patterns: str) -> list[str]:
        return [file.relative_to(tmp_path).as_posix() for file in find_files(patterns, tmp_path)]

    assert found("**/*.json") == ["a.json", "sub/b.json"]
    assert found("sub") == ["sub/[x].yaml", "sub/b.json", "sub/deep/c.har"]
    assert found("sub", "!sub/deep/*") == ["sub/[x].yaml", "sub/b.json"]
    assert found("sub/[x].yaml", "sub/[x].yaml") == ["sub/[x].yaml"]
    assert found(str(tmp_path / "*.json")) == ["a.json"]
    with pytest.raises(NoSuchFiles, match="matches no file"):
        found("a.json", "*.har")
    with pytest.raises(NoSuchFiles, match="leaves no file"):
        found("a.json", "!a.json")


# The suite's own samples.


def test_the_samples_exercise_everything(tmp_path: Path) -> None:
    """The samples are checked if there is no option: nothing is red, and all that recordings can show is exercised."""
    run = judge_recorded(folder=tmp_path)
    assert run.verdict == "pass"
    assert exercised(run) == set(recorded_needs())
    assert not broken(run)


def test_the_samples_are_those_of_the_contract() -> None:
    """The reference page's example, literally."""
    responses = load_contract().fragment["paths"]["/v2/batch/{id}"]["get"]["responses"]
    examples: dict[str, Any] = responses["200"]["content"]["application/json"]["examples"]
    sample = json.loads((sample_folder() / "batch-completed.json").read_text("utf-8"))
    assert sample == examples["completed"]["value"]


@pytest.mark.parametrize("odd", [[], {}, [[]], True, None, 1.5, "", "x", 10**400], ids=lambda odd: repr(odd)[:10])
@pytest.mark.parametrize("status", [200, 404])
def test_a_value_of_any_type_in_any_place_is_checked(judge: Check, status: int, odd: object) -> None:
    """It is right or wrong, but no crash."""
    plain: dict[str, Any] = BATCH if status == 200 else NOT_FOUND
    counts: dict[str, Any] = BATCH["metrics"]
    bodies = [plain | {name: odd} for name in plain] + [odd]
    bodies += [batch(metrics=counts | {name: odd}) for name in counts if status == 200]
    for body in bodies:
        run = judge({"a.json": plain_wrapper([RecordedExchange(), RecordedExchange(body, status)])})
        assert not run.error, body
        unjudged = {row.clause.id for row in run.results if row.verdict == "error"}
        # CEL has integers of 64 bits; a rule on larger ones never passes.
        ruled = {"server.body.metrics-sum", "server.body.completed-adds-up", "server.body.completed-none-pending"}
        assert unjudged <= (ruled if odd == 10**400 else set()), body
