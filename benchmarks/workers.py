"""Time of the suites without pytest-xdist, with one worker, and with two."""

from __future__ import annotations

import sys
import tempfile
from statistics import median

from benchmarks.process import Ran, run

SETUPS: dict[str, list[str]] = {"no xdist": [], "-n 1": ["-n", "1"], "-n 2": ["-n", "2"]}


def measure(rounds: int) -> list[tuple[str, float, float]]:
    """Return rows of a setup and its medians: wall-clock seconds, CPU seconds."""
    runs: dict[str, list[Ran]] = {name: [] for name in SETUPS}
    for _ in range(rounds):
        for name, words in SETUPS.items():
            runs[name].append(_suites(words))
    return [(name, median(ran.seconds for ran in rans), median(ran.cpu for ran in rans)) for name, rans in runs.items()]


def _suites(words: list[str]) -> Ran:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "suites/server",
            "suites/client",
        ]
        ran = run([*command, "--batch-report", folder, *words])
    if ran.status:
        raise RuntimeError(ran.output[-2000:])
    return ran
