"""``--batch-baseline FILE``: comparison of the run with an earlier report."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from batch_conformance.plugin.options import Options, UsageProblem
from batch_conformance.plugin.subjects import Kind, side_of
from batch_conformance.report.changes import Changes, NotComparable, compare_reports
from batch_conformance.report.files import JSON_NAME, MalformedReport, read_report
from batch_conformance.report.labels import Document

_OPTION = "--batch-baseline"


def check(options: Options, kinds: Collection[Kind] = ()) -> None:
    """Check that the file is a report of a side under test. Raises :class:`UsageProblem`."""
    if options.baseline is None:
        return
    side = _read(options)["subject"]["side"]
    if kinds and side not in {side_of(kind) for kind in kinds}:
        raise UsageProblem(f"{_OPTION} is a report of a {side}, and this run tests: {', '.join(kinds)}")


def compare(options: Options, documents: Mapping[Kind, Document]) -> tuple[dict[Kind, Changes], list[str]]:
    """Return the changes of each subject on the side of the baseline, and notes on failed comparisons."""
    found: dict[Kind, Changes] = {}
    if options.baseline is None:
        return found, []
    notes = []
    baseline = _read(options)
    for kind, document in documents.items():
        if side_of(kind) == baseline["subject"]["side"]:
            try:
                found[kind] = compare_reports(baseline, document)
            except NotComparable as problem:
                notes.append(f"{_OPTION}: {problem}")
    return found, notes


def _read(options: Options) -> Document:
    path = options.baseline
    assert path is not None
    if path.is_dir():
        path = path / JSON_NAME
    name = path.relative_to(options.start).as_posix() if path.is_relative_to(options.start) else str(path)
    try:
        return read_report(path)
    except FileNotFoundError:
        raise UsageProblem(f"{_OPTION}: there is no report {name}") from None
    except OSError as error:
        raise UsageProblem(f"{_OPTION}: {name} cannot be read: {error.strerror}") from None
    except MalformedReport as problem:
        raise UsageProblem(f"{_OPTION}: {problem}") from None


def add_to_markdown(path: Path, lines: list[str]) -> None:
    """Append the changes to a Markdown report."""
    path.write_text(path.read_text("utf-8") + "\n" + "\n".join(lines) + "\n", "utf-8", newline="\n")
