"""Repeated findings are one entry in every output, with a headline that names the fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from batch_conformance.checks.finding import Finding
from batch_conformance.contract import Side
from batch_conformance.http import Exchange, Intent, Request, Response
from batch_conformance.report.document import EVIDENCE_LIMIT, check_document, report_document
from batch_conformance.report.github import annotation_lines
from batch_conformance.report.html import render_html
from batch_conformance.report.labels import fault
from batch_conformance.report.markdown import render_markdown
from batch_conformance.report.terminal import render_terminal
from tests.support import samples

CLAUSE: dict[Side, str] = {"server": "server.body.id", "client": "client.decode.fields"}


def _exchange(number: int, batch: str, label: str = "", kind: Any = "known", key: Any = "valid") -> Exchange:
    request = Request("GET", f"http://127.0.0.1/v2/batch/{batch}", ())
    return Exchange(number, Intent("reads", batch, kind, key, label), request, Response(200, ()))


def _document(findings: Sequence[Finding], side: Side = "server") -> dict[str, Any]:
    document = report_document(samples.run(side, "acme", "1", {CLAUSE[side]: ("fail", "", findings)}))
    check_document(document)
    return document


def _evidence(findings: Sequence[Finding], side: Side = "server") -> list[dict[str, Any]]:
    document = _document(findings, side)
    entry = next(entry for entry in document["clauses"] if entry["id"] == CLAUSE[side])
    evidence: list[dict[str, Any]] = entry["evidence"]
    return evidence


def _terminal(document: dict[str, Any]) -> str:
    written: list[str] = []
    render_terminal(document, lambda text, /, **_: written.append(text))
    return "".join(written)


READS = [
    Finding(
        f"id of a {('COMPLETED', 'PENDING')[number % 2]} batch",
        f'the id asked for, "batch_{("abc123", "def456")[number % 2]}"',
        "null",
        _exchange(number, f"batch_{('abc123', 'def456')[number % 2]}"),
    )
    for number in range(46)
]


def test_repeated_findings_are_one_entry_with_a_count() -> None:
    """The entry also counts the batches, and shows the first finding."""
    (item,) = _evidence(READS)
    assert (item["times"], item["batches"]) == (46, 2)
    assert item["message"] == "id of a COMPLETED batch"
    document = _document(READS)
    for text in (_terminal(document), render_html(document), render_markdown(document)):
        assert text.count("46 times, in 2 batches") == 1
        assert text.count("id of a COMPLETED batch") <= 2
        assert "more like it" not in text
    (_, annotation) = annotation_lines(document, {"GITHUB_ACTIONS": "true"})
    assert annotation.endswith("46 times, in 2 batches")


def test_values_that_change_with_each_read_are_one_entry() -> None:
    """A new id, a new time for each read."""
    times = [
        Finding("created_at changes", "the same", f"2024-01-15T10:30:{second:02}Z", _exchange(second, "batch_1"))
        for second in range(40)
    ]
    ids = [
        Finding("id of a FAILED batch", "batch_1", f'"batch_{number * 7919:08x}"', _exchange(number, "batch_1"))
        for number in range(40)
    ]
    assert [(item["times"], item["batches"]) for item in _evidence([*times, *ids])] == [(40, 1), (40, 1)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Finding("a", "x", "null"), Finding("b", "x", "null")),
        (Finding("a", "401", "200"), Finding("a", "401", "500")),
        (Finding("a", "at most 5", "6"), Finding("a", "at most 5", "-1")),
        (
            Finding("a", "401", "200", _exchange(1, "batch_1", "key in another case", key="near")),
            Finding("a", "401", "200", _exchange(2, "batch_1", "key without its last character", key="near")),
        ),
        (
            Finding('200 for "batch_abc123x"', "404", "200", _exchange(1, "batch_abc123x", kind="near")),
            Finding('200 for "batch_abc1234"', "404", "200", _exchange(2, "batch_abc1234", kind="near")),
        ),
        (Finding("a", "an object", "{}"), Finding("a", "an object", '{"id": 1}')),
    ],
    ids=["message", "status", "number", "label", "made-up id", "object"],
)
def test_different_findings_stay_separate(first: Finding, second: Finding) -> None:
    """Different findings are not merged."""
    assert len(_evidence([first, second, first])) == 2


def test_reads_in_different_forms_are_the_same_finding() -> None:
    """The plain read is shown, whatever the order."""
    odd = [
        Finding("id of a COMPLETED batch", "a string", "null", _exchange(number, "batch_1", label))
        for number, label in enumerate(("no User-Agent", "", "Accept: */*"))
    ]
    (item,) = _evidence(odd)
    assert (item["times"], item["batches"], item["notes"]) == (3, 1, [])


def test_rare_findings_are_kept() -> None:
    """The limit of a report counts entries, not findings."""
    rare = Finding("the worst of all", "401", "200", _exchange(99, "batch_1"))
    evidence = _evidence([*READS, *READS, rare])
    assert [item["message"] for item in evidence] == ["id of a COMPLETED batch", "the worst of all"]
    many = [Finding(f"another one, {letter}", "a", "b") for letter in "abcdefghijklmno"]
    assert len(_evidence(many)) == EVIDENCE_LIMIT


def test_a_client_has_no_number_of_batches() -> None:
    """Each call is for a batch of its own."""
    (item,) = _evidence(READS, "client")
    assert item["times"] == 46
    assert "batches" not in item


def test_findings_on_odd_ids_stay_separate() -> None:
    """The finding is about the id, not about the title of the case."""
    odd = [
        Finding(f'the id "{text}" is refused', "a batch", "error http", _exchange(1, text, f"an id ({text})"))
        for text in ("a b", "a%2Fb")
    ]
    same = [
        Finding(
            "outputUrl is lost",
            "a URL",
            "(absent)",
            _exchange(number, f"batch_{number}", f"a batch ({number})"),
        )
        for number in range(4)
    ]
    assert [item.get("times", 1) for item in _evidence([*same, *odd], "client")] == [4, 1, 1]


def test_the_headline_names_the_fault() -> None:
    """It does not only name the place."""
    page = render_html(_document([Finding("id of a COMPLETED batch", "a string", "null")]))
    headlines = page[page.index("What is wrong") : page.index("At a glance")]
    assert "id of a COMPLETED batch: expected a string, got null" in headlines


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (("id", "a string", "null"), "id: expected a string, got null"),
        (("id", "a string", ""), "id: expected a string, got nothing"),
        (("id", "", ""), "id"),
        (("id\nmore", "a", "b\nc"), "id…: expected a, got b…"),
        (("id", "x" * 500, "y"), f"id: expected {'x' * 120}…, got y"),
    ],
)
def test_a_fault_is_one_line(item: tuple[str, str, str], line: str) -> None:
    """The line is short, however long the response was."""
    assert fault(dict(zip(("message", "expected", "actual"), item, strict=True))) == line


def test_one_annotation_of_a_target_that_cannot_be_reached() -> None:
    """It keeps the suite from testing any clause."""
    document = report_document(samples.run("server", "acme", "1", error="nobody answers at http://127.0.0.1:9"))
    (line,) = annotation_lines(document, {"GITHUB_ACTIONS": "true"})
    assert "nobody answers" in line


def test_one_annotation_for_each_reason_why_clauses_were_not_checked() -> None:
    """Findings have annotations of their own."""
    names = ("server.ok.status", "server.ok.json", "server.body.id")
    results: dict[str, Any] = dict.fromkeys(names, ("error", "the adapter died", ()))
    results["server.body.status"] = ("fail", "", [Finding("status", "a string", "null")])
    lines = annotation_lines(report_document(samples.run("server", "acme", "1", results)), {"GITHUB_ACTIONS": "true"})
    assert len(lines) == 3
    assert "server.ok.status and 2 more" in lines[1]
