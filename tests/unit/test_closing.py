"""The last lines of a run fit a terminal of 24 lines of 80 columns, whatever the verdict."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from batch_conformance.report.closing import LINES, closing_lines
from batch_conformance.report.document import report_document
from tests.support.samples import failing_server

FAILING = report_document(failing_server())

_COPIED = ("batch-conformance ", "reports/", "because")


def _with_failures(count: int, verdict: str = "fail") -> dict[str, Any]:
    document = deepcopy(FAILING)
    pattern = next(clause for clause in document["clauses"] if clause["verdict"] == "fail")
    for item in pattern["evidence"]:
        item["replay"] = {"requests": [{}]}
    document["clauses"] = [
        clause if index >= count else {**deepcopy(pattern), "id": clause["id"], "verdict": verdict}
        for index, clause in enumerate(
            [
                {**pattern, "id": f"server.some.clause-{number}", "verdict": "pass", "evidence": [], "reason": ""}
                for number in range(45)
            ]
        )
    ]
    return document


def _text(document: dict[str, Any], **how: Any) -> list[str]:
    rows = closing_lines(document, more="reports/latest/conformance.html", **how)
    return ["".join(text for text, _ in line) for line in rows]


@pytest.mark.parametrize("count", [0, 1, 7, 40])
@pytest.mark.parametrize("width", [80, 60, 200])
def test_the_closing_lines_fit_the_terminal(count: int, width: int) -> None:
    """One line a failed clause, none wider than the terminal; those left out are counted."""
    lines = _text(_with_failures(count), width=width, notes=["a note " * 200])
    assert sum(max(1, -(-len(line) // width)) for line in lines) <= LINES
    for line in lines:
        assert len(line) <= width or any(copied in line for copied in _COPIED), line
    listed = [line for line in lines if "server.some.clause-" in line and "batch-conformance" not in line]
    rest = [line for line in lines if "more clauses" in line]
    assert len(listed) + sum(int(line.split("and ")[1].split()[0]) for line in rest) == count


def test_the_verdict_and_what_to_do_next_come_last() -> None:
    """The summary, the report, the replay of the first finding and its explanation; the promise is not repeated."""
    document = _with_failures(7)
    lines = _text(document)
    at = next(index for index, line in enumerate(lines) if "does not conform" in line)
    assert [line.split()[0] for line in lines[at + 1 :]] == ["report", "replay", "explain"]
    assert "server.some.clause-0#1" in lines[-2]
    assert lines[-1].endswith("explain server.some.clause-0")
    assert not any(clause["title"] in "\n".join(lines) for clause in document["clauses"] if clause["verdict"] == "fail")


def test_a_green_run_needs_no_next_step() -> None:
    """It says that all is well, and where the report is."""
    lines = _text(_with_failures(0))
    assert len(lines) == 2
    assert lines[1].endswith("reports/latest/conformance.html")


def test_ascii_is_used_where_nothing_else_can_be_shown() -> None:
    """Letters replace the symbols."""
    lines = _text(_with_failures(40), ascii_only=True)
    assert "\n".join(lines).isascii()


def test_no_line_is_a_log_command() -> None:
    """Text of a server never begins a line, and has no control characters."""
    document = _with_failures(3)
    for clause in document["clauses"]:
        for item in clause["evidence"]:
            item["actual"] = "\n::error::x\x1b[31m"
    text = "\n".join(_text(document))
    assert "\n::" not in text
    assert "\x1b" not in text
