"""Last lines of a run in a terminal: one line for each failed clause, the verdict, the next commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from batch_conformance.http.text import cut, log_safe
from batch_conformance.report.command import explain_line
from batch_conformance.report.labels import (
    RUN_WORDS,
    WORDS,
    Document,
    fault,
    sentence,
    standing,
    with_verdict,
)
from batch_conformance.report.replaying import JSON_NAME, replay_of
from batch_conformance.report.terminal import COLOURS, MARKUP, Line, wrap

#: Lines that fit on a terminal of 24 lines, with one left for the prompt.
LINES = 23
#: Verdicts whose clauses get one line each, the worst first.
_LISTED = ("fail", "error", "warn", "known-failure")
_PLAIN: dict[str, bool] = {}
_FAINT = {"light": True}
_COMMAND = {"cyan": True}
_INDENT = "  "


def closing_lines(
    document: Document,
    *,
    width: int = 80,
    lines: int = LINES,
    ascii_only: bool = False,
    more: str = "",
    report: str = JSON_NAME,
    notes: Sequence[str] = (),
) -> list[Line]:
    """Return at most ``lines`` lines of at most ``width`` columns. Commands and paths are never wrapped.

    ``more`` is the path of the whole report, ``report`` that of ``conformance.json``; ``notes`` are printed before the
    verdict.
    """
    closing = _Closing(document, max(40, min(width, 120)), ascii_only, report)
    end = [*closing.verdict(), *closing.next_steps(more)]
    texts = (log_safe(note, lines=False) for note in notes)
    note_lines = [[(line, {"yellow": True})] for text in texts for line in wrap(text, closing.width)]
    taken = sum(_height(line, closing.width) for line in end)
    note_lines = note_lines[: max(0, min(len(note_lines), lines - taken - 4))]
    return [*closing.clauses(max(1, lines - taken - len(note_lines))), *note_lines, *end]


def _height(line: Line, width: int) -> int:
    """Return the number of terminal rows that a line takes when the terminal wraps it."""
    return max(1, -(-sum(len(text) for text, _ in line) // width))


class _Closing:
    def __init__(self, document: Document, width: int, ascii_only: bool, report: str) -> None:
        self._document = document
        self.width = width
        self._ascii = ascii_only
        self._report = report

    def clauses(self, room: int) -> Iterator[Line]:
        """Yield one line for each clause that did not pass, as many as there is room for."""
        # In a run with an error, all other clauses have that error as their reason: only failures are listed.
        verdicts = ("fail",) if self._document["run"].get("error") else _LISTED
        rows = [(verdict, clause) for verdict in verdicts for clause in with_verdict(self._document, verdict)]
        if not rows:
            return
        fit = len(rows) if len(rows) <= room - 1 else max(1, room - 2)
        longest = max(len(clause["id"]) for _, clause in rows[:fit])
        for verdict, clause in rows[:fit]:
            yield self._clause(verdict, clause, longest)
        if fit < len(rows):
            dots = "..." if self._ascii else "…"
            yield [(f"{_INDENT}{dots} and {len(rows) - fit} more clauses, in the report", _FAINT)]
        yield []

    def _clause(self, verdict: str, clause: Mapping[str, Any], longest: int) -> Line:
        word = WORDS[verdict]
        head = f"{word.letter if self._ascii else word.glyph} {clause['id']:<{longest}}"
        what = fault(clause["evidence"][0]) if clause["evidence"] else clause["reason"]
        room = self.width - len(head) - 2
        if room < 12:
            return [(head.rstrip(), MARKUP[verdict])]
        return [(head, MARKUP[verdict]), (f"  {_one_line(what, room, ascii_only=self._ascii)}", _PLAIN)]

    def verdict(self) -> Iterator[Line]:
        """Yield the verdict of the run with its counts, and the reason where there is no verdict."""
        where = standing(self._document)
        word, colour = RUN_WORDS[where], COLOURS[where]
        side = self._document["subject"]["side"].capitalize()
        start = f"{word.letter if self._ascii else word.glyph} {side}: {_lower(word.heading)}. "
        first, *_ = wrap(sentence(self._document), self.width - len(start))
        yield [(start, {colour: True, "bold": True}), (first, {colour: True})]
        for line in wrap(sentence(self._document)[len(first) :].strip(), self.width - len(_INDENT)):
            if line:
                yield [(_INDENT + line, {colour: True})]
        if self._document["run"].get("error"):
            # Never wrapped, so that it can be searched for.
            reason = cut(log_safe(self._document["run"]["error"], lines=False), 600)
            yield [(f"{_INDENT}because  ", _FAINT), (reason, {"bold": True})]
        elif self._document["run"].get("incomplete"):
            yield [(f"{_INDENT}because  ", _FAINT), ("the run was interrupted", {"bold": True})]

    def next_steps(self, more: str) -> Iterator[Line]:
        """Yield the path of the report, and the commands that replay and explain the first failure."""
        if more:
            yield [(f"{_INDENT}report   ", _FAINT), (more, _PLAIN)]
        failed = with_verdict(self._document, "fail") or with_verdict(self._document, "warn")
        if not failed:
            return
        first = failed[0]
        command = next((line for item in first["evidence"] if (line := replay_of(first, item, self._report))), "")
        if command:
            yield [(f"{_INDENT}replay   ", _FAINT), (log_safe(command, lines=False), _COMMAND)]
        yield [(f"{_INDENT}explain  ", _FAINT), (explain_line(self._document, first["id"]), _COMMAND)]


def _one_line(text: str, room: int, *, ascii_only: bool) -> str:
    flat = " ".join(log_safe(text, lines=False).split())
    dots = "..." if ascii_only else "…"
    return flat if len(flat) <= room else flat[: room - len(dots)].rstrip() + dots


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
