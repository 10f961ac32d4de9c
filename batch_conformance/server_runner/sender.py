"""Sends planned requests, within the budget and at the rate, and records what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.http import Exchange
from batch_conformance.server_runner.budget import Budget
from batch_conformance.server_runner.liveness import Liveness, is_alive, is_answer, is_from_gateway
from batch_conformance.server_runner.overload import Overload
from batch_conformance.server_runner.pacing import Pacer
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import ProbeContext
from batch_conformance.server_runner.rate_limit import RateLimit
from batch_conformance.server_runner.recovery import Recovery
from batch_conformance.server_runner.side_by_side import SideBySide
from batch_conformance.server_runner.target import Target
from batch_conformance.server_runner.transport import Transport

#: Answers that tell how far a target is: one alone may be slow because the machine is busy.
_MEASURED = 3


class Sender:
    """Sends to one target. ``exchanges`` is what is to be judged, in the order of sending.

    ``remarks`` say what was not sent or not waited for. ``progress`` is told the number of requests sent so far.
    """

    def __init__(
        self, target: Target, context: ProbeContext, transport: Transport, progress: Callable[[int], None] | None = None
    ) -> None:
        self.target = target
        self.world = context
        self.wire = transport
        self.exchanges: list[Exchange] = []
        self.remarks: list[str] = []
        self.budget = Budget(context.profile.budget)
        self.pacer = Pacer(target.rate)
        self.liveness = Liveness(transport.timeout)
        self.recovery = Recovery(self)
        self.overload = Overload(self)
        self.side_by_side = SideBySide(self)
        self._measured: list[float] = []
        self._rate_limit = RateLimit(target.url)
        self._progress = progress

    def send(self, send: PlannedRequest, refused: Exchange | None = None) -> Exchange:
        """Send one request, waiting out any 429; ``refused`` is one that it was answered with already.

        Raises :class:`BudgetSpent`, :class:`GivenUp` and :class:`CouldNotRun`.
        """
        self.liveness.consider(send)
        if refused is not None:
            self.exchanges.append(refused)
        tries = 0
        while True:
            exchange, refused = refused or self._once(send), None
            if exchange.status != 429 or send.staged == 429:
                self._rate_limit.served()
                return exchange
            if not self._rate_limit.wait_out(send, exchange, tries):
                self.note("the target answers strangers with 429 only")
                return exchange
            tries += 1

    def send_side_by_side(self, sends: list[PlannedRequest], answers: list[Exchange]) -> None:
        """Record exchanges that were made at the same time; their requests are reserved already."""
        self.exchanges += answers
        if not any(map(is_answer, answers)) and not self.is_there(sends[-1]):
            self._require_known(answers[-1])
            self.recovery.wait_out(answers)
        for send, answer in zip(sends, answers, strict=True):
            if answer.status == 503 and is_from_gateway(answer):
                self.overload.settle(send, answer)

    def record(self, send: PlannedRequest, timeout: float | None = None) -> Exchange:
        """Send one request and record what came of it, whatever it is."""
        self.prepare()
        exchange = self.exchange(send, timeout)
        self.exchanges.append(exchange)
        if is_answer(exchange):
            self._measured.append(exchange.ended - exchange.started)
        return exchange

    @property
    def round_trip(self) -> float:
        """Seconds from sending to the whole answer, the shortest so far; 0 while there are too few to go by."""
        return min(self._measured) if len(self._measured) >= _MEASURED else 0.0

    def prepare(self) -> None:
        """Count a request that is about to be sent, and wait until the rate allows it. Raises :class:`BudgetSpent`."""
        self.budget.reserve()
        self.pacer.wait()
        if self._progress:
            self._progress(self.budget.spent)

    def exchange(self, send: PlannedRequest, timeout: float | None = None, *, slot: int = 0) -> Exchange:
        """Send a request and wait for its answer, without recording it: the one thing that threads may do.

        Each ``slot`` has connections of its own, so that those of a lane are not waited for.
        """
        request = send.request(self.target.url, self.target.host)
        lane = f"{send.lane}/{slot}" if send.lane and slot else send.lane
        return self.wire.exchange(request, send.intent, lane=lane, timeout=timeout)

    def take(self, send: PlannedRequest, exchange: Exchange) -> None:
        """Record an answer that was waited for elsewhere, and that is none to worry about."""
        self.exchanges.append(exchange)
        self._rate_limit.served()
        self.recovery.note(send, exchange)
        self.liveness.note(send, exchange)

    def set_aside(self, exchange: Exchange) -> None:
        """Take an exchange out of what is judged: it says nothing of the target's promises."""
        self.exchanges[:] = [kept for kept in self.exchanges if kept is not exchange]

    def restore(self, exchanges: Iterable[Exchange]) -> None:
        """Put back what was set aside."""
        self.exchanges[:] = sorted([*self.exchanges, *exchanges], key=lambda exchange: exchange.number)

    def replace(self, exchange: Exchange, other: Exchange) -> None:
        """Put an exchange in the place of another."""
        self.exchanges[:] = [other if kept is exchange else kept for kept in self.exchanges]

    def annotate(self, exchange: Exchange) -> None:
        """Put an exchange with notes in place of the plain one that was recorded."""
        numbers = [recorded.number for recorded in self.exchanges[-10:]]
        self.exchanges[numbers.index(exchange.number) - len(numbers)] = exchange

    def note(self, text: str) -> None:
        """Add a remark, once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def sign(self, seconds: float | None = None) -> bool:
        """Whether there is a sign of life now: one request that was answered before is answered."""
        send, each = next(iter(self.liveness.signs(otherwise=self._own(self.liveness.healthy))))
        return self._sign(send, seconds or each)

    def is_there(self, unanswered: PlannedRequest) -> bool:
        """Whether the target is there, after a request that was not answered: asks for a few signs of life."""
        for send, seconds in self.liveness.signs(otherwise=self._own(unanswered)):
            if self.budget.left() < 1:
                return True
            if self._sign(send, seconds):
                self.liveness.lives()
                self.recovery.lives()
                return True
        return False

    def _own(self, otherwise: PlannedRequest | None) -> PlannedRequest:
        """A read of a batch that is known; where none is, the request given."""
        assert self.world.ids or otherwise is not None
        return self.world.read("alive", self.world.ids[0]) if self.world.ids else otherwise  # type: ignore[return-value]

    def _sign(self, send: PlannedRequest, seconds: float) -> bool:
        exchange = self.record(replace(send, probe="alive", lane="", staged=None), seconds)
        # As long as nothing but a gateway has answered, its answer is what there is.
        alive = is_alive(exchange) if self.liveness.was_ever_answered else is_answer(exchange)
        if not alive or is_from_gateway(exchange):
            # It shows that the target is down, not what it makes of a read.
            self.set_aside(exchange)
        return alive

    def _once(self, send: PlannedRequest) -> Exchange:
        exchange = self.record(send)
        down = False
        if send.staged is None and exchange.status == 503 and is_from_gateway(exchange):
            settled = self.overload.settle(send, exchange)
            if settled is not None and settled.status == 503:
                return settled
            down, exchange = settled is None, settled or exchange
        self.recovery.note(send, exchange)
        if not self.liveness.note(send, exchange) and not down:
            return exchange
        if self.is_there(send):
            return exchange
        self._require_known(exchange)
        return self.recovery.recover()

    def _require_known(self, silent: Exchange) -> None:
        """Raise :class:`CouldNotRun` for a target that has not answered once."""
        if not self.liveness.was_ever_answered:
            why = silent.failure.message if silent.failure else "no answer"
            raise CouldNotRun(f"{self.target.url} cannot be reached: {why}")
