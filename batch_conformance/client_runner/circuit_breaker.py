"""Circuit breaker: give up on a client after five restarts in a row without one good reply."""

from __future__ import annotations

import threading

from batch_conformance.checks.result import CouldNotRun

#: Restarts in a row, after the first failure, that may fail too (driver protocol).
RESPAWNS = 5


class CircuitBreaker:
    """Counts failures in a row over all processes of a client; a good reply resets the count.

    Concurrent calls may all be of a kind that breaks the client, so the run only ends when a thread that has already
    seen a failure sees another one.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._broken = 0
        self._failed_threads: set[int] = set()
        self._lock = threading.Lock()

    @property
    def broken_in_a_row(self) -> int:
        """Number of failures since the last good reply. The sixth ends the run."""
        return self._broken

    def record_success(self) -> None:
        """Record a reply that conforms to the protocol, whatever its content."""
        with self._lock:
            self._broken = 0
            self._failed_threads.clear()

    def record_failure(self, reason: str) -> None:
        """Record that the client crashed, hung or broke the protocol; ``reason`` must be redacted already.

        Raises ``CouldNotRun`` when the fifth restart has failed too.
        """
        with self._lock:
            self._broken += 1
            spent = self._broken > RESPAWNS and threading.get_ident() in self._failed_threads
            self._failed_threads.add(threading.get_ident())
        if spent:
            raise CouldNotRun(
                f"{self._client} broke {RESPAWNS + 1} times in a row, {RESPAWNS} fresh starts included; "
                f"the last time it {reason}"
            )
