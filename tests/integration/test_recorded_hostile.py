"""Recordings that are broken, hostile or full of secrets: clear errors, no crash, no leak."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_conformance.checks.result import RunResult
from batch_conformance.contract import contract_root
from batch_conformance.recorded import judge_recorded, parts, reading
from batch_conformance.report.document import check_document, report_document
from batch_conformance.report.files import write_reports
from tests.support.recordings import BATCH, NOT_FOUND, RecordedExchange, batch, har, nock, vcrpy, wiremock
from tests.support.running import CompletedRun, run

GOOD = json.dumps(BATCH)


def judged(folder: Path, **files: str | bytes) -> RunResult:
    """Check files given by name; two underscores stand for the dot."""
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content.encode() if isinstance(content, str) else content)
    return judge_recorded(["*"], folder=folder)


# Unreadable files.

_TWO_STATUSES = har([RecordedExchange()]).replace('"status": 200', '"status": 200, "status": 404')
_TWO_REQUESTS = wiremock([RecordedExchange()]).replace('"response"', '"request": {}, "response"')
_NO_BASE64 = har([RecordedExchange()]).replace('"mimeType"', '"encoding": "base64", "mimeType"')


@pytest.mark.parametrize(
    ("name", "content", "excerpt"),
    [
        ("a.json", "", "a.json: it is empty"),
        ("a.json", "  \n", "a.json: it is empty"),
        ("a.json", '{"id": ', "a.json: it is not JSON: Expecting value at line 1, column 8"),
        ("a.json", GOOD + GOOD, "a.json: it is not JSON: Extra data at line 1, column"),
        ("a.json", '{"id": NaN}', "a.json: it is not JSON: it holds NaN"),
        ("a.json", b"\x89PNG\r\n\x1a\n\0\0", "a.json: it is not text: byte 8 is NUL"),
        ("a.json", b'{"id": "\xff"}', "a.json: it is not UTF-8 at byte 8"),
        ("a.json", "[" * 100_000, "a.json: it is nested too deeply to be read"),
        ("a.json", '{"a":' * 100_000, "a.json: it is nested too deeply to be read"),
        ("a.yaml", "[" * 100_000, "a.yaml: it is nested too deeply to be read"),
        ("a.yaml", "- " * 100_000, "a.yaml: it is nested too deeply to be read"),
        ("a.yaml", "a: [1", "a.yaml: it is not YAML that can be read: did not find expected"),
        ("a.yaml", "a: 1\nb: 2\na: 3", "a.yaml: it is not YAML that can be read: a name stands twice"),
        ("a.yaml", "a: &x {b: 1}\nc: {<<: *x}", "a.yaml: it is not YAML that can be read: merge keys"),
        ("a.yaml", "a: \x07", "a.yaml: it is not YAML: a character that is not allowed at position 3"),
        ("a.yaml", "a: !!int x", "a.yaml: it is not YAML that can be read"),
        ("a.yaml", "a: 1\n---\nb: 1", "a.yaml: it is not YAML that can be read: but found another document"),
        ("a.har", GOOD, "a.har: it is not a HAR file: there is no log with entries"),
        ("a.har", '{"log": {"entries": {}}}', "a.har: it is not a HAR file: log.entries is not an array"),
        ("a.har", '{"log": {"entries": [3]}}', "a.har: entry 1 is not an object"),
        ("a.har", '{"log": {"entries": [{"request": {}}]}}', "a.har: entry 1 has no response"),
        ("a.yaml", "interactions: {a: 1}", "a.yaml: it is not a cassette: its interactions are not a list"),
        ("a.yaml", "interactions: [{response: {}}]", "a.yaml: interaction 1 has no request"),
        ("a.json", _TWO_STATUSES, "a.json: entry 1: response: 'status' stands twice"),
        ("a.json", _TWO_REQUESTS, "a.json: mappings[0]: 'request' stands twice"),
        ("a.har", _NO_BASE64, "a.har: entry 1: a body that should be base64 is not"),
        ("a.yaml", "a: !binary é", "a.yaml: it is not YAML that can be read: no base64"),
    ],
)
def test_an_unreadable_file_is_named_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, excerpt: str
) -> None:
    """One line with file, place and remedy; nothing passes, but faults in other files are still shown."""
    run = judged(tmp_path, good__json=GOOD, **{name.replace(".", "__"): content})
    assert run.verdict == "error"
    assert excerpt in run.error
    assert run.error.startswith("a file cannot be read: ")
    assert "--batch-recorded '!FILE'" in run.error
    assert "\n" not in run.error
    assert {row.verdict for row in run.results} == {"error", "not-exercised"}
    run = judged(tmp_path, worse__json=json.dumps(batch(status="done")))
    assert [row.clause.id for row in run.results if row.verdict == "fail"] == ["server.body.status"]
    assert run.verdict == "error"


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only the content of a file can be wrong."""
    (tmp_path / "a.json").write_text(GOOD)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "a.json: it cannot be read: Permission denied" in judge_recorded(["a.json"], folder=tmp_path).error


