"""When to give up on a client: five fresh starts in a row without one good answer."""

from __future__ import annotations

import threading

from batch_conformance.checks.result import CouldNotRun

#: Fresh starts in a row, after the first failure, that may come to nothing (interface, driver protocol).
RESPAWNS = 5


class Patience:
    """Counts failures in a row over all processes of a client; any good answer starts the count anew.

    Calls that were under way side by side may all have been of the kind that breaks the client: only when a thread
    sees its next call fail as well is it the client that is broken.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._broken = 0
        self._met_by: set[int] = set()
        self._lock = threading.Lock()

    @property
    def broken_in_a_row(self) -> int:
        """Failures since the last good answer. One more than five ends the run."""
        return self._broken

    def good(self) -> None:
        """The client gave an answer that keeps to the protocol, whatever it says."""
        with self._lock:
            self._broken = 0
            self._met_by.clear()

    def broke(self, reason: str) -> None:
        """The client crashed, hung or broke the protocol; ``reason`` is fit to be shown.

        Raises ``CouldNotRun`` when the fifth fresh start came to nothing too.
        """
        with self._lock:
            self._broken += 1
            spent = self._broken > RESPAWNS and threading.get_ident() in self._met_by
            self._met_by.add(threading.get_ident())
        if spent:
            raise CouldNotRun(
                f"{self._client} broke {RESPAWNS + 1} times in a row, {RESPAWNS} fresh starts included; "
                f"the last time it {reason}"
            )
