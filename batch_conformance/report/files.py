"""Report files: written atomically, read and validated."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

from batch_conformance.checks.result import RunResult
from batch_conformance.http.text import visible
from batch_conformance.report.document import check_document, first_violation, report_document
from batch_conformance.report.labels import Document
from batch_conformance.report.partial import is_partial
from batch_conformance.report.replaying import JSON_NAME as JSON_NAME

HTML_NAME = "conformance.html"
MARKDOWN_NAME = "conformance.md"
BADGE_NAME = "badge.svg"
ENDPOINT_NAME = "badge.json"


class ReportNotWritten(OSError):
    """Raised when a report cannot be written. The message is one line for the user."""


class MalformedReport(ValueError):
    """Raised for a file that is not a report of this suite. The message says which file, where, and what to do."""


def write_reports(run: RunResult, folder: Path) -> list[Path]:
    """Write ``conformance.json``, ``.html``, ``.md`` and two badges into ``folder``; return their paths.

    A partial run has no verdict, so no badges. Each file is written atomically.

    Raises ``ReportNotWritten`` when the folder cannot be written to, and ``ReportBug`` when the report breaks
    its own schema.
    """
    document = report_document(run)
    check_document(document)
    return write_document(document, folder)


def write_document(document: Document, folder: Path) -> list[Path]:
    """Write the files of an existing report document. Raises ``ReportNotWritten``."""
    # Imported here: not needed to read a report.
    from batch_conformance.report.badge import render_badge, render_endpoint
    from batch_conformance.report.html import render_html
    from batch_conformance.report.markdown import render_markdown

    # All are rendered before the first is written: a bug in one format must not leave half a set of reports.
    contents = {
        JSON_NAME: render_json(document),
        HTML_NAME: render_html(document),
        MARKDOWN_NAME: render_markdown(document),
    }
    if not is_partial(document):
        contents |= {BADGE_NAME: render_badge(document), ENDPOINT_NAME: render_endpoint(document)}
    prepare_folder(folder)
    return [write_whole(folder / name, text) for name, text in contents.items()]


def prepare_folder(folder: Path) -> None:
    """Create ``folder`` and check that it can be written to. Raises ``ReportNotWritten``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = _temporary(folder / JSON_NAME)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _not_written(folder, error) from error


def write_whole(path: Path, text: str) -> Path:
    """Write a text file atomically. Raises ``ReportNotWritten``."""
    # The target of a symbolic link is written. Devices and pipes are not replaced by files.
    real = Path(os.path.realpath(path))
    if real.exists() and not (real.is_file() or real.is_dir()):
        raise _not_written(path, OSError(errno.EINVAL, "it is no regular file"))
    temporary = _temporary(real)
    try:
        try:
            temporary.write_text(text, "utf-8", newline="\n")
            temporary.replace(real)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise _not_written(path, error) from error
    return path


def render_json(document: Document) -> str:
    """Return the text of ``conformance.json``. ``<`` is escaped, since the text may be embedded in a web page."""
    return json.dumps(document, ensure_ascii=False, indent=1).replace("<", "\\u003c") + "\n"


def read_report(path: Path) -> Document:
    """Read and validate a ``conformance.json``. Raises ``MalformedReport``."""
    advice = "write it anew by running the suite with --batch-report, or remove it"
    try:
        document = json.loads(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedReport(f"{path} is not UTF-8 (byte {error.start}): {advice}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise MalformedReport(f"{path} is not JSON ({error}): {advice}") from error
    wrong = first_violation(document)
    if wrong:
        raise MalformedReport(f"{path} is not a report of this suite, at {wrong}: {advice}")
    visible_document: Document = _visible(document)
    return visible_document


def _visible(value: Any) -> Any:
    """Make invisible characters visible: a report file is as untrusted as a response."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {name: _visible(item) for name, item in value.items()}
    return [_visible(item) for item in value] if isinstance(value, list) else value


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def _not_written(path: Path, error: OSError) -> ReportNotWritten:
    return ReportNotWritten(f"reports cannot be written to {path}: {error.strerror or error}")
