"""Command line that starts ``batch-conformance``, where it is installed and where it is vendored."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shlex import quote
from typing import Any

from batch_conformance.contract import current_contract

_DISTRIBUTION = "sync-batch-conformance"
_PACKAGE = Path(__file__).resolve().parents[1]


def shown_path(file: Path) -> str:
    """Return a file's path as it is written on a command line: relative to the current folder if it is below it."""
    path = Path(os.path.relpath(file))
    return (file if ".." in path.parts else path).as_posix()


def overlay_files() -> list[str]:
    """Return the files of the overlays of the current contract, as they are written on a command line."""
    return [shown_path(overlay.file) if overlay.file else "" for overlay in current_contract().overlays]


def overlay_options(files: Iterable[str]) -> list[str]:
    """Return the options that apply overlays for a command that is not pytest."""
    return [word for file in files if file for word in ("--overlay", file)]


def extra_line(extra: str) -> str:
    """Return what to do for an extra that is missing: a pip line, or the file that says what a vendored suite needs."""
    if _is_installed():
        return f"pip install '{_DISTRIBUTION}[{extra}]'"
    return f"install what {shown_path(_PACKAGE.parent / 'requirements.txt')} names for suites/{extra}"


def explain_line(document: Mapping[str, Any], clause: str) -> str:
    """Return the command that explains a clause of the contract of a report."""
    return " ".join([program(), "explain", clause, *map(quote, overlay_options(document["run"].get("overlays", ())))])


def _is_installed() -> bool:
    try:
        distribution(_DISTRIBUTION)
    except PackageNotFoundError:
        return False
    return True


@cache
def program() -> str:
    """Return ``batch-conformance`` if the distribution is installed, else a ``python -m`` line with ``PYTHONPATH``."""
    if _is_installed():
        return "batch-conformance"
    folder = Path(os.path.relpath(_PACKAGE.parent)).as_posix()
    return f"PYTHONPATH={quote(folder)} python -m {_PACKAGE.name}"
