"""The verdict at the end of pytest's output."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from batch_conformance.http.text import log_safe
from batch_conformance.report.changes_text import changes_lines, changes_markdown
from batch_conformance.report.github import annotation_lines, write_step_summary
from batch_conformance.report.replaying import JSON_NAME
from batch_conformance.report.terminal import can_show, render_terminal

if TYPE_CHECKING:
    import pytest

    from batch_conformance.plugin.verdicts import Verdicts


def show_verdicts(reporter: pytest.TerminalReporter, verdicts: Verdicts) -> None:
    """Write a verdict a side, then where the reports are; under GitHub Actions, annotations and the step summary."""
    documents = verdicts.judged()
    for side, document in documents.items():
        reporter.section(f"batch conformance: {side}")
        paths = [path for path in verdicts.written.get(side, []) if path.suffix == ".html"]
        place = os.path.relpath(paths[0].with_name(JSON_NAME)) if paths else JSON_NAME
        render_terminal(
            document,
            reporter.write,
            width=_width(),
            verbose=max(0, reporter.verbosity),
            ascii_only=not can_show(getattr(reporter._tw._file, "encoding", None)),
            more=os.path.relpath(paths[0]) if paths else "",
            report=place,
        )
        for line in annotation_lines(document, os.environ, place):
            reporter.write_line(line)
        changes = verdicts.changes.get(side)
        if changes:
            reporter.write_line("compared with the baseline:")
            for line in changes_lines(changes):
                shown = line if can_show(getattr(reporter._tw._file, "encoding", None)) else line.replace("→", "->")
                reporter.write_line(f"  {shown}")
        more = list(changes_markdown(changes, level=2)) if changes else []
        write_step_summary(document, os.environ, more)
    for note in verdicts.notes:
        reporter.write_line(f"batch conformance: {log_safe(note, lines=False)}", yellow=True)
    for problem in verdicts.problems:
        reporter.write_line(f"batch conformance: {problem}", red=True)


def _width() -> int:
    import shutil

    return min(110, shutil.get_terminal_size().columns)