def test_files_and_bodies_that_are_too_big_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, bodies in them, and bodies that are large after decompression."""
    for module in (reading, parts):
        monkeypatch.setattr(module, "BODY_LIMIT", 100_000)
    bomb = base64.b64encode(gzip.compress(b" " * 1_000_000)).decode()
    run = judged(
        tmp_path,
        a__json=wiremock([RecordedExchange("TO COME")]).replace('"body": "TO COME"', f'"base64Body": "{bomb}"'),
    )
    assert "a.json: mappings[0]: a body has more than 100,000 bytes" in run.error
    shared = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    mock = "request: {method: GET, url: /v2/batch/x}\nresponse: {status: 200, body: {lol: *a11}}\n"
    laughs = f"lol:\n{shared}\n{mock}"
    (tmp_path / "a.json").unlink()
    assert "a body in it has more than 100,000 bytes" in judged(tmp_path, a__yaml=laughs).error
    (tmp_path / "a.yaml").unlink()
    monkeypatch.setattr(reading, "FILE_LIMIT", 100)
    assert "a.json: it has 101 bytes, and no more than 100 are read" in judged(tmp_path, a__json="x" * 101).error


def test_aliases_and_recursion_are_visited_once(tmp_path: Path) -> None:
    """YAML can be recursive, and can repeat a value a thousand million times."""
    shared = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    run = judged(tmp_path, a__yaml=f"{shared}me: &me [*me]\nbatch: {GOOD}\n")
    assert (run.verdict, run.requests) == ("pass", 1)


def test_tags_are_read_as_data(tmp_path: Path) -> None:
    """No tag leads to a call."""
    run = judged(
        tmp_path,
        a__yaml=f"x: !!python/object/apply:os.mkdir [{tmp_path}/owned]\ny: !ruby/object:X {{}}\nb: {GOOD}",
    )
    assert run.verdict == "pass"
    assert not (tmp_path / "owned").exists()


def test_duplicate_names_within_a_body_are_a_failure_of_the_body(tmp_path: Path) -> None:
    """They are checked as part of the body, also if the body is a JSON string."""
    twice = GOOD[:-1] + ', "status": "FAILED"}'
    for content in (
        twice,
        f"[{twice}]",
        wiremock([RecordedExchange("TO COME")]).replace('"body": "TO COME"', f'"jsonBody": {twice}'),
    ):
        run = judged(tmp_path, a__json=content)
        assert run.verdict == "pass"
        assert [row.clause.id for row in run.results if row.verdict == "warn"] == ["server.ok.unique-names"]


def test_deep_bodies_do_not_crash(tmp_path: Path) -> None:
    """A body as deep as the parser allows; exchanges are only searched for near the top."""
    for depth in (20, 200, 800):
        run = judged(tmp_path, a__json=f'{{"id": "batch_1", "metrics": {"[" * depth}{"]" * depth}}}')
        assert run.verdict in ("fail", "error")
    run = judged(tmp_path, a__json="[" * 50 + GOOD + "]" * 50)
    assert "without an exchange of the API" in run.error


_NAMES = st.sampled_from(
    [
        "id",
        "created_at",
        "status",
        "metrics",
        "outputUrl",
        "webhookUrl",
        "message",
        "statusCode",
        "errorCode",
        "request",
        "response",
        "url",
        "path",
        "method",
        "headers",
        "body",
        "jsonBody",
        "base64Body",
        "json",
        "data",
        "text",
        "content",
        "encoding",
        "string",
        "base64_string",
        "log",
        "entries",
        "interactions",
        "http_interactions",
        "startedDateTime",
        "time",
        "scope",
        "rawHeaders",
        "reqheaders",
        "code",
        "reason",
        "name",
        "value",
        "equalTo",
    ]
)
_TEXTS = st.sampled_from(
    ["batch_1", "GET", "/v2/batch/x", "https://[::1/v2/batch/x", "200 OK", "200", "COMPLETED", "", "base64", "gzip",
     "\ud800", "Content-Type", "content-encoding", "deflate", "2024-01-15T10:30:00Z", "{}", "404"]
)  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.sampled_from([0, 1, 200, 404, 429, 500, -1, 10**400, 1.5, 1e300]) | _TEXTS
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=40,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_VALUES)
def test_any_file_content_gets_a_verdict(tmp_path: Path, value: Any) -> None:
    """Any JSON value made of the formats' keywords is read, checked and reported without a crash."""
    run = judged(tmp_path, a__json=json.dumps(value), b__har=json.dumps({"log": {"entries": [value]}}))
    assert run.verdict in ("pass", "fail", "error")
    check_document(report_document(run))


