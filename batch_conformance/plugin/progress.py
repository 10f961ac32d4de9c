"""Progress of a run: behind the module's name on a terminal, as a line every few seconds in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_UNITS = {"server": "requests", "client": "cases"}
#: Seconds between two updates on a terminal, and between two lines in a log.
_TERMINAL, _LOG = 0.1, 10.0
#: Seconds after which the remaining time is estimated.
_RECKON = 3.0
#: And once this part of the total is done.
_TELLING = 0.02


class Progress:
    """Progress display, called with the number that is done: shows it with the total and the estimated time left.

    ``show`` writes a text in place of the previous one, at most once in ``every`` seconds; ``clock`` returns seconds.
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
        """Set the expected total."""
        self._total = total

    def __call__(self, done: int) -> None:
        """Show the progress, if ``every`` seconds have passed."""
        now = self._clock()
        if now - self._last >= self._every:
            self._last = now
            self._show(self.text(done, now - self._began))

    def text(self, done: int, seconds: float) -> str:
        """Return the progress after so many seconds as text."""
        unit = _UNITS.get(self._kind, "")
        if self._total is None or self._total < done:
            return f"{self._kind}: {done} {unit if done != 1 else unit.removesuffix('s')}"
        text = f"{self._kind}: {done} of {self._total} {unit}"
        # The first cases may wait for all kinds of things.
        if seconds < _RECKON or done < self._total * _TELLING:
            return text
        left = seconds / done * (self._total - done)
        return f"{text}, about {_duration(left)} left"

    def close(self) -> None:
        """Remove the display."""
        self._show("")


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole / 60:.0f} min"


def progress_line(config: pytest.Config, kind: str) -> Progress | None:
    """Return the progress display of a run; None for an xdist worker and with ``-q``."""
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
    """Writer of a text behind the current line, which moves the cursor back, so that the line goes on as before."""

    def __init__(self, writer: Any, capture: Any) -> None:
        self._writer = writer
        self._capture = capture
        self._shown = 0

    def show(self, text: str) -> None:
        """Show a text in place of the previous one; the empty text removes it."""
        # The last column is left free: backspaces cannot go back over a line break.
        room = max(0, self._writer.fullwidth - self._writer.width_of_current_line - 2)
        text = f" {text}"[:room] if text else ""
        padded = text.ljust(self._shown)
        if not padded:
            return
        self._shown = len(text)
        with self._capture.global_and_fixture_disabled():
            # Not through the writer, which would count the text as part of the line.
            self._writer._file.write(padded + "\b" * len(padded))
            self._writer.flush()
