"""``diff OLD NEW``: compare two reports."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from batch_conformance.cli import COULD_NOT_RUN, FAILED, PASSED, PROGRAM, WRONG_USAGE, Misuse
from batch_conformance.cli.parsing import parser_of
from batch_conformance.report.changes import NotComparable, NoVerdict, compare_reports
from batch_conformance.report.changes_text import changes_json, changes_lines, changes_markdown
from batch_conformance.report.files import JSON_NAME, MalformedReport, read_report
from batch_conformance.report.labels import Document
from batch_conformance.report.terminal import can_show


def diff(arguments: Sequence[str]) -> int:
    """Print the changes. Status 1 if a clause is newly broken, 3 if a report has no verdict."""
    parser = parser_of("diff", "Compare two reports of one subject; status 1 only if a clause is newly broken.")
    parser.add_argument("old", metavar="OLD", type=Path, help="the older report: a conformance.json, or its folder")
    parser.add_argument("new", metavar="NEW", type=Path, help="the newer report")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as Markdown, e.g. for a pull request")
    form.add_argument("--json", action="store_true", help="as JSON")
    given = parser.parse_args(arguments)
    try:
        changes = compare_reports(read_one(given.old), read_one(given.new))
    except NotComparable as problem:
        print(f"{PROGRAM} diff: {problem}", file=sys.stderr)
        return COULD_NOT_RUN if isinstance(problem, NoVerdict) else WRONG_USAGE
    if given.json:
        text = changes_json(changes)
    else:
        text = "\n".join(changes_markdown(changes) if given.markdown else changes_lines(changes))
    if not can_show(sys.stdout.encoding):
        text = text.replace("→", "->").encode("ascii", "replace").decode()
    print(text)
    return FAILED if changes.broke else PASSED


def read_one(place: Path) -> Document:
    """Read a report by its file or its folder. Raises :class:`Misuse`."""
    path = place / JSON_NAME if place.is_dir() else place
    try:
        return read_report(path)
    except FileNotFoundError:
        raise Misuse(f"there is no report {path}") from None
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}") from None
    except MalformedReport as problem:
        raise Misuse(str(problem)) from None
