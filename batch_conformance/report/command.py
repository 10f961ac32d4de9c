"""Command line that starts ``batch-conformance``, where it is installed and where it is vendored."""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shlex import quote

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def program() -> str:
    """Return ``batch-conformance`` if the distribution is installed, else a ``python -m`` line with ``PYTHONPATH``."""
    try:
        distribution("sync-batch-conformance")
    except PackageNotFoundError:
        folder = os.path.relpath(_PACKAGE.parent)
        return f"PYTHONPATH={quote(Path(folder).as_posix())} python -m {_PACKAGE.name}"
    return "batch-conformance"
