"""Recorded traffic: mocks, HAR files and cassettes, judged by the server's judges without sending anything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from batch_conformance.judge.result import CouldNotRun, RunResult


def judge_recorded(
    patterns: Sequence[str], *, folder: Path, selected: Collection[str] | None = None, strict: bool = False
) -> RunResult:
    """Judge the recordings that match ``patterns``, relative to ``folder``."""
    raise CouldNotRun("recorded traffic cannot be judged yet")
