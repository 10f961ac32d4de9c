"""One run for all xdist workers: the first one that needs a verdict makes the run, the others read its report."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_INPUT = "batch_conformance_shared"


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def shared_folder(config: pytest.Config) -> Path:
    """The folder through which the processes of this pytest run share their verdicts; redacted text only."""
    if is_worker(config):
        return Path(config.workerinput[_INPUT])  # type: ignore[attr-defined]
    folder = getattr(config, "_batch_conformance_shared", None)
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="batch-conformance-"))
        config._batch_conformance_shared = folder  # type: ignore[attr-defined]
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    return Path(folder)


def share_with_worker(node: Any) -> None:
    """Hand the folder to a worker that is about to start."""
    from batch_conformance.plugin import verdicts_of

    verdicts_of(node.config)
    node.workerinput[_INPUT] = str(shared_folder(node.config))
