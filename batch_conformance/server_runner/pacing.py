"""The request rate of a run."""

from __future__ import annotations

import time


class Pacer:
    """Limits the rate: each request is sent at least ``1/rate`` seconds after the last; None for no limit.

    ``rate``, in requests per second, may be lowered at any time.
    """

    def __init__(self, rate: float | None) -> None:
        self.rate = rate
        self._next = 0.0

    def wait(self) -> None:
        """Block until the next request may be sent."""
        if not self.rate:
            return
        now = time.monotonic()
        if self._next > now:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.rate
