"""One run for all xdist workers: the first one that needs a verdict makes the run, the others read its report."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

_INPUT = "batch_conformance_shared"
_SELECTED = "selected"


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def shared_folder(config: pytest.Config) -> Path:
    """The folder through which the processes of this pytest run share their verdicts; redacted text only."""
    if is_worker(config):
        folder = config.workerinput.get(_INPUT)  # type: ignore[attr-defined]
        if folder is None:
            # Workers collect, the process that started them does not: it has not met the folder's conftest.py.
            raise pytest.UsageError(
                "under pytest-xdist, name the folder of the suite on the command line or in testpaths"
            )
        return Path(folder)
    folder = getattr(config, "_batch_conformance_shared", None)
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="batch-conformance-"))
        config._batch_conformance_shared = folder  # type: ignore[attr-defined]
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    return Path(folder)


def share_with_worker(node: Any) -> None:
    """Hand the folder to a worker that is about to start. Any run may have workers: nothing else is done here."""
    node.workerinput[_INPUT] = str(shared_folder(node.config))


def note_selection(config: pytest.Config) -> None:
    """Let all processes of this run know that tests of the suites were selected."""
    (shared_folder(config) / _SELECTED).touch()


def anything_selected(config: pytest.Config) -> bool:
    """Whether tests of the suites were selected, here or in a worker."""
    folder = getattr(config, "_batch_conformance_shared", None)
    return folder is not None and (folder / _SELECTED).exists()
