"""Startup time: the whole command, compared with pytest with the same plugins and an empty test."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_SUITE = str(Path(__file__).parents[1] / "suites" / "server")


@dataclass(frozen=True)
class Started:
    """Wall-clock seconds of each command, measured in turns."""

    bare: Sequence[float]
    suite: Sequence[float]


def measure(rounds: int) -> Started:
    """Run both commands in turns, after one warm-up run of each."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "test_nothing.py").write_text("def test_nothing():\n    pass\n", "utf-8")
        turns = [(_seconds(folder, "test_nothing.py"), _seconds(folder, _SUITE)) for _ in range(rounds + 1)][1:]
    return Started([bare for bare, _ in turns], [suite for _, suite in turns])


def _seconds(folder: str, what: str) -> float:
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", what]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - began
