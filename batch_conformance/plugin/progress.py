"""How far a run is: behind the module's name on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_UNITS = {"server": "requests", "client": "cases"}
#: Seconds between two looks on a terminal, and between two lines in a log.
_TERMINAL, _LOG = 0.1, 10.0
#: Seconds to have gone by before there is something to reckon from.
_RECKON = 3.0


class Progress:
    """Shows how much is done, of how much, and how long the rest will take. Called with what is done so far.

    ``show`` writes a text, in place of the one before; ``every`` is how many seconds go by between two of them.
    ``clock`` tells the seconds.
    """

    def __init__(
        self, kind: str, show: Callable[[str], None], every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kind = kind
        self._show = show
        self._every = every
        self._clock = clock
        self._began = self._last = clock()
        self._total: int | None = None

    def expect(self, total: int) -> None:
        """Take note of how much there is to do."""
        self._total = total

    def __call__(self, done: int) -> None:
        """Show what is done, if it is time to."""
        now = self._clock()
        if now - self._last >= self._every:
            self._last = now
            self._show(self.text(done, now - self._began))

    def text(self, done: int, seconds: float) -> str:
        """What is done after so many seconds, in words."""
        unit = _UNITS.get(self._kind, "")
        if self._total is None or self._total < done:
            return f"{self._kind}: {done} {unit}"
        told = f"{self._kind}: {done} of {self._total} {unit}"
        if seconds < _RECKON or not done:
            return told
        left = seconds / done * (self._total - done)
        return f"{told}, about {_duration(left)} left"

    def close(self) -> None:
        """Take away what is shown."""
        self._show("")


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole / 60:.0f} min"


def progress_line(config: pytest.Config, kind: str) -> Progress | None:
    """What shows the progress of a run; None where nobody looks (a worker, a quiet run)."""
    writer = config.get_terminal_writer() if config.pluginmanager.hasplugin("terminalreporter") else None
    capture = config.pluginmanager.get_plugin("capturemanager")
    if writer is None or capture is None or config.get_verbosity() < 0:
        return None
    if writer.hasmarkup:
        return Progress(kind, _InPlace(writer, capture).show, _TERMINAL)

    def log(text: str) -> None:
        if text:
            with capture.global_and_fixture_disabled():
                if writer.width_of_current_line:
                    writer.line()
                writer.line(text)

    return Progress(kind, log, _LOG)


class _InPlace:
    """Writes behind what stands on the line, and goes back there: nothing of it is overwritten."""

    def __init__(self, writer: Any, capture: Any) -> None:
        self._writer = writer
        self._capture = capture
        self._shown = 0

    def show(self, text: str) -> None:
        """Show a text in place of the one before; the empty one takes it away."""
        # The last column stays free: a cursor beyond it has no way back.
        room = max(0, self._writer.fullwidth - self._writer.width_of_current_line - 2)
        text = f" {text}"[:room] if text else ""
        padded = text.ljust(self._shown)
        if not padded:
            return
        self._shown = len(text)
        with self._capture.global_and_fixture_disabled():
            # Past the writer, which would count it to the line.
            self._writer._file.write(padded + "\b" * len(padded))
            self._writer.flush()
