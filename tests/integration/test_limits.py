"""Limits of a pass, and observations left to another clause: in the verdict and in every output."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from batch_conformance.checks.finding import CheckResult, Finding
from batch_conformance.checks.verdict import ClauseResult, clause_result
from batch_conformance.contract import load_contract
from batch_conformance.report.document import check_document, report_document
from batch_conformance.report.html import render_html
from batch_conformance.report.markdown import render_markdown
from batch_conformance.report.terminal import render_terminal
from tests.support import samples

CLAUSE = "server.auth.near-key"


def _weighed(checked: CheckResult) -> ClauseResult:
    return clause_result(load_contract().clauses[checked.clause], checked, strict=False)


def test_only_set_aside_is_not_exercised() -> None:
    """The clause is not exercised, and names the other clause."""
    checked = CheckResult(CLAUSE)
    checked.set_aside("server.auth.invalid-key")
    checked.set_aside("server.auth.invalid-key", 2)
    checked.set_aside("server.error.body")
    checked.set_aside("server.error.media-type", 0)
    result = _weighed(checked)
    assert (result.verdict, result.exchanges) == ("not-exercised", 0)
    assert result.reason == ("explained by server.auth.invalid-key: 3 observations, server.error.body: 1 observation")
    assert result.limits == ()


def test_partly_set_aside_is_a_limit() -> None:
    """The pass on the remaining observations says what was left to another clause."""
    checked = CheckResult(CLAUSE)
    checked.observe(4)
    checked.set_aside("server.auth.invalid-key", 2)
    result = _weighed(checked)
    assert (result.verdict, result.exchanges) == ("pass", 4)
    assert result.limits == ("explained by server.auth.invalid-key: 2 observations",)


def test_limits_belong_to_a_pass_alone() -> None:
    """Each limit counts once, in the order recorded; other verdicts have none."""
    checked = CheckResult(CLAUSE)
    for text in ("no COMPLETED batch was seen", "one batch only", "no COMPLETED batch was seen", ""):
        checked.limit(text)
    assert _weighed(checked).reason == "no COMPLETED batch was seen; one batch only"
    checked.observe()
    assert _weighed(checked).limits == ("no COMPLETED batch was seen", "one batch only")
    checked.fail(None, "broken", expected="a", actual="b", code="status")
    assert _weighed(checked).limits == ()


@pytest.mark.parametrize("count", [0, -1])
def test_without_observations_set_aside_there_is_no_limit(count: int) -> None:
    """Without observations set aside, nothing is mentioned."""
    checked = CheckResult(CLAUSE)
    checked.set_aside("server.auth.invalid-key", count)
    assert _weighed(checked).reason == "nothing in this run put it to the test"


# Outputs.


def _document(limits: dict[str, tuple[str, ...]], **broken: Any) -> dict[str, Any]:
    run = samples.run("server", "acme", "1", broken)
    run.results = [dataclasses.replace(result, limits=limits.get(result.clause.id, ())) for result in run.results]
    document = report_document(run)
    check_document(document)
    return document


def _terminal(document: dict[str, Any], width: int = 80) -> str:
    written: list[str] = []
    render_terminal(document, lambda text, /, **_: written.append(text), width=width)
    return "".join(written)


LIMITS = {
    "server.body.outputUrl": ("no COMPLETED batch was seen",),
    "server.body.completed-adds-up": ("no COMPLETED batch was seen", "one batch only"),
    "server.poll.final": ("<b>batch_1</b> never moved",),
}


def test_limits_are_in_every_output_and_counted() -> None:
    """Each limit is shown once, with the clauses that it concerns."""
    document = _document(LIMITS)
    entries = {entry["id"]: entry["limits"] for entry in document["clauses"]}
    assert entries["server.body.completed-adds-up"] == ["no COMPLETED batch was seen", "one batch only"]
    assert entries["server.ok.status"] == []
    line = f"All {len(entries)} clauses passed; 3 passes with limits."
    terminal, page, markdown = _terminal(document), render_html(document), render_markdown(document)
    for text in (terminal, page, markdown):
        assert line in text
        assert "assed with limits" in text
        assert "<b>" not in text.replace("<b> ", "")
    assert terminal.count("no COMPLETED batch was seen") == 1
    assert "server.body.completed-adds-up, server.body.outputUrl" in terminal
    assert "- no COMPLETED batch was seen: <code>server.body.completed-adds-up</code>, " in markdown
    assert max(map(len, terminal.splitlines())) <= 80


def test_one_pass_with_limits_among_others() -> None:
    """It is counted beside other verdicts."""
    finding = Finding("id", "a string", "null")
    broken = {"server.body.id": ("fail", "", [finding])}
    document = _document({"server.poll.final": ("one batch only",)}, **broken)
    total = len(document["clauses"])
    assert f"Of {total} clauses: 1 failed, {total - 1} passed, 1 pass with limits." in render_html(document)


def test_a_green_run_without_limits_does_not_mention_them() -> None:
    """There is no empty heading."""
    document = _document({})
    for text in (_terminal(document), render_html(document), render_markdown(document)):
        assert "imits (" not in text
        assert "with limits" not in text
