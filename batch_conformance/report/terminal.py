"""Report in a terminal: failures first, each with the commands that repeat it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from batch_conformance.http.text import cut, log_safe
from batch_conformance.report.labels import (
    RUN_WORDS,
    WORDS,
    Document,
    Word,
    by_theme,
    counts,
    effort,
    evidence_note,
    found_text,
    limited,
    overlays_note,
    sentence,
    standing,
    subject_name,
    theme_title,
    with_verdict,
)
from batch_conformance.report.replaying import JSON_NAME, curl_of, replay_of, sent_of


class Write(Protocol):
    """Function that writes text without adding a line break, e.g. ``write`` of pytest's terminal reporter."""

    def __call__(
        self,
        text: str,
        /,
        *,
        bold: bool = False,
        light: bool = False,
        red: bool = False,
        green: bool = False,
        yellow: bool = False,
        purple: bool = False,
        cyan: bool = False,
    ) -> None:
        """Write ``text`` with markup."""


#: A run of text and its markup.
Span = tuple[str, dict[str, bool]]
Line = list[Span]

_PLAIN: dict[str, bool] = {}
_BOLD = {"bold": True}
_FAINT = {"light": True}
MARKUP: Mapping[str, dict[str, bool]] = {
    "fail": {"red": True, "bold": True},
    "error": {"purple": True, "bold": True},
    "warn": {"yellow": True, "bold": True},
    "known-failure": {"cyan": True},
    "not-exercised": {"light": True},
    "pass": {"green": True},
}
COLOURS = {
    "pass": "green",
    "known": "yellow",
    "outdated": "red",
    "fail": "red",
    "partial": "yellow",
    "error": "yellow",
}
_INDENT = "  "
#: Longer curl lines are left out below -vv; in characters.
_CURL_LIMIT = 1200
#: The most characters of the reason why a run has no verdict. It is never wrapped, so that it can be searched for.
_REASON_LIMIT = 600
#: The most lines of a field below -vv.
_LINES_LIMIT = 8


def render_terminal(
    document: Document,
    write: Write,
    *,
    width: int = 80,
    verbose: int = 0,
    ascii_only: bool = False,
    more: str = "",
    report: str = JSON_NAME,
    foot: bool = True,
) -> None:
    """Write the report through ``write``.

    ``width`` is in columns. ``verbose`` 0 shows the first piece of evidence of a clause, 1 three pieces and
    the clauses that passed, 2 all evidence with requests and responses. ``ascii_only`` is for terminals that
    can show only ASCII (see ``can_show``). ``more`` is the path of the whole report, ``report`` that of
    ``conformance.json``, for replay commands. ``foot`` ends with the verdict; ``closing_lines`` has it otherwise.
    """
    renderer = _Renderer(width, verbose, ascii_only, report)
    closing = renderer.foot(document, more) if foot else ()
    write_lines([*renderer.lines(document), *closing], write, ascii_only=ascii_only)


def write_lines(lines: Iterable[Line], write: Write, *, ascii_only: bool = False) -> None:
    """Write lines that are already wrapped."""
    for line in lines:
        for text, markup in line:
            write(text.encode("ascii", "replace").decode("ascii") if ascii_only else text, **markup)
        write("\n")


