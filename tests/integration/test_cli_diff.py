"""Comparing two reports (newly broken, fixed, excused), and ``--batch-baseline``."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.cli import main
from batch_conformance.report.changes import NotComparable, NoVerdict, compare_reports, kind_of_change
from batch_conformance.report.changes_text import changes_json, changes_lines, changes_markdown
from batch_conformance.report.document import report_document
from batch_conformance.report.files import write_document
from tests.support import samples
from tests.support.running import SERVER, run
from tests.support.samples import HOSTILE

OLD = report_document(samples.passing_server())
NEW = report_document(samples.failing_server())
VERDICTS = ("pass", "fail", "warn", "known-failure", "not-exercised", "error", None)


def with_verdicts(**changes: str) -> dict[str, Any]:
    """Return the passing report with some verdicts changed, by clause id."""
    document = copy.deepcopy(OLD)
    for entry in document["clauses"]:
        entry["verdict"] = changes.get(entry["id"], entry["verdict"])
    return document


def test_an_operation_that_a_run_did_not_ask_for_is_no_change_of_the_contract() -> None:
    """A note says that it was not asked for; what was broken there is named, and is not mended."""
    old, new = with_verdicts(), with_verdicts()
    old["run"]["operations"], new["run"]["operations"] = ["get", "list"], ["get"]
    for document, verdicts in ((old, {"get": "pass", "list": "pass"}), (new, {"get": "pass"})):
        for entry in document["clauses"]:
            entry["operations"] = dict(verdicts)
    before = old["clauses"][0]
    before["operations"]["list"] = before["verdict"] = "fail"
    forth, back = compare_reports(old, new), compare_reports(new, old)
    assert [(one.kind, one.name) for one in forth.changes] == [("no-longer-exercised", f"{before['id']} (list)")]
    assert [(one.kind, one.name) for one in back.changes] == [("newly-broken", f"{before['id']} (list)")]
    assert "the runs differ in operations: get,list, then get" in forth.notes


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("pass", "fail", "newly-broken"),
        ("known-failure", "fail", "newly-broken"),
        ("not-exercised", "fail", "newly-broken"),
        (None, "fail", "newly-broken"),
        ("warn", "fail", None),
        ("fail", "warn", None),
        ("pass", "warn", "new-warning"),
        ("fail", "known-failure", "excused"),
        ("pass", "known-failure", "excused"),
        ("fail", "pass", "mended"),
        ("warn", "pass", "mended"),
        ("known-failure", "pass", "mended"),
        ("fail", "not-exercised", "no-longer-exercised"),
        ("pass", "error", "no-longer-exercised"),
        ("not-exercised", "pass", "newly-exercised"),
        (None, "pass", "newly-exercised"),
        ("error", "pass", "newly-exercised"),
        ("pass", None, "no-longer-in-the-contract"),
        ("not-exercised", "error", None),
        (None, "not-exercised", None),
    ],
)
def test_each_change_of_verdict_has_a_kind(before: str | None, after: str | None, kind: str | None) -> None:
    """Each change is of one kind."""
    assert kind_of_change(before, after) == kind


def test_nothing_changed_is_no_change() -> None:
    """An unchanged verdict is no change, whatever the verdict is."""
    assert [kind_of_change(verdict, verdict) for verdict in VERDICTS] == [None] * len(VERDICTS)
    changes = compare_reports(NEW, NEW)
    assert changes.changes == ()
    assert not changes.broke
    assert set(changes.still_broken) == {one["id"] for one in NEW["clauses"] if one["evidence"]}


def test_only_what_is_newly_broken_breaks() -> None:
    """Fixed, excused and no longer exercised clauses do not."""
    assert compare_reports(OLD, NEW).broke
    assert not compare_reports(NEW, OLD).broke
    lost = with_verdicts(**{"server.auth.near-key": "not-exercised"})
    changes = compare_reports(OLD, lost)
    assert [row.clause for row in changes.of("no-longer-exercised")] == ["server.auth.near-key"]
    assert not changes.broke


def test_an_operation_can_be_newly_broken_where_the_clause_was_broken_before() -> None:
    """A clause that was broken for one operation does not hide that it is broken for another one now."""
    before, after = copy.deepcopy(NEW), copy.deepcopy(NEW)
    for document, verdict in ((before, "pass"), (after, "fail")):
        entry = next(one for one in document["clauses"] if one["id"] == "server.auth.near-key")
        entry["operations"] = {"get": "fail", "list": verdict}
    (row,) = compare_reports(before, after).of("newly-broken")
    assert (row.clause, row.operation, row.name) == (
        "server.auth.near-key",
        "list",
        "server.auth.near-key (list)",
    )


def test_reports_that_cannot_be_compared_are_refused() -> None:
    """Reports of different sides, and runs without a verdict."""
    client = report_document(samples.run("client", "c", "1"))
    with pytest.raises(NotComparable, match="the old report is of a server, the new one of a client"):
        compare_reports(OLD, client)
    with pytest.raises(NoVerdict, match="the new report has no verdict"):
        compare_reports(OLD, report_document(samples.unreachable_server()))


def test_other_differences_are_reported() -> None:
    """Subject, contract, profile, strictness."""
    other = copy.deepcopy(OLD)
    other["subject"]["name"] = "another"
    other["contract"]["sha256"] = "0" * 64
    other["run"]["profile"] = "quick"
    other["run"]["strict"] = True
    notes = " / ".join(compare_reports(OLD, other).notes)
    for words in ("different names", "contracts differ", "profile", "strict: off, then on"):
        assert words in notes
    assert compare_reports(OLD, copy.deepcopy(OLD)).notes == ()


def test_a_clause_that_a_contract_lacks_is_not_lost() -> None:
    """It is newly broken if it is broken, and removed if the new contract lacks it."""
    shorter = copy.deepcopy(OLD)
    shorter["clauses"] = [one for one in shorter["clauses"] if one["id"] != "server.auth.near-key"]
    assert [row.clause for row in compare_reports(shorter, NEW).of("newly-broken")].count("server.auth.near-key") == 1
    removed = compare_reports(OLD, shorter).of("no-longer-in-the-contract")
    assert [row.clause for row in removed] == ["server.auth.near-key"]


def test_hostile_text_is_escaped_in_every_format() -> None:
    """Text of the target comes in by way of the report."""
    hostile = copy.deepcopy(NEW)
    hostile["clauses"][0].update(
        verdict="fail", evidence=[{**hostile["clauses"][6]["evidence"][0], "message": HOSTILE}]
    )
    changes = compare_reports(OLD, hostile)
    lines = list(changes_lines(changes))
    assert not any(line.lstrip().startswith(("::", "##[")) for line in lines)
    assert all("\x1b" not in line and "\u202e" not in line for line in lines)
    assert "<script>" not in "\n".join(changes_markdown(changes))
    assert "<script>" not in changes_json(changes)


def test_json_has_each_kind_and_both_reports() -> None:
    """Other programs can read the output."""
    document = json.loads(changes_json(compare_reports(OLD, NEW)))
    assert document["diff"] == 1
    assert {row["clause"] for row in document["newly-broken"]} >= {"server.auth.near-key"}
    assert {row["before"] for row in document["newly-broken"]} == {"pass"}
    assert document["mended"] == []
    assert document["old"]["verdict"] == "pass"
    assert document["new"]["verdict"] == "fail"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Write two reports, ``old`` and ``new``."""
    write_document(OLD, tmp_path / "old")
    write_document(NEW, tmp_path / "new")
    return tmp_path


