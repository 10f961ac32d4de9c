"""What to do about a target that goes down in the middle of a run: wait for it, and find the request that did it.

A request is blamed only if the target goes down again when that request is repeated: a deployment, or somebody
else's request, would else be held against the wrong clause.
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

#: Seconds to wait for a target that went down: this many timeouts, and never more than that.
_TIMEOUTS, _LONGEST = 3, 30.0
#: Seconds between two attempts to reach it: at first, and at most.
_SOON, _LATE = 0.05, 1.0
#: How many requests before the first unanswered one may have brought the target down with a delay.
_LOOK_BACK = 3
#: Seconds that a process may take to end after its answer.
_MOMENT = 0.25
#: How much of a request's path a message shows.
_PATH_LIMIT = 150


class TargetLost(CouldNotRun):
    """The target went down and did not come back. What was proven before stands."""


class Recovery:
    """Keeps the requests that may have brought the target down. ``deaths`` are those that did, twice."""

    def __init__(self, sender: Sender) -> None:
        self.deaths: list[Exchange] = []
        self._sender = sender
        self._patience = min(_LONGEST, _TIMEOUTS * sender.wire.timeout)
        self._unanswered: list[tuple[PlannedRequest, Exchange]] = []
        self._answered: deque[PlannedRequest] = deque(maxlen=_LOOK_BACK)
        self._unexplained = 0

    def note(self, send: PlannedRequest, exchange: Exchange) -> None:
        """Take note of what came of a request."""
        if not is_alive(exchange):
            self._unanswered.append((send, exchange))
            return
        self._unanswered.clear()
        if kind_of(send)[:3] != ("known", "valid", True) or send.headers or send.query:
            self._answered.append(send)

    def lives(self) -> None:
        """There was a sign of life: what was left unanswered so far did not bring the target down."""
        self._unanswered.clear()

    def recover(self) -> Exchange:
        """Wait for the target, then repeat what was left unanswered. Returns what came of the last request.

        Raises :class:`TargetLost` when the target does not come back.
        """
        suspects, self._unanswered = self._unanswered, []
        self._wait([exchange for _, exchange in suspects])
        before = len(self.deaths)
        latest = suspects[-1][1]
        for send, first in suspects:
            latest = self._repeat(send, first)
        if len(self.deaths) == before:
            self._look_back()
        if len(self.deaths) == before:
            self._unexplained += 1
            if self._unexplained > 1:
                # Once may be a deployment. A target that keeps going down is not available.
                self._sender.restore([exchange for _, exchange in suspects])
            self._sender.note(
                "the target went down and came back, and no repeated request brought it down again"
            )
        return latest

    def wait_out(self, exchanges: Sequence[Exchange]) -> None:
        """Wait for the target after requests made side by side: they stay recorded. Raises :class:`TargetLost`."""
        self._wait(exchanges, keep=True)

    def _repeat(self, send: PlannedRequest, first: Exchange) -> Exchange:
        sender = self._sender
        sender.set_aside(first)
        again = sender.record(send)
        if is_alive(again) or sender.is_there(send):
            return again
        died = self._blame(send, again)
        self._wait([died], keep=True)
        return died

    def _look_back(self) -> None:
        """Repeat the last requests that were answered: a process may end just after its answer."""
        sender = self._sender
        for send in reversed(list(self._answered)):
            again = sender.record(send)
            if is_alive(again) and self._stays(send):
                sender.set_aside(again)
                continue
            died = self._blame(send, again)
            self._wait([died], keep=True)
            return

    def _stays(self, send: PlannedRequest) -> bool:
        """Whether the target is still there a moment after an answer."""
        time.sleep(_MOMENT)
        return self._sender.is_there(send)

    def _blame(self, send: PlannedRequest, exchange: Exchange) -> Exchange:
        told = exchange.failure.message if exchange.failure else f"after its answer, {exchange.outcome()}"
        message = f"the target went down, and again when the request was repeated: {told}"
        died = replace(exchange, response=None, failure=Failure("reset", message))
        self._sender.replace(exchange, died)
        self._sender.liveness.killed(send)
        self._answered.clear()
        self.deaths.append(died)
        return died

    def _wait(self, last: Sequence[Exchange], *, keep: bool = False) -> None:
        sender = self._sender
        number = sender.exchanges.index(last[0])
        deadline = time.monotonic() + self._patience
        pause = _SOON
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LATE)
            if sender.wire.connects(_LATE) and sender.sign(sender.wire.timeout):
                return
        if not keep:
            for exchange in last:
                sender.set_aside(exchange)
        raise TargetLost(
            f"{sender.target.url} stopped answering after {number} requests: {_why(last[0])}; the last request was "
            f"{described(last[0])}, and nothing came within {self._patience:g} s after it"
        )


def described(exchange: Exchange) -> str:
    """A request in a few words: its method, its path (a query may hold a key), and what is special about it."""
    path = urlsplit(exchange.request.url).path or exchange.request.url
    path = path if len(path) <= _PATH_LIMIT else f"{path[:_PATH_LIMIT]}…"
    label = f" ({exchange.intent.label})" if exchange.intent.label else ""
    return f"{exchange.request.method} {path}{label}"


def _why(exchange: Exchange) -> str:
    return exchange.failure.message if exchange.failure else exchange.outcome()
