"""One line that shows how far a run is, on a terminal; nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_UNITS = {"server": "requests", "client": "cases"}


def progress_line(config: pytest.Config, kind: str) -> Callable[[int], None] | None:
    """A function that shows a count in place; None where the output is no terminal (a log, a pipe, a worker)."""
    writer = config.get_terminal_writer() if config.pluginmanager.hasplugin("terminalreporter") else None
    capture = config.pluginmanager.get_plugin("capturemanager")
    if writer is None or capture is None or not writer.hasmarkup or config.get_verbosity() < 0:
        return None

    def show(count: int) -> None:
        # Ten a time: writing to a terminal for each request would slow a fast target down.
        if count % 10 == 0:
            with capture.global_and_fixture_disabled():
                writer.write(f"\r{kind}: {count} {_UNITS.get(kind, '')} \r", flush=True)

    return show
