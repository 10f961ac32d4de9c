"""The report document: complete, ordered, redacted, bounded, and written atomically."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseResult, ClauseVerdict
from batch_conformance.contract import Side, load_contract, schema_violations
from batch_conformance.http import Exchange, Failure, Intent, Request, Response
from batch_conformance.report import files
from batch_conformance.report.document import (
    BODY_LIMIT,
    EVIDENCE_LIMIT,
    ReportBug,
    check_document,
    report_document,
)
from batch_conformance.report.files import (
    MalformedReport,
    ReportNotWritten,
    prepare_folder,
    read_report,
    write_reports,
)
from batch_conformance.report.labels import WORDS, counts, sentence
from tests.support import samples

CLAUSES = len(load_contract().of_side("server"))

SIDES: tuple[Side, ...] = get_args(Side)
RUNS = {
    "failing": samples.failing_server(),
    "passing": samples.passing_server(),
    "unreachable": samples.unreachable_server(),
    "hostile server": samples.hostile_run("server"),
    "hostile client": samples.hostile_run("client"),
    **{f"{run.subject.name} {run.subject.version}": run for run in samples.client_runs()},
}


@pytest.fixture(params=list(RUNS.values()), ids=list(RUNS))
def run(request: pytest.FixtureRequest) -> RunResult:
    """Return each sample in turn."""
    made: RunResult = request.param
    return made


def one(finding: Finding, verdict: ClauseVerdict = "fail") -> dict[str, Any]:
    """Return the report's entry of a clause with this one finding."""
    clause: dict[str, Any] = report_document(
        samples.run("server", "x", "1", {"server.ok.status": (verdict, "", [finding])})
    )["clauses"][0]
    return clause


def answered(body: bytes) -> Finding:
    """Return a finding whose response has this body."""
    return Finding("m", "e", "a", samples.exchange(200, body))


def test_conforms_to_its_schema_and_names_every_clause_once_in_order(run: RunResult) -> None:
    """Other tools rely on the schema, and a missing clause could be taken for a passed one."""
    document = json.loads(files.render_json(report_document(run)))
    assert list(schema_violations("report", document)) == []
    assert [clause["id"] for clause in document["clauses"]] == [
        clause.id for clause in load_contract().of_side(run.subject.side)
    ]
    assert document["verdict"] == run.verdict


@pytest.mark.parametrize("side", SIDES)
def test_clauses_that_were_not_checked_are_reported_as_such(side: Side) -> None:
    """A run of one clause reports on all of them."""
    made = samples.run(side, "x", "1")
    made.results = made.results[3:4]
    document = report_document(made)
    others = [clause for clause in document["clauses"] if clause["verdict"] != "pass"]
    assert len(others) == len(document["clauses"]) - 1
    assert {(clause["verdict"], clause["reason"]) for clause in others} == {
        ("not-exercised", "not selected in this run")
    }


def test_an_interrupted_run_and_one_that_could_not_start_say_why() -> None:
    """Neither may look as if the user had selected clauses."""
    interrupted = replace(samples.passing_server(), results=[], incomplete=True)
    assert report_document(interrupted)["clauses"][0]["reason"] == "not reached: the run was interrupted"
    assert report_document(interrupted)["run"]["incomplete"] is True
    unreachable = report_document(samples.unreachable_server())
    assert "connection refused" in unreachable["run"]["error"]
    assert all("connection refused" in clause["reason"] for clause in unreachable["clauses"])
    assert unreachable["verdict"] == "error"


def test_a_clause_twice_or_of_the_other_side_is_a_report_bug() -> None:
    """It must not be reported as a verdict."""
    twice = samples.passing_server()
    twice.results.append(twice.results[0])
    with pytest.raises(ReportBug, match=r"internal error: server.ok.status has two results"):
        report_document(twice)
    stray = samples.passing_server()
    clause = load_contract().of_side("client")[0]
    stray.results.append(ClauseResult(clause, "pass"))
    with pytest.raises(ReportBug, match=f"not clauses of the server side: {clause.id}"):
        report_document(stray)


