"""Tells a gateway's 503 above its rate from a 503 that is the target's own answer.

A limiter (nginx's ``limit_req`` is the best known) answers 503, with a page of its own, to whatever comes too fast,
and lets the same request through a moment later. A server that is broken goes on answering 503, or does so at any rate.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.http import Exchange
from batch_conformance.server_runner.budget import BudgetSpent
from batch_conformance.server_runner.liveness import Kind, kind_of
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.rate_limit import retry_after

if TYPE_CHECKING:
    from batch_conformance.server_runner.sender import Sender

#: Requests a second to slow down to, one after the other.
_RATES = (8.0, 4.0, 2.0)
#: Seconds to wait before a refused request is repeated, each time; and for as long as Retry-After says, up to a limit.
_PAUSES = (1.0, 2.0, 4.0)
_LONGEST_PAUSE = 30.0
#: Seconds that a run may spend on such pauses.
_PATIENCE = 60.0
#: Reads sent at once to see whether a limiter is there at all, where no rate was asked for.
_AT_ONCE = 10
#: 503s that went away at once, without a pause: no limiter does that so often.
_FLAKY = 3


class Overload:
    """What is known of a target's 503s. ``hint`` says what to do about them; empty if there was no limiter."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._patience = _PATIENCE
        self._own: set[Kind] = set()
        self._only_503 = False
        self._taken_as_they_come = False
        self._at_once = 0
        self._after_pause = 0
        self._excused: list[Exchange] = []

    @property
    def hint(self) -> str:
        """One line for the user."""
        if not self._excused:
            return ""
        count = len(self._excused)
        return (
            f"the target (or a gateway in front of it) answered 503 above its rate, {count} "
            f"{'time' if count == 1 else 'times'}: the run was slowed down to {self._sender.pacer.rate:g} requests "
            f"a second; --batch-rate {self._sender.pacer.rate:g}/s avoids it"
        )

    def settle(self, send: PlannedRequest, refused: Exchange) -> Exchange | None:
        """The answer in place of a 503 of a gateway: another one if the 503 went away, else the 503 itself.

        None when everything is answered so at the moment. Raises :class:`CouldNotRun` when no rate is low enough.
        """
        if self._taken_as_they_come or kind_of(send) in self._own:
            return refused
        sender = self._sender
        try:
            if sender.liveness.healthy is None:
                return self._settle_first(send, refused)
            if not sender.sign():
                return self._settle_slowly(send, refused)
            again = sender.record(send)
            if again.status != 503:
                self._at_once += 1
                return self._excuse(refused, again)
            sender.set_aside(again)
            # The sign of life may have taken what a limiter had to give: once more, after a rest.
            self._pause(again, _PAUSES[0])
            again = sender.record(send)
        except BudgetSpent:
            sender.set_aside(refused)
            raise
        if again.status == 503:
            # Others are answered meanwhile: it is about this request.
            self._own.add(kind_of(send))
            sender.set_aside(refused)
            return again
        self._after_pause += 1
        return self._excuse(refused, again)

    def _settle_first(self, send: PlannedRequest, refused: Exchange) -> Exchange:
        """Nothing was answered well so far: a target that only ever says 503 is broken, and must not cost much."""
        if self._only_503:
            return refused
        self._pause(refused, _PAUSES[0])
        again = self._sender.record(send)
        if again.status == 503:
            self._only_503 = True
            return again
        self._after_pause += 1
        return self._excuse(refused, again)

    def _settle_slowly(self, send: PlannedRequest, refused: Exchange) -> Exchange | None:
        sender = self._sender
        latest = refused
        for pause in _PAUSES:
            self._pause(latest, pause)
            latest = sender.record(send)
            if latest.status != 503:
                self._after_pause += 1
                return self._excuse(refused, latest)
            sender.set_aside(latest)
        if not sender.sign():
            return None
        self._own.add(kind_of(send))
        return refused

    def _pause(self, refused: Exchange, seconds: float) -> None:
        wait = max(seconds, min(retry_after(refused, otherwise=0.0), _LONGEST_PAUSE))
        if wait > self._patience:
            raise CouldNotRun(
                f"{self._sender.target.url} keeps answering 503 (asked to wait {wait:g} s more): "
                "lower --batch-rate, or come back later"
            )
        self._patience -= wait
        time.sleep(wait)

    def _excuse(self, refused: Exchange, again: Exchange) -> Exchange:
        sender = self._sender
        sender.set_aside(refused)
        self._excused.append(refused)
        slower = [rate for rate in _RATES if sender.pacer.rate is None or rate < sender.pacer.rate]
        if self._at_once >= _FLAKY and self._at_once > 2 * self._after_pause:
            self._take_as_they_come()
        elif slower:
            sender.pacer.rate = slower[0]
        elif len(self._excused) > len(_RATES) + 1:
            if self._is_at_any_rate():
                self._take_as_they_come()
                return again
            raise CouldNotRun(
                f"{sender.target.url} answers 503 above its rate, even at {sender.pacer.rate:g} requests a second: "
                "give the rate that it allows with --batch-rate, e.g. --batch-rate 30/min"
            )
        return again

    def _is_at_any_rate(self) -> bool:
        """Whether most of a few reads at once are let through: so many that no limiter can be this strict."""
        sender = self._sender
        if sender.target.rate is not None:
            return False
        time.sleep(_PAUSES[1])
        rate, sender.pacer.rate = sender.pacer.rate, None
        passed = sum(sender.sign() for _ in range(_AT_ONCE))
        sender.pacer.rate = rate
        return passed > _AT_ONCE // 2

    def _take_as_they_come(self) -> None:
        """From now on a 503 is an answer like any other: the server fails now and then, at whatever rate."""
        self._taken_as_they_come = True
        self._sender.pacer.rate = self._sender.target.rate
        self._sender.restore(self._excused)
        self._excused = []
