"""A run with known failures is never shown as fully green, and a stale entry is not the subject's failure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseVerdict
from batch_conformance.client_runner.open import open_adapter
from batch_conformance.client_runner.session import judge_client
from batch_conformance.known_failures import (
    Expected,
    KnownFailure,
    KnownFailures,
    apply_known_failures,
    seen_of,
)
from batch_conformance.known_failures.patterns import patterns_of
from batch_conformance.reference.client import adapter, hello
from batch_conformance.report.badge import render_badge
from batch_conformance.report.comparison import Column, Comparison
from batch_conformance.report.document import check_document, report_document
from batch_conformance.report.github import annotation_lines
from batch_conformance.report.html import render_html
from batch_conformance.report.markdown import render_markdown
from batch_conformance.report.matrix_html import render_matrix
from batch_conformance.report.terminal import render_terminal
from tests.support import samples

CLAUSE = "server.body.id"
BROKEN = (Finding("id of a COMPLETED batch", "a string", "null", code="type", pointer="/id"),)
AMBER = "#8a5a00"


def _run(clauses: Mapping[str, ClauseVerdict]) -> RunResult:
    return samples.run("server", "acme", "1", {one: (verdict, "", BROKEN) for one, verdict in clauses.items()})


def _known(*clauses: str, code: str = "type") -> KnownFailures:
    entries = (
        KnownFailure(number, clause, (Expected(code, "/id"),), "why", "https://a.example/1", date(9999, 1, 1))
        for number, clause in enumerate(clauses, 1)
    )
    return KnownFailures("known.toml", tuple(entries))


def _document(run: RunResult, known: KnownFailures) -> dict[str, Any]:
    document = report_document(apply_known_failures(run, known, today=date(2026, 1, 1)))
    check_document(document)
    return document


def _outputs(document: dict[str, Any]) -> dict[str, str]:
    written: list[str] = []
    render_terminal(document, lambda text, /, **_: written.append(text))
    return {
        "terminal": "".join(written),
        "html": render_html(document),
        "markdown": render_markdown(document),
        "badge": render_badge(document),
        "annotations": "\n".join(annotation_lines(document, {"GITHUB_ACTIONS": "true"})),
    }


SEVEN = [
    "server.ok.status",
    "server.ok.json",
    CLAUSE,
    "server.body.status",
    "server.auth.near-key",
    "server.error.body",
    "server.notfound.near-id",
]


def test_known_failures_are_amber_everywhere() -> None:
    """The run passes, but no output says that the subject conforms."""
    document = _document(_run(dict.fromkeys(SEVEN, "fail")), _known(*SEVEN))
    assert document["verdict"] == "pass"
    outputs = _outputs(document)
    assert not [name for name, text in outputs.items() if "conforms" in text or "Conforms" in text]
    assert ">7 known<" in outputs["badge"]
    assert AMBER in outputs["badge"]
    assert "#17693c" not in outputs["badge"]
    assert 'class="statement run-known">has 7 known failures.' in outputs["html"]
    assert outputs["markdown"].startswith("# ≈ acme 1: 7 known failures\n")
    assert "≈ Known failures. Of " in outputs["terminal"]
    assert outputs["annotations"].startswith("::warning title=acme 1%3A 7 known failures::") or outputs[
        "annotations"
    ].startswith("::warning title=acme 1: 7 known failures::")


def test_a_subject_without_known_failures_stays_green() -> None:
    """A file without an entry for the subject changes nothing."""
    document = _document(_run({}), _known())
    outputs = _outputs(document)
    assert ">conforms<" in outputs["badge"]
    assert "✓ Conforms. " in outputs["terminal"]


def test_a_stale_entry_is_not_a_failure_of_the_subject() -> None:
    """It is red, since it has to be removed, but it is a fault of the file."""
    document = _document(_run({}), _known(CLAUSE))
    assert document["verdict"] == "fail"
    entry = next(one for one in document["clauses"] if one["id"] == CLAUSE)
    assert (entry["verdict"], entry["subject_verdict"], entry["file_at_fault"]) == ("fail", "pass", True)
    outputs = _outputs(document)
    for name, text in outputs.items():
        assert "does not conform" not in text, name
        assert "Does not conform" not in text, name
    assert ">known failures out of date<" in outputs["badge"]
    assert re.search(r"Of \d+ clauses: 1 with a stale known", outputs["terminal"])
    assert outputs["annotations"].startswith("::error ")


def test_a_stale_entry_beside_a_valid_one_is_a_fault_of_the_file() -> None:
    """All findings are excused."""
    known = _known(CLAUSE, CLAUSE)
    other = KnownFailure(2, CLAUSE, (Expected("echo"),), "why", "https://a.example/2", date(9999, 1, 1))
    document = _document(_run({CLAUSE: "fail"}), KnownFailures("known.toml", (known.entries[0], other)))
    entry = next(one for one in document["clauses"] if one["id"] == CLAUSE)
    assert (entry["subject_verdict"], entry["file_at_fault"]) == ("fail", True)


@pytest.mark.parametrize(
    "known",
    [
        _known(CLAUSE, code="echo"),
        KnownFailures(
            "known.toml",
            (KnownFailure(1, CLAUSE, (Expected("type", "/id"),), "why", "https://a.example/1", date(2020, 1, 1)),),
        ),
        KnownFailures(
            "known.toml",
            (KnownFailure(1, CLAUSE, (Expected("type", "/id"),), "TODO", "https://a.example/1", date(9999, 1, 1)),),
        ),
    ],
    ids=["changed", "expired", "draft"],
)
def test_an_unexcused_failure_is_a_failure_of_the_subject(known: KnownFailures) -> None:
    """It does not matter what is wrong with the entry."""
    document = _document(_run({CLAUSE: "fail"}), known)
    assert "does not conform" in _outputs(document)["html"]
    assert ">1 failed<" in _outputs(document)["badge"]


def test_a_new_failure_past_any_limit_of_a_report_is_found() -> None:
    """Findings are compared with the entries before the list is cut."""
    many = [
        *BROKEN * 30,
        *(
            Finding(f"id of a COMPLETED batch, {word}", "a string", "null", code="type", pointer="/id")
            for word in "abcdefghijkl"
        ),
    ]
    hidden = Finding("a 401 is taken for a batch", "401", "200", code="taken")
    run = samples.run("server", "acme", "1", {CLAUSE: ("fail", "", [*many, hidden])})
    document = _document(run, _known(CLAUSE, code="type"))
    entry = next(one for one in document["clauses"] if one["id"] == CLAUSE)
    assert entry["verdict"] == "fail"
    assert entry["evidence"][0]["actual"] == "a 401 is taken for a batch: 200 [taken]"


def _misnames(request: dict[str, Any]) -> dict[str, Any]:
    """A client that reports all errors as another kind, and takes one of them for a batch."""
    reply = adapter(request)
    status = (reply.get("error") or {}).get("status")
    if status == 418:
        return {"seq": request["seq"], "batch": {"id": request["batch_id"], "status": "COMPLETED"}}
    return reply | {"error": reply["error"] | {"kind": "other", "status": None}} if status else reply


def test_a_client_is_excused_for_nothing_beyond_the_first_findings() -> None:
    """All findings are compared: the one that differs may come late or early."""
    clause = "client.error.other-status"
    _misnames.hello = {**hello(), "operations": ["get_batch"]}  # type: ignore[attr-defined]
    client = open_adapter(_misnames, spec="embedded", transport="loopback")
    try:
        run = judge_client(client, selected={clause})
    finally:
        client.close()
    result = next(one for one in run.results if one.clause.id == clause)
    assert len(result.findings) > 6
    evidence = patterns_of(seen_of(item, run.redactor) for item in result.findings)
    excused = tuple(item for item in evidence if item.code != "taken")
    assert len(excused) == len(evidence) - 1
    entry = KnownFailure(1, clause, excused, "why", "https://a.example/1", date(9999, 1, 1))
    weighed = apply_known_failures(run, KnownFailures("known.toml", (entry,)), today=date(2026, 1, 1))
    assert next(one.verdict for one in weighed.results if one.clause.id == clause) == "fail"
    assert weighed.verdict == "fail"


def _columns(before: dict[str, Any], after: dict[str, Any]) -> Comparison:
    before, after = json.loads(json.dumps(before)), json.loads(json.dumps(after))
    before["subject"]["version"], after["subject"]["version"] = "1", "2"
    return Comparison.of("server", [Column(before, "a", ""), Column(after, "b", "")])


def test_excuses_and_stale_entries_do_not_change_the_comparison() -> None:
    """Between versions the subject is compared, not its known-failures file."""
    failing = _document(_run({CLAUSE: "fail"}), _known())
    excused = _document(_run({CLAUSE: "fail"}), _known(CLAUSE))
    stale = _document(_run({}), _known(CLAUSE))
    mended = _document(_run({}), _known())

    def change(before: dict[str, Any], after: dict[str, Any]) -> str | None:
        (step,) = _columns(before, after).steps()
        return step.changes.get(CLAUSE)

    assert change(failing, excused) == "other"
    assert change(excused, failing) == "other"
    assert change(excused, stale) == "better"
    assert change(mended, stale) is None
    assert change(stale, failing) == "worse"
    page = render_matrix([_columns(excused, stale)])
    assert "In the newest version 0 of 1 conform." in page
    assert f'"{CLAUSE}: failed' not in page
    assert "1 known" in page


def test_should_clauses_that_are_known_are_no_worse_than_warnings() -> None:
    """An excused warning is no worse than a warning."""
    clause = "server.auth.challenge"
    warned = _document(_run({clause: "warn"}), _known())
    excused = _document(_run({clause: "warn"}), _known(clause))
    (step,) = _columns(warned, excused).steps()
    assert step.changes == {clause: "other"}


def test_reports_of_all_kinds_read_back(tmp_path: Path) -> None:
    """The schema allows all their members."""
    for document in (_document(_run({}), _known(CLAUSE)), _document(_run({CLAUSE: "fail"}), _known(CLAUSE))):
        path = tmp_path / "conformance.json"
        path.write_text(json.dumps(document), "utf-8")
        check_document(json.loads(path.read_text("utf-8")))
