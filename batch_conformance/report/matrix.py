"""Builder of the matrix page: ``python -m batch_conformance.report.matrix FOLDER``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from batch_conformance.report.comparison import Column, Comparison, read_columns
from batch_conformance.report.files import MalformedReport, ReportNotWritten, write_whole

INDEX_NAME = "index.html"


def write_matrix(folder: Path) -> Path:
    """Build ``index.html`` from every ``conformance.json`` below ``folder``; return its path.

    Raises ``FileNotFoundError`` if there is no report, ``MalformedReport`` if a file is not a report, and
    ``ReportNotWritten`` if the page cannot be written.
    """
    from batch_conformance.report.matrix_html import render_matrix

    columns = read_columns(folder)
    if not columns:
        raise FileNotFoundError(f"there is no conformance.json below {folder}: run a suite with --batch-report first")
    return write_whole(folder / INDEX_NAME, render_matrix(list(_comparisons(columns))))


def _comparisons(columns: list[Column]) -> Iterator[Comparison]:
    for side in ("client", "server"):
        of_side = [column for column in columns if column.side == side]
        if of_side:
            yield Comparison.of(side, of_side)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit status: 0, or 4 with one line on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m batch_conformance.report.matrix",
        description="Builds the matrix page from the reports below a folder.",
    )
    parser.add_argument("folder", type=Path, help="where the reports are, e.g. reports/published")
    folder: Path = parser.parse_args(arguments).folder
    try:
        path = write_matrix(folder)
    except (FileNotFoundError, MalformedReport, ReportNotWritten) as error:
        print(error, file=sys.stderr)
        return 4
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
