"""Recovery of a target that goes down during a run: wait for it, and find the request that crashed it.

A request is blamed only if the target goes down again when it is repeated. Otherwise a deployment, or a
request of another client, would be reported as a failure.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.http import Exchange, Failure
from batch_conformance.server_runner.liveness import is_alive, kind_of
from batch_conformance.server_runner.planned_request import PlannedRequest

if TYPE_CHECKING:
    from batch_conformance.server_runner.sender import Sender

#: How long to wait for a target that went down: so many timeouts, and at most so many seconds.
_MAX_WAIT_TIMEOUTS, _MAX_WAIT = 3, 30.0
#: Seconds between two attempts to connect: at first, and at most.
_FIRST_PAUSE, _MAX_PAUSE = 0.05, 1.0
#: Requests before the first unanswered one that may have crashed the target with a delay.
_LOOK_BACK = 3
#: Seconds that a process may take to exit after its response.
_EXIT_DELAY = 0.25
#: Characters of a request's path that a message shows.
_PATH_LIMIT = 150


class TargetLost(CouldNotRun):
    """The target went down and did not come back. Findings made before remain valid."""


class Recovery:
    """The requests that may have crashed the target. ``crashes`` are the exchanges that did, twice each."""

    def __init__(self, sender: Sender) -> None:
        self.crashes: list[Exchange] = []
        self._sender = sender
        self._max_wait = min(_MAX_WAIT, _MAX_WAIT_TIMEOUTS * sender.transport.timeout)
        self._unanswered: list[tuple[PlannedRequest, Exchange]] = []
        self._answered: deque[PlannedRequest] = deque(maxlen=_LOOK_BACK)
        self._unexplained = 0

    def note(self, send: PlannedRequest, exchange: Exchange) -> None:
        """Record the outcome of a request."""
        if not is_alive(exchange):
            self._unanswered.append((send, exchange))
            return
        self._unanswered.clear()
        if kind_of(send)[:3] != ("known", "valid", True) or send.headers or send.query:
            self._answered.append(send)

    def note_alive(self) -> None:
        """Record that the target is up: the unanswered requests so far did not crash it."""
        self._unanswered.clear()

    def recover(self) -> Exchange:
        """Wait for the target, then repeat the unanswered requests. Returns the exchange of the last one.

        Raises :class:`TargetLost` when the target does not come back.
        """
        suspects, self._unanswered = self._unanswered, []
        self._wait([exchange for _, exchange in suspects])
        before = len(self.crashes)
        latest = suspects[-1][1]
        for send, first in suspects:
            latest = self._repeat(send, first)
        if len(self.crashes) == before:
            self._look_back()
        if len(self.crashes) == before:
            self._unexplained += 1
            if self._unexplained > 1:
                # Once may be a deployment; a target that keeps going down is not available.
                self._sender.restore([exchange for _, exchange in suspects])
            self._sender.note("the target went down and came back, and no repeated request brought it down again")
        return latest

    def wait_out(self, exchanges: Sequence[Exchange]) -> None:
        """Wait for the target after requests sent side by side, which stay recorded.

        Raises :class:`TargetLost`.
        """
        self._wait(exchanges, keep=True)

    def _repeat(self, send: PlannedRequest, first: Exchange) -> Exchange:
        sender = self._sender
        sender.set_aside(first)
        repeated = sender.record(send)
        if is_alive(repeated) or sender.is_there(send):
            return repeated
        crash = self._blame(send, repeated)
        self._wait([crash], keep=True)
        return crash

    def _look_back(self) -> None:
        """Repeat the last requests that were answered: a process may exit just after its response."""
        sender = self._sender
        for send in reversed(list(self._answered)):
            repeated = sender.record(send)
            if is_alive(repeated) and self._stays_up(send):
                sender.set_aside(repeated)
                continue
            crash = self._blame(send, repeated)
            self._wait([crash], keep=True)
            return

    def _stays_up(self, send: PlannedRequest) -> bool:
        """Whether the target is still up a moment after a response."""
        time.sleep(_EXIT_DELAY)
        return self._sender.is_there(send)

    def _blame(self, send: PlannedRequest, exchange: Exchange) -> Exchange:
        outcome = exchange.failure.message if exchange.failure else f"after its answer, {exchange.outcome()}"
        message = f"the target went down, and again when the request was repeated: {outcome}"
        crash = replace(exchange, response=None, failure=Failure("reset", message))
        self._sender.replace(exchange, crash)
        self._sender.liveness.note_crash(send)
        self._answered.clear()
        self.crashes.append(crash)
        return crash

    def _wait(self, last: Sequence[Exchange], *, keep: bool = False) -> None:
        sender = self._sender
        number = sender.exchanges.index(last[0])
        deadline = time.monotonic() + self._max_wait
        pause = _FIRST_PAUSE
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(2 * pause, _MAX_PAUSE)
            if sender.transport.connects(_MAX_PAUSE) and sender.sign(sender.transport.timeout):
                return
        if not keep:
            for exchange in last:
                sender.set_aside(exchange)
        raise TargetLost(
            f"{sender.target.url} stopped answering after {number} requests: {_failure_text(last[0])}; "
            f"the last request was {described(last[0])}, and nothing came within {self._max_wait:g} s after it"
        )


def described(exchange: Exchange) -> str:
    """Describe a request by its method, path (a query may hold a key) and label."""
    path = urlsplit(exchange.request.url).path or exchange.request.url
    path = path if len(path) <= _PATH_LIMIT else f"{path[:_PATH_LIMIT]}…"
    label = f" ({exchange.intent.label})" if exchange.intent.label else ""
    return f"{exchange.request.method} {path}{label}"


def _failure_text(exchange: Exchange) -> str:
    return exchange.failure.message if exchange.failure else exchange.outcome()