def test_a_failure_without_evidence_is_a_report_bug(tmp_path: Path) -> None:
    """The document is validated before anything is written."""
    made = samples.run("server", "x", "1", {"server.ok.status": ("fail", "", [])})
    with pytest.raises(ReportBug, match=r"^internal error: .*clauses/0/evidence"):
        write_reports(made, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_member_names_are_those_of_the_interface() -> None:
    """The member names are documented."""
    document = report_document(samples.failing_server())
    assert document["report"] == 1
    assert document["suite"].keys() == {"name", "version"}
    assert document["contract"].keys() == {"version", "sha256", "overlays"}
    assert document["subject"] == {
        "side": "server",
        "name": "acme-batch",
        "version": "1.4.2",
        "target": samples.TARGET,
    }
    assert {"started", "seconds", "requests", "profile", "seed", "strict"} <= document["run"].keys()
    assert {"id", "level", "title", "verdict", "reason", "exchanges", "evidence"} <= document["clauses"][0].keys()
    evidence = next(clause["evidence"][0] for clause in document["clauses"] if clause["evidence"])
    assert {"message", "expected", "actual", "request", "response", "curl"} <= evidence.keys()


def test_evidence_shows_the_exchange_with_its_key_named_and_a_line_that_repeats_it() -> None:
    """A reader can reproduce the failure from it."""
    clause = next(
        clause
        for clause in report_document(samples.failing_server())["clauses"]
        if clause["id"] == "server.auth.near-key"
    )
    item = clause["evidence"][0]
    assert item["request"]["headers"][-1] == ["x-api-key", "[api-key without its last character]"]
    assert item["response"]["status"] == 200
    assert item["outcome"] == "200 OK"
    assert item["notes"] == ["key without its last character"]
    assert item["curl"].startswith("curl -sS -i --path-as-is -H 'x-api-key: '\"${SYNC_API_KEY%?}\" https://")


def test_no_response_is_null_and_says_what_happened_instead() -> None:
    """A response that ended early has the failure beside its received part."""
    reset = samples.exchange(None, failure=Failure("reset", "connection reset by peer"))
    item = one(Finding("m", "e", "a", reset))["evidence"][0]
    assert item["response"] is None
    assert item["outcome"] == "no response (connection reset by peer)"
    early = samples.exchange(200, b"{", failure=Failure("truncated", "40 of 90 bytes"))
    assert one(Finding("m", "e", "a", early))["evidence"][0]["response"]["failure"] == "40 of 90 bytes"
    assert one(Finding("m", "e", "a"))["evidence"][0]["request"] is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b'{"a": "\xc3\xa9"}', '{"a": "é"}', id="utf-8"),
        pytest.param(b"\xff\xfe{", "\\xff\\xfe{", id="not utf-8"),
        pytest.param(b"a\x00\x1b[2Jb\x7f", "a\\x00\\x1b[2Jb\\x7f", id="control characters"),
        pytest.param(
            "\u202eevil\u2066 \u200b\ufeff\u2028".encode(),
            "\\u202eevil\\u2066 \\u200b\\ufeff\\u2028",
            id="format",
        ),
        pytest.param("\ud800".encode("utf-8", "surrogatepass"), "\\xed\\xa0\\x80", id="surrogate"),
        pytest.param(b"a\r\nb\tc\rd", "a\nb\tc\\rd", id="lines"),
        pytest.param("\U000e0041".encode(), "\\U000e0041", id="tag character"),
    ],
)
def test_bodies_are_readable_and_nothing_in_them_is_invisible(body: bytes, text: str) -> None:
    """A report shows the wrong byte, and invisible characters are escaped."""
    assert one(answered(body))["evidence"][0]["response"]["body"] == text


def test_huge_content_is_cut_with_a_note() -> None:
    """Evidence stays readable, whatever the target sends."""
    body = one(answered(b"x" * 1_000_000))["evidence"][0]["response"]["body"]
    assert body == "x" * BODY_LIMIT + " […cut: 8,192 of 1,000,000 bytes shown]"
    request = Request("GET", "http://a/" + "y" * 100_000, tuple(("h", "z" * 5000) for _ in range(500)))
    huge = Exchange(1, Intent("p", "i", "hostile", "valid"), request, Response(200, ()))
    item = one(Finding("m" * 9999, "e" * 9999, "a" * 9999, huge))["evidence"][0]
    assert item["curl"].startswith("# this request is too long for a command line: ")
    assert item["request"]["headers"][-1] == ["…", "and 440 more headers"]
    assert len(json.dumps(item)) < 120_000
    assert all("cut: 2,048 of 9,999" in item[member] for member in ("message", "expected", "actual"))


def test_a_cut_never_leaves_half_a_key() -> None:
    """Redaction is done before cutting."""
    body = one(answered(b"x" * (BODY_LIMIT - 10) + samples.KEY.encode() + b"y"))["evidence"][0]["response"]["body"]
    assert samples.KEY[:6] not in body