# Secrets.

_KEY, _SHORT, _BEARER, _SESSION = (
    "sk-live-PLANTED+/1234567",
    "k3y",
    "PLANTED.bearer.token",
    "PLANTEDsession0123",
)
_SIGNED = "PLANTEDsignature0123"
_SENT = {
    "X-Api-Key": _KEY,
    "authorization": f"Bearer {_BEARER}",
    "Cookie": f"theme=dark; sid={_SESSION}",
    "X-Auth-Token": _SHORT,
}
_LEAKY = [
    RecordedExchange(
        {"message": f"key {_KEY} of {_BEARER} refused", "statusCode": "401", "echo": _SESSION},
        401,
        path=f"/v2/batch/batch_1?api_key={_KEY}&token={_SIGNED}",
        headers={"Content-Type": "text/plain", "Set-Cookie": f"sid={_SESSION}; Path=/"},
        sent=_SENT,
    ),
    RecordedExchange(
        batch(status="done", outputUrl=f"https://s3/x?X-Amz-Signature={_SIGNED}&y=1", id=_KEY), sent=_SENT
    ),
]
_PLANTED = (_KEY, _BEARER, _SESSION, _SIGNED, base64.b64encode(_KEY.encode()).decode(), "PLANTED")


@pytest.mark.parametrize(("name", "write"), [("a.har", har), ("a.yaml", vcrpy), ("a.json", nock), ("b.json", wiremock)])
def test_secrets_reach_no_report(tmp_path: Path, name: str, write: Any) -> None:
    """No secret leaks from headers, URLs, cookies or echoes in a body; short ones not from their own places."""
    (tmp_path / name).write_text(write(_LEAKY))
    run = judge_recorded([name], folder=tmp_path)
    assert run.verdict == "fail"
    for file in write_reports(run, tmp_path / "out"):
        text = file.read_text("utf-8")
        assert not [secret for secret in _PLANTED if secret in text]
        assert f'"{_SHORT}"' not in text
    document = json.loads((tmp_path / "out" / "conformance.json").read_text("utf-8"))
    evidence = next(row for row in document["clauses"] if row["id"] == "server.error.body")["evidence"][0]
    assert ["X-Api-Key", "[api-key]"] in evidence["request"]["headers"]
    assert '"${SYNC_API_KEY}"' in evidence["curl"]


