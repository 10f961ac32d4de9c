"""Tells a rate limiter's 503 from a 503 of the target itself.

A gateway (for example nginx with ``limit_req``) answers 503 with a page of its own to requests above its
rate, and accepts the same request a moment later. A broken server keeps answering 503, or does so at any
rate.
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

#: Rates to slow down to, one after the other, in requests per second.
_RATES = (8.0, 4.0, 2.0)
#: Seconds to wait before each repetition of a refused request, and the longest Retry-After that is followed.
_PAUSES = (1.0, 2.0, 4.0)
_MAX_PAUSE = 30.0
#: Seconds that a run may spend on these pauses.
_MAX_WAIT_TOTAL = 60.0
#: Reads sent at once to find out whether there is a limiter, if no rate was given.
_TEST_READS = 10
#: 503s that went away without a pause, from which the server is taken to be flaky: limiters do not do that.
_FLAKY = 3


class Overload:
    """Handling of a target's 503s.

    ``hint`` says what to do about a limiter; it is empty if there was none.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._wait_left = _MAX_WAIT_TOTAL
        self._own_503s: set[Kind] = set()
        self._only_503 = False
        self._accepts_503s = False
        self._gone_at_once = 0
        self._gone_after_pause = 0
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
        """Return the exchange that replaces a gateway's 503: a later response, or the 503 itself if it stays.

        Returns None if the target answers nothing but 503 at the moment. Raises :class:`CouldNotRun` if no
        rate is low enough.
        """
        if self._accepts_503s or kind_of(send) in self._own_503s:
            return refused
        sender = self._sender
        try:
            if sender.liveness.healthy is None:
                return self._settle_first(send, refused)
            if not sender.sign():
                return self._settle_slowly(send, refused)
            repeated = sender.record(send)
            if repeated.status != 503:
                self._gone_at_once += 1
                return self._excuse(refused, repeated)
            sender.set_aside(repeated)
            # The liveness request may have used up the limiter's allowance: try again after a pause.
            self._pause(repeated, _PAUSES[0])
            repeated = sender.record(send)
        except BudgetSpent:
            sender.set_aside(refused)
            raise
        if repeated.status == 503:
            # Other requests are answered, so the 503 is about this one.
            self._own_503s.add(kind_of(send))
            sender.set_aside(refused)
            return repeated
        self._gone_after_pause += 1
        return self._excuse(refused, repeated)

    def _settle_first(self, send: PlannedRequest, refused: Exchange) -> Exchange:
        """Settle a 503 before any healthy read: a target that answers nothing else must cost little."""
        if self._only_503:
            return refused
        self._pause(refused, _PAUSES[0])
        repeated = self._sender.record(send)
        if repeated.status == 503:
            self._only_503 = True
            return repeated
        self._gone_after_pause += 1
        return self._excuse(refused, repeated)

    def _settle_slowly(self, send: PlannedRequest, refused: Exchange) -> Exchange | None:
        sender = self._sender
        latest = refused
        for pause in _PAUSES:
            self._pause(latest, pause)
            latest = sender.record(send)
            if latest.status != 503:
                self._gone_after_pause += 1
                return self._excuse(refused, latest)
            sender.set_aside(latest)
        if not sender.sign():
            return None
        self._own_503s.add(kind_of(send))
        return refused

    def _pause(self, refused: Exchange, seconds: float) -> None:
        wait = max(seconds, min(retry_after(refused, otherwise=0.0), _MAX_PAUSE))
        if wait > self._wait_left:
            raise CouldNotRun(
                f"{self._sender.target.url} keeps answering 503 (asked to wait {wait:g} s more): "
                "lower --batch-rate, or come back later"
            )
        self._wait_left -= wait
        time.sleep(wait)

    def _excuse(self, refused: Exchange, repeated: Exchange) -> Exchange:
        sender = self._sender
        sender.set_aside(refused)
        self._excused.append(refused)
        slower = [rate for rate in _RATES if sender.pacer.rate is None or rate < sender.pacer.rate]
        if self._gone_at_once >= _FLAKY and self._gone_at_once > 2 * self._gone_after_pause:
            self._accept_503s()
        elif slower:
            sender.pacer.rate = slower[0]
        elif len(self._excused) > len(_RATES) + 1:
            if self._fails_at_any_rate():
                self._accept_503s()
                return repeated
            raise CouldNotRun(
                f"{sender.target.url} answers 503 above its rate, even at {sender.pacer.rate:g} requests a second: "
                "give the rate that it allows with --batch-rate, e.g. --batch-rate 30/min"
            )
        return repeated

    def _fails_at_any_rate(self) -> bool:
        """Whether most of several reads at once succeed: no limiter this strict would allow that."""
        sender = self._sender
        if sender.target.rate is not None:
            return False
        time.sleep(_PAUSES[1])
        rate, sender.pacer.rate = sender.pacer.rate, None
        passed = sum(sender.sign() for _ in range(_TEST_READS))
        sender.pacer.rate = rate
        return passed > _TEST_READS // 2

    def _accept_503s(self) -> None:
        """Treat a 503 as an ordinary response from now on: the server fails now and then at any rate."""
        self._accepts_503s = True
        self._sender.pacer.rate = self._sender.target.rate
        self._sender.restore(self._excused)
        self._excused = []