def can_show(encoding: str | None) -> bool:
    """Whether a terminal with this encoding can show the glyphs used here; if not, use ``ascii_only``."""
    try:
        "✓✗≈–◌│…·“”".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class _Renderer:
    """Renderer of one document. No line begins with text from the subject, so none can be a workflow command."""

    def __init__(self, width: int, verbose: int, ascii_only: bool, report: str) -> None:
        self.width = max(40, min(width, 120))
        self.verbose = verbose
        self.report = report
        self.ascii = ascii_only
        self.bar = "|" if ascii_only else "│"
        self.dot = "-" if ascii_only else "·"

    def lines(self, document: Document) -> Iterator[Line]:
        yield from self.head(document)
        if document["run"].get("error"):
            # All other clauses have the error as their reason, which the foot shows once.
            yield from self.broken(document, ("fail",))
            return
        yield from self.broken(document, ("fail", "error", "warn", "known-failure"))
        yield from self.unexercised(document)
        yield from self.limits(document)
        if self.verbose >= 1:
            yield from self.passed(document)
        yield []
        yield from self.themes(document)
        yield from self.legend(document)
        yield []

    def broken(self, document: Document, verdicts: Iterable[str]) -> Iterator[Line]:
        for verdict in verdicts:
            clauses = with_verdict(document, verdict)
            if clauses:
                yield []
                yield self.heading(verdict, len(clauses))
                for clause in clauses:
                    yield []
                    yield from self.clause(clause)

    def glyph(self, word: Word) -> str:
        return word.letter if self.ascii else word.glyph

    def head(self, document: Document) -> Iterator[Line]:
        subject, run, contract = document["subject"], document["run"], document["contract"]
        name = cut(log_safe(subject_name(document), lines=False), 100)
        yield [(f"{_INDENT}{subject['side'].capitalize()}  ", _FAINT), (name, _BOLD)]
        if subject["target"] not in ("", name):
            yield [
                (f"{_INDENT}Target  ", _FAINT),
                (cut(log_safe(subject["target"], lines=False), 200), _PLAIN),
            ]
        facts = [
            effort(run),
            f"{run['seconds']:,.1f} s",
            f"profile {cut(log_safe(run['profile'], lines=False), 40)}" + (", strict" if run["strict"] else ""),
            f"seed {run['seed']}",
            f"contract {contract['version']} ({contract['sha256'][:8]})"
            + log_safe(overlays_note(contract), lines=False),
        ]
        yield from self.wrapped(f" {self.dot} ".join(facts), _INDENT, _FAINT)
        if run.get("left_behind"):
            left = log_safe(run["left_behind"], lines=False)
            yield from self.wrapped(f"left behind, never closed: {left}", _INDENT, _FAINT)

    def heading(self, verdict: str, count: int) -> Line:
        return [(f"{WORDS[verdict].heading} ({count})", MARKUP[verdict] | _BOLD)]

    def clause(self, clause: Mapping[str, Any]) -> Iterator[Line]:
        verdict = clause["verdict"]
        yield [
            (f"{self.glyph(WORDS[verdict])} {clause['id']}", MARKUP[verdict]),
            (f"  {clause['level']}", _FAINT),
        ]
        yield from self.wrapped(clause["title"], _INDENT, _PLAIN)
        if clause["reason"]:
            yield from self.field("reason", clause["reason"], _PLAIN)
        most = {0: 1, 1: 3}.get(self.verbose, len(clause["evidence"]))
        for item in clause["evidence"][:most]:
            yield from self.evidence(clause, item)
            line = replay_of(clause, item, self.report)
            if line:
                yield [(_INDENT, _PLAIN), (log_safe(line, lines=False), {"cyan": True})]
        note = evidence_note(clause, min(most, len(clause["evidence"])))
        if note:
            yield [(f"{_INDENT}{'...' if self.ascii else '…'} {note}", _FAINT)]

    def evidence(self, clause: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[Line]:
        yield from self.field("found", found_text(clause, item), _BOLD)
        if item["expected"] or item["actual"]:
            yield from self.field("expected", item["expected"], {"green": True})
            yield from self.field("actual", item["actual"], {"red": True})
        curl, sent = curl_of(clause, item), sent_of(clause, item)
        if self.verbose >= 2:
            yield from self.exchange(item)
        elif sent:
            yield from self.field("sent", sent, _PLAIN)
        if len(curl) > _CURL_LIMIT and self.verbose < 2:
            note = f"(the curl line has {len(curl):,} characters: see the report, or use -vv)"
            yield [(_INDENT + note, _FAINT)]
        elif curl:
            # On a line of its own and never wrapped, so that it can be copied.
            yield [(_INDENT, _PLAIN), (log_safe(curl, lines=False), {"cyan": True})]

    def exchange(self, item: Mapping[str, Any]) -> Iterator[Line]:
        request, response = item["request"], item["response"]
        if request:
            sent = [f"{request['method']} {request['url']}", *_message(request)]
            yield from self.field("sent", "\n".join(sent), _PLAIN)
            got = [item.get("outcome") or "no response", *(_message(response) if response else [])]
            yield from self.field("got", "\n".join(got), _PLAIN)

    def field(self, name: str, text: str, markup: dict[str, bool]) -> Iterator[Line]:
        """Yield a name with a text; each further line of the text begins with a bar, which marks it as quoted."""
        room = self.width - len(_INDENT) - 11
        lines = list(wrap(log_safe(text), room)) or ["(nothing)"]
        yield [(f"{_INDENT}{name:<9} ", _FAINT), (lines[0], markup)]
        most = _LINES_LIMIT if self.verbose < 2 else len(lines)
        for line in lines[1:most]:
            yield [(f"{_INDENT}{self.bar:>9} ", _FAINT), (line, markup)]
        if len(lines) > most:
            note = f"({len(lines) - most} more lines: see the report, or use -vv)"
            yield [(f"{_INDENT}{self.bar:>9} {note}", _FAINT)]

    def wrapped(self, text: str, indent: str, markup: dict[str, bool]) -> Iterator[Line]:
        for line in wrap(text, self.width - len(indent)):
            yield [(indent + line, markup)]

    def unexercised(self, document: Document) -> Iterator[Line]:
        clauses = with_verdict(document, "not-exercised")
        if not clauses:
            return
        yield []
        yield self.heading("not-exercised", len(clauses))
        by_reason: dict[str, list[str]] = {}
        for clause in clauses:
            by_reason.setdefault(clause["reason"], []).append(clause["id"])
        yield from self.listed("reason", by_reason)

    def limits(self, document: Document) -> Iterator[Line]:
        found = limited(document)
        if found:
            count = len({clause for ids in found.values() for clause in ids})
            yield []
            yield [(f"Passed with limits ({count})", _BOLD)]
            yield from self.listed("limit", found)

    def listed(self, name: str, ids_by_text: Mapping[str, list[str]]) -> Iterator[Line]:
        for text, ids in ids_by_text.items():
            yield from self.field(name, text, _PLAIN)
            for line in wrap(", ".join(ids), self.width - 13):
                yield [(_INDENT + " " * 10 + line, _FAINT)]

    def passed(self, document: Document) -> Iterator[Line]:
        clauses = with_verdict(document, "pass")
        if clauses:
            yield []
            yield self.heading("pass", len(clauses))
        for clause in clauses:
            times = f"{clause['exchanges']:,}x"
            yield [
                (f"{self.glyph(WORDS['pass'])} ", MARKUP["pass"]),
                (f"{clause['id']:<36} ", _PLAIN),
                (f"{times:>5}", _FAINT),
            ]

    def themes(self, document: Document) -> Iterator[Line]:
        themes = by_theme(document)
        if not themes:
            return
        named = max(len(theme_title(theme)) for theme in themes) + 2
        longest = max(map(len, themes.values()))
        for theme, clauses in themes.items():
            passed = sum(clause["verdict"] == "pass" for clause in clauses)
            signs = [(self.glyph(WORDS[clause["verdict"]]), MARKUP[clause["verdict"]]) for clause in clauses]
            pad = " " * (longest - len(clauses) + 2)
            tally = f"{passed} of {len(clauses)}"
            markup = _FAINT if passed == len(clauses) else _PLAIN
            yield [(f"{_INDENT}{theme_title(theme):<{named}}", _PLAIN), *signs, (pad + tally, markup)]

    def legend(self, document: Document) -> Iterator[Line]:
        found = counts(document)
        used = [WORDS[verdict] for verdict in WORDS if verdict in found and verdict != "pass"]
        if used:
            legend = f" {self.dot} ".join(f"{self.glyph(word)} {word.label}" for word in used)
            yield from self.wrapped(legend, _INDENT, _FAINT)

    def foot(self, document: Document, more: str) -> Iterator[Line]:
        where = standing(document)
        colour = COLOURS[where]
        word = RUN_WORDS[where]
        start = f"{self.glyph(word)} {word.heading}. "
        first, *rest = wrap(sentence(document), self.width - len(start))
        yield [(start, {colour: True, "bold": True}), (first, {colour: True})]
        for line in rest:
            yield [(" " * len(start) + line, {colour: True})]
        if document["run"].get("error"):
            reason = cut(log_safe(document["run"]["error"], lines=False), _REASON_LIMIT)
            yield [(f"{_INDENT}because   ", _FAINT), (reason, _BOLD)]
        elif document["run"].get("incomplete"):
            yield from self.field("because", "the run was interrupted", _BOLD)
        if more:
            yield [(f"{_INDENT}Report: ", _FAINT), (more, _PLAIN)]


def _message(message: Mapping[str, Any]) -> Iterable[str]:
    yield from (f"{name}: {value}" for name, value in message["headers"])
    if message["body"]:
        yield from ("", *message["body"].splitlines())


def wrap(text: str, width: int) -> Iterator[str]:
    """Wrap a text into lines of at most ``width`` columns."""
    for line in text.expandtabs(4).splitlines() or [""]:
        # Clause ids and options are not broken. The indentation of the text is kept, white space at a break is not.
        first, *rest = textwrap.wrap(line, width, drop_whitespace=False, break_on_hyphens=False) or [""]
        yield first.rstrip()
        yield from (piece.strip() for piece in rest if not piece.isspace())
