"""Text from a target stays text: no output contains a planted key, its markup or its commands."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from batch_conformance.http import Request, curl_line
from batch_conformance.http.text import disarmed_shell, indented_json, log_safe, visible
from batch_conformance.report.badge import render_badge
from batch_conformance.report.comparison import Column, Comparison
from batch_conformance.report.document import report_document
from batch_conformance.report.files import render_json
from batch_conformance.report.github import annotation_lines, write_step_summary
from batch_conformance.report.html import render_html
from batch_conformance.report.labels import Document
from batch_conformance.report.markdown import as_text, render_markdown
from batch_conformance.report.markup import h, page, svg
from batch_conformance.report.matrix_html import render_matrix
from batch_conformance.report.terminal import render_terminal
from tests.support import samples

ACTIONS = {"GITHUB_ACTIONS": "true"}


def terminal(document: Document, verbose: int = 0, *, width: int = 80, ascii_only: bool = False) -> str:
    """Return what is written to a terminal, without markup."""
    out: list[str] = []

    def write(text: str, /, **_: bool) -> None:
        out.append(text)

    render_terminal(document, write, width=width, verbose=verbose, ascii_only=ascii_only)
    return "".join(out)


@cache
def outputs() -> dict[str, str]:
    """Return all outputs of a hostile run of either side."""
    made: dict[str, str] = {}
    columns = []
    for side in ("server", "client"):
        document = report_document(samples.hostile_run(side))
        columns.append(Column(document, "place", "place/conformance.html"))
        made |= {
            f"{side} json": render_json(document),
            f"{side} html": render_html(document),
            f"{side} markdown": render_markdown(document),
            f"{side} markdown without evidence": render_markdown(document, evidence=False),
            f"{side} badge": render_badge(document),
            f"{side} terminal": terminal(document),
            f"{side} terminal -vv": terminal(document, 2),
            f"{side} terminal in ASCII": terminal(document, 2, ascii_only=True),
            f"{side} annotations": "\n".join(annotation_lines(document, ACTIONS)),
        }
    made["matrix"] = render_matrix([Comparison.of(column.side, [column]) for column in columns])
    return made


_KINDS = ("json", "html", "markdown", "markdown without evidence", "badge", "terminal", "terminal -vv",
          "terminal in ASCII", "annotations")  # fmt: skip
#: Not read from the outputs, which are slow to make, at collection.
OUTPUTS = [*(f"{side} {kind}" for side in ("server", "client") for kind in _KINDS), "matrix"]


@pytest.fixture(params=OUTPUTS)
def output(request: pytest.FixtureRequest) -> str:
    """Return each output in turn."""
    return outputs()[request.param]


def test_the_hostile_run_is_hostile_everywhere() -> None:
    """Otherwise the tests below would prove nothing."""
    assert list(outputs()) == OUTPUTS
    for name, text in outputs().items():
        if "badge" not in name:
            assert "pwned" in text, name
            assert "[api-key]" in html.unescape(text), name


def test_no_output_shows_the_key(output: str) -> None:
    """No part of it is shown either, in any encoding."""
    raw = samples.KEY.encode()
    forms = [
        quote(samples.KEY, safe=""),
        quote(samples.KEY),
        html.escape(samples.KEY),
        base64.b64encode(raw).decode(),
        json.dumps(samples.KEY)[1:-1],
        raw.hex(),
    ]
    unescaped = html.unescape(output)
    assert not [form for form in forms if form in output or form in unescaped]
    pieces = {samples.KEY[start : start + 8] for start in range(len(samples.KEY) - 7)}
    assert not [piece for piece in pieces if piece in unescaped]


def test_no_output_holds_markup_of_the_target(output: str) -> None:
    """The raw text of the file counts, whatever displays it."""
    assert not re.search(r"<script>pwned|<img|</pre></details>|<!--", output)


def test_no_output_holds_anything_invisible(output: str) -> None:
    """ANSI escapes, bidirectional controls, zero-width characters, surrogates."""
    assert output.replace("\n", "").isprintable()
    output.encode()


@pytest.mark.parametrize("name", [name for name in OUTPUTS if "terminal" in name or "markdown" in name])
def test_no_line_is_a_log_command(name: str) -> None:
    """CI systems interpret what is at the beginning of a line, or after two hash signs."""
    lines = outputs()[name].splitlines()
    assert not [line for line in lines if line.lstrip().startswith("::") or re.search(r"##\w*\[", line)]


@pytest.mark.parametrize("name", [name for name in OUTPUTS if "annotations" in name])
def test_annotations_have_only_titles_of_the_suite(name: str) -> None:
    """There are at most ten, one a line."""
    lines = outputs()[name].splitlines()
    assert 1 < len(lines) <= 10
    assert all(re.fullmatch(r"::error title=[^,:]*::.*", line) for line in lines)
    assert not [line for line in lines if re.search(r"##\w*\[", line)]


class Structure(HTMLParser):
    """The elements and attributes that a browser would create."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        """Record text, references resolved."""
        self.text.append(data)


@pytest.mark.parametrize("name", ["server html", "client html", "matrix"])
def test_pages_have_only_elements_of_the_suite(name: str) -> None:
    """They link only to themselves, the reports beside them, and an adopter's issue."""
    found = Structure(outputs()[name])
    assert found.tags["script"] == found.tags["style"] == 1
    ours = {
        "html",
        "head",
        "meta",
        "title",
        "link",
        "style",
        "script",
        "body",
        "header",
        "main",
        "footer",
        "nav",
    }
    ours |= {
        "section",
        "details",
        "summary",
        "div",
        "span",
        "p",
        "a",
        "b",
        "small",
        "mark",
        "code",
        "pre",
        "time",
    }
    ours |= {"h1", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd"}
    ours |= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert found.tags.keys() <= ours
    assert not [name for name in found.attributes if name.startswith("on") or name in ("style", "srcdoc", "action")]
    assert not [link for link in found.links if not re.match(r"#|place/|data:image/svg\+xml,%3Csvg", link)]


def test_the_text_of_a_page_is_the_text_of_the_target() -> None:
    """It is escaped once, not twice."""
    text = "".join(Structure(outputs()["server html"]).text)
    assert "[api-key] <script>pwned=1</script><img src=x onerror=pwned=2>\\x1b[2J" in text
    assert "&lt;&#60; %0A::warning::x key [api-key] end" in text


@pytest.mark.parametrize("name", [name for name in OUTPUTS if "markdown" in name])
def test_markdown_has_only_elements_of_the_suite(name: str) -> None:
    """Rendered by a parser that passes HTML through, as GitHub does before it sanitizes."""
    found = Structure(MarkdownIt("commonmark", {"html": True}).enable("table").render(outputs()[name]))
    ours = {"h1", "h2", "p", "strong", "blockquote", "code", "pre", "br", "details", "summary", "ul", "li"}
    assert found.tags.keys() <= ours | {"table", "thead", "tbody", "tr", "th", "td"}
    assert not found.attributes
    assert "@everyone" not in outputs()[name].replace("<pre>", "").split("<details>")[0]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]) | st.just(" ")))
