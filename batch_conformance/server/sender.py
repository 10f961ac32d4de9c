"""Sends planned requests one at a time, within the budget and at the rate, and records what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from batch_conformance.exchange import Exchange
from batch_conformance.judge.result import CouldNotRun
from batch_conformance.server.budget import Budget
from batch_conformance.server.liveness import Liveness, is_answer
from batch_conformance.server.pacing import Pacer
from batch_conformance.server.probes import World
from batch_conformance.server.rate_limit import RateLimit
from batch_conformance.server.send import Send
from batch_conformance.server.target import Target
from batch_conformance.server.wire import Wire


class Sender:
    """Sends to one target. ``exchanges`` is what was recorded, in the order of sending.

    ``remarks`` say what was not sent or not waited for. ``progress`` is told the number of requests sent so far.
    """

    def __init__(
        self, target: Target, world: World, wire: Wire, progress: Callable[[int], None] | None = None
    ) -> None:
        self.target = target
        self.world = world
        self.wire = wire
        self.exchanges: list[Exchange] = []
        self.remarks: list[str] = []
        self.budget = Budget(world.profile.budget)
        self._liveness = Liveness(wire.timeout)
        self._pacer = Pacer(target.rate)
        self._rate_limit = RateLimit(target.url)
        self._progress = progress

    def send(self, send: Send) -> Exchange:
        """Send one request, waiting out any 429.

        Raises :class:`BudgetSpent`, :class:`GivenUp` and :class:`CouldNotRun`.
        """
        self._liveness.consider(send)
        tries = 0
        waited = 0.0
        while True:
            exchange = self._once(send)
            if exchange.status != 429 or send.staged == 429:
                return exchange
            wait = self._rate_limit.wait_out(send, exchange, tries, waited)
            if wait is None:
                self.remarks.append("the target answers strangers with 429 only")
                return exchange
            tries += 1
            waited += wait

    def note_side_by_side(self, sends: list[Send], answers: list[Exchange]) -> None:
        """Record exchanges that were made at the same time; their requests are reserved already."""
        self.exchanges += answers
        if not any(map(is_answer, answers)):
            self._look_for_life(sends[-1], answers[-1])

    def annotate(self, exchange: Exchange) -> None:
        """Put an exchange with notes in place of the plain one that was recorded."""
        numbers = [recorded.number for recorded in self.exchanges[-10:]]
        self.exchanges[numbers.index(exchange.number) - len(numbers)] = exchange

    def remark(self, text: str) -> None:
        """Add a remark, once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def _once(self, send: Send) -> Exchange:
        exchange = self._recorded(send)
        if self._liveness.note(send, exchange):
            self._look_for_life(send, exchange)
        return exchange

    def _recorded(self, send: Send, timeout: float | None = None) -> Exchange:
        self.budget.reserve()
        self._pacer.wait()
        request = send.request(self.target.url, self.target.host)
        exchange = self.wire.exchange(request, send.intent, lane=send.lane, timeout=timeout)
        self.exchanges.append(exchange)
        if self._progress:
            self._progress(self.budget.spent)
        return exchange

    def _look_for_life(self, unanswered: Send, silent: Exchange) -> None:
        """Make sure that the target is there. Raises :class:`CouldNotRun` otherwise."""
        before = len(self.exchanges) - 1
        own = self.world.read("alive", self.world.ids[0]) if self.world.ids else unanswered
        for sign, seconds in self._liveness.signs(otherwise=own):
            if self.budget.left() < 1:
                return
            sent = replace(sign, probe="alive", lane="", staged=None)
            if is_answer(self._recorded(sent, seconds)):
                self._liveness.lives()
                return
        why = silent.failure.message if silent.failure else "no answer"
        if self._liveness.was_ever_answered:
            raise CouldNotRun(f"{self.target.url} stopped answering after {before} requests: {why}")
        raise CouldNotRun(f"{self.target.url} cannot be reached: {why}")
