"""Reports and verdict at the end of pytest's output."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from batch_conformance.http.text import log_safe
from batch_conformance.report.changes_text import changes_lines, changes_markdown
from batch_conformance.report.closing import LINES, closing_lines
from batch_conformance.report.github import annotation_lines, write_step_summary
from batch_conformance.report.replaying import JSON_NAME
from batch_conformance.report.terminal import can_show, render_terminal, write_lines

if TYPE_CHECKING:
    import pytest

    from batch_conformance.plugin.subjects import Kind
    from batch_conformance.plugin.verdicts import Verdicts


def show_verdicts(reporter: pytest.TerminalReporter, verdicts: Verdicts) -> None:
    """Write the report on each subject; on GitHub Actions also annotations and the step summary."""
    ascii_only = _ascii_only(reporter)
    for side, document in verdicts.judged().items():
        reporter.section(f"batch conformance: {side}")
        _, place = _places(verdicts, side)
        render_terminal(
            document,
            reporter.write,
            width=_width(),
            verbose=max(0, reporter.verbosity),
            ascii_only=ascii_only,
            report=place,
            foot=False,
        )
        for line in annotation_lines(document, os.environ, place):
            reporter.write_line(line)
        changes = verdicts.changes.get(side)
        if changes:
            reporter.write_line("compared with the baseline:")
            for line in changes_lines(changes):
                reporter.write_line(f"  {line.replace('→', '->') if ascii_only else line}")
        more = list(changes_markdown(changes, level=2)) if changes else []
        write_step_summary(document, os.environ, more)


def show_closing(reporter: pytest.TerminalReporter, verdicts: Verdicts) -> None:
    """Write the verdicts, after the output of pytest and all plugins."""
    documents = verdicts.judged()
    notes = [f"batch conformance: {note}" for note in dict.fromkeys(verdicts.notes)]
    if documents or notes or verdicts.problems:
        reporter.ensure_newline()
        reporter.section("batch conformance")
    for side, document in documents.items():
        page, place = _places(verdicts, side)
        lines = closing_lines(
            document,
            width=_width(),
            lines=(LINES - 1 - len(verdicts.problems)) // len(documents),
            ascii_only=_ascii_only(reporter),
            more=page,
            report=place,
            notes=notes,
        )
        write_lines(lines, reporter.write, ascii_only=_ascii_only(reporter))
        notes = []
    for note in notes:
        reporter.write_line(log_safe(note, lines=False), yellow=True)
    for problem in verdicts.problems:
        reporter.write_line(f"batch conformance: {problem}", red=True)


def _places(verdicts: Verdicts, side: Kind) -> tuple[str, str]:
    """Return the paths of the HTML report (empty if it was not written) and of ``conformance.json``."""
    paths = [path for path in verdicts.written.get(side, []) if path.suffix == ".html"]
    if not paths:
        return "", JSON_NAME
    return os.path.relpath(paths[0]), os.path.relpath(paths[0].with_name(JSON_NAME))


def _ascii_only(reporter: pytest.TerminalReporter) -> bool:
    return not can_show(getattr(reporter._tw._file, "encoding", None))


def _width() -> int:
    import shutil

    return min(110, shutil.get_terminal_size().columns)
