"""The terminal, GitHub, the badge and the page show the same results, the urgent ones first."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.verdict import ClauseVerdict
from batch_conformance.report.badge import render_badge
from batch_conformance.report.difference import Piece, distinguishing_features
from batch_conformance.report.document import report_document
from batch_conformance.report.github import annotation_lines
from batch_conformance.report.html import render_html
from batch_conformance.report.labels import WORDS, Document
from batch_conformance.report.markdown import render_markdown
from batch_conformance.report.terminal import can_show, render_terminal
from tests.support import samples
from tests.unit.test_report import CLAUSES

FAILING = report_document(samples.failing_server())
PASSING = report_document(samples.passing_server())
UNREACHABLE = report_document(samples.unreachable_server())
ACTIONS = {"GITHUB_ACTIONS": "true"}


def terminal(
    document: Document, *, width: int = 80, verbose: int = 0, ascii_only: bool = False, more: str = ""
) -> list[str]:
    """Return the lines written to a terminal."""
    out: list[str] = []

    def write(text: str, /, **_: bool) -> None:
        out.append(text)

    render_terminal(document, write, width=width, verbose=verbose, ascii_only=ascii_only, more=more)
    return "".join(out).splitlines()


def only(verdict: ClauseVerdict) -> Document:
    """Return a report in which one clause got this verdict."""
    proof = samples.exchange(200, samples.batch())
    found = [Finding("the message", "a vow", "other", proof)]
    results = {
        "server.ok.json": (
            verdict,
            "the reason",
            found if verdict in ("fail", "warn", "known-failure") else [],
        )
    }
    return report_document(samples.run("server", "acme", "1", results))


@pytest.mark.parametrize("verdict", WORDS)
@pytest.mark.parametrize("render", [terminal, render_html, render_markdown], ids=["terminal", "html", "markdown"])
def test_every_verdict_is_shown_with_its_word_and_its_evidence(
    render: Callable[[Document], str | list[str]], verdict: ClauseVerdict
) -> None:
    """A verdict is never shown by colour alone."""
    output = render(only(verdict))
    text = output if isinstance(output, str) else "\n".join(output)
    assert WORDS[verdict].glyph in text
    if verdict != "pass":
        assert "server.ok.json" in text
        assert "the reason" in text
        assert WORDS[verdict].label.lower() in text.lower()
    if verdict in ("fail", "warn", "known-failure"):
        assert all(part in text for part in ("the message", "a vow", "other", "curl -sS"))


def test_terminal_puts_failures_first_and_the_verdict_last() -> None:
    """Someone who scrolls up from the prompt sees the verdict, then what to do."""
    lines = terminal(FAILING, more="reports/latest/conformance.html")
    order = [
        next(index for index, line in enumerate(lines) if line.startswith(start))
        for start in (
            "Failed (5)",
            "✗ server.body",
            "Warnings (2)",
            "Known failures (1)",
            "Not exercised (3)",
        )
    ]
    assert order == sorted(order)
    assert lines[-3].startswith(f"✗ Does not conform. Of {CLAUSES} clauses: 5 failed")
    assert lines[-1] == "  Report: reports/latest/conformance.html"


def test_terminal_shows_a_failure_whole() -> None:
    """Id, level, promise, finding, expected, actual, and how to reproduce it."""
    lines = terminal(FAILING)
    start = lines.index("✗ server.notfound.near-id  must")
    assert lines[start + 1 : start + 6] == [
        "  A prefix, extension, case change, padding or other spelling of a known id is",
        "  answered with 404.",
        "  found     another batch's id was answered with this batch",
        "  expected  404 for batch_ABC123",
        "  actual    200 for batch_ABC123",
    ]
    assert lines[start + 6].startswith("  curl -sS -i --path-as-is -H 'x-api-key: '\"${SYNC_API_KEY}\" https://")
    assert "  … and 14 more like it" in lines


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_curl_lines_are_never_wrapped_and_all_else_is(width: int) -> None:
    """Curl lines have to be copied."""
    lines = terminal(FAILING, width=width)
    curls = [line for line in lines if line.startswith("  curl ")]
    assert len(curls) == 7
    assert all(re.search(r"https://batch\.staging\.example/v2/batch/\w+$", line) for line in curls)
    notes = [line for line in lines if "the curl line has" in line]
    ids = [line for line in lines if re.fullmatch(r" *[\w.-]+", line)]
    assert {line for line in lines if len(line) > max(width, 48)} <= {*curls, *notes, *ids}


def test_a_curl_line_that_would_bury_the_rest_is_shown_on_demand() -> None:
    """An id of 4,096 characters is in the report, and in the terminal with -vv."""
    assert any("the curl line has 4," in line for line in terminal(FAILING))
    assert any(len(line) > 4096 and line.startswith("  curl ") for line in terminal(FAILING, verbose=2))


def test_terminal_shows_more_when_asked() -> None:
    """Passed clauses with -v, the exchange with -vv."""
    assert not any("server.ok.status" in line for line in terminal(FAILING))
    assert any(line.startswith("✓ server.ok.status") for line in terminal(FAILING, verbose=1))
    thorough = terminal(FAILING, verbose=2)
    assert any("GET https://batch.staging.example/v2/batch/batch_abc123" in line for line in thorough)
    assert any("x-api-key: [api-key]" in line for line in thorough)
    assert any('{"id":"batch_abc123",' in line for line in thorough)


def test_terminal_is_brief_when_all_is_well_and_when_nothing_ran() -> None:
    """A passed run shows only a table."""
    assert len(terminal(PASSING)) <= 16
    assert terminal(PASSING)[-1] == f"✓ Conforms. All {CLAUSES} clauses passed."
    assert len(terminal(UNREACHABLE)) <= 6
    assert terminal(UNREACHABLE)[-1].endswith("cannot be reached: connection refused")


def test_terminal_can_be_limited_to_ascii() -> None:
    """Consoles of some CI systems only support ASCII."""
    text = "\n".join(terminal(FAILING, ascii_only=True))
    assert text.isascii()
    assert "F server.auth.near-key" in text
    assert can_show("utf-8")
    assert not any(map(can_show, ("ascii", "latin-1", "nonsense", None)))


def test_terminal_writes_through_pytests_own_writer(pytestconfig: pytest.Config) -> None:
    """The writer's markup is used."""
    stream = io.StringIO()
    writer = type(pytestconfig.get_terminal_writer())(stream)
    writer.hasmarkup = True
    render_terminal(FAILING, writer.write)
    assert re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines() == terminal(FAILING)
    assert "\x1b[31m" in stream.getvalue()