def test_evidence_beyond_the_limit_is_counted() -> None:
    """The first ten are shown."""
    many = [Finding(f"number {index}", "e", "a") for index in range(25)]
    clause = report_document(samples.run("server", "x", "1", {"server.ok.json": ("fail", "", many)}))["clauses"][2]
    assert len(clause["evidence"]) == EVIDENCE_LIMIT
    assert clause["evidence_omitted"] == 15


def test_a_request_that_no_command_line_can_carry_still_gets_its_report() -> None:
    """A lone surrogate cannot be encoded."""
    request = Request("GET", "http://a/\ud800", ())
    proof = Exchange(1, Intent("p", "i", "hostile", "valid"), request, None)
    assert one(Finding("m", "e", "a", proof))["evidence"][0]["curl"].startswith("# ")


def test_password_in_the_target_is_not_shown() -> None:
    """The redactor only knows the key, not other secrets in a URL."""
    made = samples.run("server", "x", "1", target="https://user:pass@host:81/v?to=me@home")
    assert report_document(made)["subject"]["target"] == "https://[userinfo]@host:81/v?to=me@home"


def test_every_verdict_has_a_summary() -> None:
    """One sentence for all outputs."""
    document = report_document(samples.failing_server())
    assert counts(document) == {"fail": 5, "warn": 2, "known-failure": 1, "not-exercised": 3, "pass": CLAUSES - 11}
    assert sentence(document) == (
        f"Of {CLAUSES} clauses: 5 failed, 2 warnings, 1 known failure, 3 not exercised, {CLAUSES - 11} passed."
    )
    assert sentence(report_document(samples.passing_server())) == f"All {CLAUSES} clauses passed."
    assert sentence(report_document(samples.unreachable_server())) == f"None of the {CLAUSES} clauses was exercised."


def test_every_verdict_has_a_label() -> None:
    """A new verdict must get a label."""
    assert WORDS.keys() == set(get_args(ClauseVerdict))


def test_writes_its_files_and_reads_them_back(run: RunResult, tmp_path: Path) -> None:
    """The folder may not exist yet, or have older files."""
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        written = write_reports(run, folder)
    assert sorted(path.name for path in written) == [
        "badge.json",
        "badge.svg",
        "conformance.html",
        "conformance.json",
        "conformance.md",
    ]
    assert sorted(folder.iterdir()) == sorted(written)
    assert read_report(folder / "conformance.json") == report_document(run)


def test_a_failed_write_leaves_the_old_reports_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No temporary file is left either."""
    write_reports(samples.passing_server(), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(self), None, str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ReportNotWritten, match="No space left on device"):
        write_reports(samples.failing_server(), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/self/reports"])
def test_an_unwritable_folder_gives_one_line(place: str, tmp_path: Path) -> None:
    """It is detected before the run, or when writing. The place is unwritable even for root."""
    (tmp_path / "file").write_text("")
    folder = tmp_path / place
    for attempt in (
        partial(prepare_folder, folder),
        partial(write_reports, samples.passing_server(), folder),
    ):
        with pytest.raises(ReportNotWritten) as raised:
            attempt()
        assert isinstance(raised.value, OSError)
        assert str(raised.value).startswith(f"reports cannot be written to {folder}")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "excerpt"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff", "is not UTF-8 (byte 0)"),
        (b"[" * 100_000, "is not JSON"),
        (b"null", "is not a report of this suite, at the top"),
        (b'{"report": 2}', "is not a report of this suite, at "),
        (b'{"report": 1, "\x1b[2J": 1}', "is not "),
    ],
)
def test_a_malformed_report_is_refused_with_file_place_and_remedy(content: bytes, excerpt: str, tmp_path: Path) -> None:
    """The matrix reads files of other people."""
    path = tmp_path / "conformance.json"
    path.write_bytes(content)
    with pytest.raises(MalformedReport) as raised:
        read_report(path)
    message = str(raised.value)
    assert message.startswith(f"{path} {excerpt}")
    assert "remove it" in message
    assert message.isprintable()


def test_invisible_characters_are_escaped_on_reading(tmp_path: Path) -> None:
    """A report from elsewhere may contain anything."""
    document = report_document(samples.failing_server())
    document["subject"]["name"] = "evil\x1b[2J\u202e"
    (tmp_path / "conformance.json").write_text(json.dumps(document))
    assert read_report(tmp_path / "conformance.json")["subject"]["name"] == "evil\\x1b[2J\\u202e"


def test_checking_a_document_says_where_it_is_wrong() -> None:
    """Developers who change the schema see the place."""
    document = report_document(samples.passing_server())
    document["clauses"][2]["verdict"] = "maybe"
    with pytest.raises(ReportBug, match="clauses/2/verdict: 'maybe' is not one of"):
        check_document(document)
