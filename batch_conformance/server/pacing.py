"""The request rate of a run."""

from __future__ import annotations

import time


class Pacer:
    """Holds a rate: each request is sent at least ``1/rate`` seconds after the one before; None for no limit."""

    def __init__(self, rate: float | None) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next request may be sent."""
        if not self._interval:
            return
        now = time.monotonic()
        if self._next > now:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._interval