def test_status_is_1_only_for_newly_broken(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports are given by folder or by file."""
    assert main(["diff", str(reports / "old"), str(reports / "new" / "conformance.json")]) == 1
    assert "Newly broken" in capsys.readouterr().out
    assert main(["diff", str(reports / "new"), str(reports / "old")]) == 0
    assert "Mended" in capsys.readouterr().out
    assert main(["diff", str(reports / "new"), str(reports / "old"), "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("# ✓ Compared with")
    assert main(["diff", str(reports / "new"), str(reports / "old"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["newly-broken"] == []


def test_reports_that_cannot_be_compared_have_a_status_of_their_own(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """3 without a verdict, 4 for another side and for a file that is not a report."""
    write_document(report_document(samples.unreachable_server()), reports / "dead")
    write_document(report_document(samples.run("client", "c", "1")), reports / "client")
    (reports / "torn.json").write_text("{", "utf-8")
    old = str(reports / "old")
    assert main(["diff", old, str(reports / "dead")]) == 3
    assert main(["diff", old, str(reports / "client")]) == 4
    assert main(["diff", old, str(reports / "torn.json")]) == 4
    assert main(["diff", old, str(reports / "nowhere")]) == 4
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_a_baseline_goes_to_terminal_markdown_and_step_summary(tmp_path: Path) -> None:
    """The new report may replace the baseline; the verdict is that of the run."""
    first = run(tmp_path, SERVER, "--batch-profile=quick", "-q")
    assert first.status == 0, first.text
    baseline = "--batch-baseline=reports/latest/conformance.json"
    summary = tmp_path / "summary.md"
    second = run(
        tmp_path,
        SERVER,
        "--batch-profile=quick",
        "-q",
        "--batch-mutant=id-number",
        baseline,
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert second.status == 1
    assert "compared with the baseline:\n" in second.out
    assert "server.body.id (get)  (must; passed → failed)" in second.out
    markdown = (tmp_path / "reports/latest/conformance.md").read_text("utf-8")
    for text in (markdown, summary.read_text("utf-8")):
        assert "## ✗ Compared with reference server" in text
        assert "<code>server.body.id (get)</code> | must | passed | failed" in text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("nowhere.json", "--batch-baseline: there is no report nowhere.json"),
        ("torn.json", "is not JSON"),
        ("client.json", "--batch-baseline is a report of a client, and this run tests: server"),
        ("", "--batch-baseline is empty: give it a value, or leave it out"),
    ],
)
def test_a_wrong_baseline_is_wrong_usage(name: str, line: str, tmp_path: Path) -> None:
    """Status 4, before anything is sent."""
    (tmp_path / "torn.json").write_text("{", "utf-8")
    client = json.dumps(report_document(samples.run("client", "c", "1")))
    (tmp_path / "client.json").write_text(client, "utf-8")
    ended = run(tmp_path, SERVER, f"--batch-baseline={name}")
    assert ended.status == 4, ended.text
    assert line in ended.text
    assert not (tmp_path / "reports/latest/conformance.json").exists()


def test_a_clause_that_stays_broken_in_another_way_is_noted() -> None:
    """Failures are compared by code, place and operation, not by message, batch or list entry."""

    def broken(code: str, pointer: str, message: str) -> dict[str, Any]:
        document = copy.deepcopy(NEW)
        item = next(one for one in document["clauses"] if one["evidence"])["evidence"][0]
        item |= {"code": code, "pointer": pointer, "message": message}
        return document

    before = broken("type", "/0/id", "once")
    assert not compare_reports(before, broken("type", "/7/id", "worded anew")).notes
    [note] = compare_reports(before, broken("enum", "/7/status", "once")).notes
    assert note.endswith(" is still broken, and with failures that it did not have before: enum at /*/status")
