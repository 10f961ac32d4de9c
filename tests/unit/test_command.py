"""The command that outputs tell users to run."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from batch_conformance.report import command


def test_where_it_is_vendored_python_is_told_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendored suite has no installed script."""
    assert command.program() == "batch-conformance"

    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    command.program.cache_clear()
    monkeypatch.setattr(command, "distribution", missing)
    try:
        words = command.program().split(" ")
    finally:
        command.program.cache_clear()
    assert words[0].startswith("PYTHONPATH=")
    assert words[1:] == ["python", "-m", "batch_conformance"]