def test_annotations_begin_with_the_summary() -> None:
    """Then the failed clauses, with what a reader needs beside the code."""
    lines = annotation_lines(FAILING, ACTIONS)
    assert lines[0] == (
        "::error title=acme-batch 1.4.2%3A does not conform::"
        f"Of {CLAUSES} clauses: 5 failed, 2 warnings, 1 known failure, 3 not exercised, {CLAUSES - 11} passed."
    )
    assert lines[2] == (
        "::error title=server.auth.near-key::Truncated, extended, embedded, case-changed, same-length and "
        "same-prefix variants of the key are answered with 401.%0A"
        "a key without its last character was accepted%0Aexpected 401%0Aactual 200 OK"
    )
    assert len(lines) == 6


def test_annotations_are_few_and_for_github_only() -> None:
    """There are at most ten; a pass is one notice; there are none outside of GitHub."""
    found = [Finding("m", "e", "a")]
    all_broken = {clause["id"]: ("fail", "", found) for clause in PASSING["clauses"]}
    document = report_document(samples.run("server", "x", "1", all_broken))  # type: ignore[arg-type]
    assert len(annotation_lines(document, ACTIONS)) == 10
    assert annotation_lines(PASSING, ACTIONS) == [
        f"::notice title=sync-reference 0.1.0%3A conforms::All {CLAUSES} clauses passed."
    ]
    assert "connection refused" in annotation_lines(UNREACHABLE, ACTIONS)[0]
    assert annotation_lines(FAILING, {}) == []
    assert annotation_lines(FAILING, {"GITHUB_ACTIONS": "false"}) == []