@example("__0__")
def test_any_text_is_plain_text_in_markdown(text: str) -> None:
    """The text is shown unchanged."""
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"x {as_text(text)} y")
    assert rendered == f"<p>x {html.escape(text, quote=False).replace(chr(34), '&quot;')} y</p>\n"


@given(st.text())
def test_any_text_becomes_visible_once(text: str) -> None:
    """Visible characters are unchanged."""
    for lines in (True, False):
        escaped = visible(text, lines=lines)
        assert escaped.replace("\n", "").replace("\t", "").isprintable()
        assert visible(escaped, lines=lines) == escaped
    assert "\n" not in visible(text, lines=False)
    assert not re.search(r"<[A-Za-z/!?]|##\w*\[", log_safe(text))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=["Cc"])))
def test_any_text_stays_text_in_elements_and_attributes(text: str) -> None:
    """The serializer escapes, in HTML and in SVG."""
    escaped = page(text, css=(), script="script.js", icon=h("svg"), body=[h("p", text, title=text)])
    found = Structure(escaped)
    assert found.tags.keys() == {"html", "head", "meta", "title", "link", "style", "script", "body", "p"}
    parsed = ElementTree.fromstring(svg(h("p", text, title=text)))
    assert (parsed.text or "", parsed.get("title")) == (text, text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON_VALUES, st.booleans())
def test_json_indented_for_reading_keeps_every_token(value: object, ascii_only: bool) -> None:
    """Only white space changes."""
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    escaped = indented_json(text)
    assert json.loads(escaped) == value
    assert indented_json('{"a":1.50,"a":[],"b":{}}') == '{\n  "a": 1.50,\n  "a": [],\n  "b": {}\n}'


@pytest.mark.parametrize("shell", [shell for shell in ("sh", "bash") if shutil.which(shell)])
def test_a_curl_line_without_raw_markup_says_the_same_to_the_shell(shell: str) -> None:
    """The words of the line are unchanged."""
    values = ["<script>", "'<b>'", '"<i>" $HOME `x` \\<a>', "é<u>\x01", "a < b", "<", "'", "<!--"]
    request = Request("GET", "http://a/?<q>", tuple((f"x-{index}", value) for index, value in enumerate(values)))
    plain = curl_line(request, {"secret": "$KEY"})
    disarmed = disarmed_shell(plain)
    assert not re.search(r"<[A-Za-z/!]", disarmed)
    words = [
        subprocess.run([shell, "-c", line.replace("curl", r"printf '%s\0'", 1)], capture_output=True, check=True).stdout
        for line in (plain, disarmed)
    ]
    assert words[0] == words[1]
    assert b"x-0: <script>" in words[0].split(b"\0")


def test_step_summary_is_appended_and_stays_within_githubs_limit(tmp_path: Path) -> None:
    """GitHub rejects a summary of more than a mebibyte."""
    document = report_document(samples.failing_server())
    target = tmp_path / "summary.md"
    target.write_text("before\n")
    environment = {"GITHUB_STEP_SUMMARY": str(target)}
    assert write_step_summary(document, environment) == target
    assert target.read_text() == "before\n" + render_markdown(document)
    assert write_step_summary(report_document(samples.hostile_run()), environment) == target
    assert target.stat().st_size < 1_048_576
    assert write_step_summary(document, {}) is None
    assert write_step_summary(document, {"GITHUB_STEP_SUMMARY": ""}) is None


def test_the_badge_holds_nothing_from_outside() -> None:
    """It does not even have the subject's name."""
    for make in (
        samples.failing_server,
        samples.passing_server,
        samples.unreachable_server,
        samples.hostile_run,
    ):
        image = ElementTree.fromstring(render_badge(report_document(make())))
        assert "".join(image.itertext()).isascii()
        assert re.search(r"conforms|\d+ failed|could not judge", "".join(image.itertext()))