def test_public_values_are_shown(tmp_path: Path) -> None:
    """A challenge is public; userinfo in a URL is not."""
    headers = {"Content-Type": "text/plain", "WWW-Authenticate": 'ApiKey realm="batch"'}
    content = har([RecordedExchange(NOT_FOUND, 404, headers=headers)]).replace("https://api", "https://me:hunter2@api")
    run = judged(tmp_path, a__har=content)
    document = json.dumps(report_document(run))
    assert "ApiKey realm=" in document
    assert "hunter2" not in document


# The command line.


def pytest_run(folder: Path, *arguments: str) -> CompletedRun:
    """Run the suite in ``folder`` as a user does."""
    return run(folder, "-q", "-p", "no:xdist", *arguments)


def flat(text: str) -> str:
    """Return the terminal's text without line breaks."""
    return " ".join(text.replace("│", " ").split())


SUITE = str(contract_root() / "suites" / "recorded")


def test_the_command_line_from_red_to_green(tmp_path: Path) -> None:
    """Globs relative to the working directory, exit statuses, reports, and no secret anywhere."""
    fixtures = tmp_path / "tests" / "fixtures" / "deep"
    fixtures.mkdir(parents=True)
    (fixtures / "a.json").write_text(nock(_LEAKY))
    glob = ("--batch-recorded", "tests/fixtures/**/*.json")
    ended = pytest_run(tmp_path, SUITE, *glob)
    assert ended.status == 1, ended.out
    assert "tests/fixtures/deep/a.json: [0]: " in ended.out
    assert not [secret for secret in _PLANTED if secret in ended.text]
    report = json.loads((tmp_path / "reports" / "latest" / "conformance.json").read_text("utf-8"))
    assert report["subject"]["side"] == "server"
    assert report["subject"]["name"] == "recorded traffic"

    (fixtures / "a.json").write_text(json.dumps([BATCH, NOT_FOUND]))
    (fixtures / "b.json").write_text("{}")
    ended = pytest_run(tmp_path, SUITE, *glob)
    assert ended.status == 0, ended.out
    assert "1 file without an exchange of the API: tests/fixtures/deep/b.json" in flat(ended.out)

    (fixtures / "c.json").write_text("{")
    ended = pytest_run(tmp_path, SUITE, *glob)
    assert ended.status == 3, ended.out
    assert "tests/fixtures/deep/c.json: it is not JSON" in flat(ended.out)
    ended = pytest_run(tmp_path, SUITE, *glob, "--batch-recorded", "!**/c.json")
    assert ended.status == 0, ended.out


def test_the_command_line_without_anything_to_check(tmp_path: Path) -> None:
    """A missing file is wrong usage; without an exchange the run cannot start. Both give one line."""
    ended = pytest_run(tmp_path, SUITE, "--batch-recorded", "*.json")
    assert ended.status == 4, ended.out
    assert f"ERROR: '*.json' matches no file in {tmp_path} (--batch-recorded)" in ended.err
    (tmp_path / "a.json").write_text("{}")
    ended = pytest_run(tmp_path, SUITE, "--batch-recorded", "*.json")
    assert ended.status == 3, ended.out
    assert "1 file without an exchange of the API: a.json" in flat(ended.out)
    assert "1 failed" in ended.out


def test_beside_a_server_there_are_two_verdicts(tmp_path: Path) -> None:
    """The reports do not overwrite each other; an ini setting works as the option does."""
    (tmp_path / "a.json").write_text(json.dumps(batch(status="done")))
    ini = tmp_path / "pytest.ini"
    ini.write_text("[pytest]\nbatch_recorded = 'a.json'\n")
    ended = pytest_run(tmp_path, "-c", str(ini), SUITE, str(Path(SUITE).parent / "server"), "--batch-profile", "quick")
    assert ended.status == 1, ended.out
    verdicts = {
        kind: json.loads((tmp_path / "reports" / "latest" / kind / "conformance.json").read_text("utf-8"))["verdict"]
        for kind in ("server", "recorded")
    }
    assert verdicts == {"server": "pass", "recorded": "fail"}