@pytest.mark.parametrize(
    ("document", "words"),
    [(FAILING, "5 failed"), (PASSING, "conforms"), (UNREACHABLE, "could not judge")],
    ids=["fail", "pass", "error"],
)
def test_badge_says_the_verdict(document: Document, words: str) -> None:
    """Its picture, its title and its label have it."""
    image = render_badge(document)
    assert image.count(words) == 3
    assert image.startswith("<svg ")


def test_markdown_begins_with_the_verdict() -> None:
    """The summary comes first."""
    lines = render_markdown(FAILING).splitlines()
    assert lines[0] == "# ✗ acme-batch 1.4.2: does not conform"
    assert (
        lines[2]
        == f"**Of {CLAUSES} clauses: 5 failed, 2 warnings, 1 known failure, 3 not exercised, {CLAUSES - 11} passed.**"
    )
    assert "| <code>server.auth.near-key</code> | must |" in render_markdown(FAILING)
    assert "<details>" not in render_markdown(FAILING, evidence=False)


class Ids(HTMLParser):
    """The ids, the links, and the unfolded clauses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.unfolded = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if (given.get("href") or "").startswith("#"):
            self.targets.add((given["href"] or "")[1:])
        self.unfolded += tag == "details" and "open" in given


@pytest.mark.parametrize("document", [FAILING, PASSING, UNREACHABLE], ids=["fail", "pass", "error"])
def test_every_clause_of_the_page_can_be_linked_to(document: Document) -> None:
    """Ids are unique, and every link within the page has a target."""
    page = Ids(render_html(document))
    assert len(page.ids) == len(set(page.ids))
    assert {clause["id"] for clause in document["clauses"]} <= set(page.ids)
    assert page.targets <= set(page.ids)


def test_what_failed_is_unfolded() -> None:
    """Passed clauses are folded."""
    assert Ids(render_html(FAILING)).unfolded == 5
    assert Ids(render_html(PASSING)).unfolded == 0


def test_an_adopters_issue_is_a_link_and_a_targets_address_is_not() -> None:
    """Only reasons of known failures are written by the adopter."""
    assert 'href="https://github.com/acme/batch/issues/212"' in render_html(FAILING)
    made = samples.run("server", "x", "1", {"server.ok.json": ("not-exercised", "see https://evil.example/", [])})
    assert 'href="https://evil' not in render_html(report_document(made))


def marked(pieces: list[Piece]) -> str:
    """Return the pieces as one text, with marked ones in brackets."""
    return "".join(f"[{text}]" if mark else text for text, mark in pieces)


@pytest.mark.parametrize(
    ("expected", "actual", "first", "second"),
    [
        ("401", "401", "401", "401"),
        ("401", "200 OK", "401", "200 OK"),
        ("status 401 sent", "status 403 sent", "status [401] sent", "status [403] sent"),
        ("batch_abc123", "batch_abc124", "batch_abc12[3]", "batch_abc12[4]"),
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00", "2024-01-15T10:30:00[Z]", "2024-01-15T10:30:00"),
        ("9007199254740991", "9007199254740992", "900719925474099[1]", "900719925474099[2]"),
        ('{"a": null}', '{"a": "None"}', '{"a": [null]}', '{"a": ["None"]}'),
        ("nothing", "quite another thing here", "nothing", "quite another thing here"),
        ("", "x", "", "x"),
        ("a " * 1000, "b " * 1000, "a " * 1000, "b " * 1000),
    ],
)
def test_differences_are_marked_where_they_are(expected: str, actual: str, first: str, second: str) -> None:
    """Nothing is marked if the texts have nothing in common."""
    assert tuple(map(marked, distinguishing_features(expected, actual))) == (first, second)
    assert tuple("".join(text for text, _ in side) for side in distinguishing_features(expected, actual)) == (
        expected,
        actual,
    )
