"""Sends planned requests, within the budget and at the rate, and records the exchanges."""

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

#: Responses needed to measure the round trip: a single one may be slow because the machine is busy.
_MIN_MEASUREMENTS = 3


class Sender:
    """Sends requests to one target. ``exchanges`` are those to be judged, in sending order.

    ``remarks`` say what was not sent or not waited for. ``progress`` is called with the number of requests so
    far.
    """

    def __init__(
        self, target: Target, context: ProbeContext, transport: Transport, progress: Callable[[int], None] | None = None
    ) -> None:
        self.target = target
        self.context = context
        self.transport = transport
        self.exchanges: list[Exchange] = []
        self.remarks: list[str] = []
        self.budget = Budget(context.profile.budget)
        self.pacer = Pacer(target.rate)
        self.liveness = Liveness(transport.timeout)
        self.recovery = Recovery(self)
        self.overload = Overload(self)
        self.side_by_side = SideBySide(self)
        self._round_trips: list[float] = []
        self._rate_limit = RateLimit(target.url)
        self._progress = progress

    def send(self, send: PlannedRequest, refused: Exchange | None = None) -> Exchange:
        """Send one request, waiting out any 429. ``refused`` is an exchange in which it was answered already.

        Raises :class:`BudgetSpent`, :class:`GivenUp` and :class:`CouldNotRun`.
        """
        self.liveness.consider(send)
        if refused is not None:
            self.exchanges.append(refused)
        tries = 0
        while True:
            exchange, refused = refused or self._send_once(send), None
            if exchange.status != 429 or send.staged == 429:
                self._rate_limit.served()
                return exchange
            if not self._rate_limit.wait_out(send, exchange, tries):
                self.note("the target answers strangers with 429 only")
                return exchange
            tries += 1

    def send_side_by_side(self, sends: list[PlannedRequest], answers: list[Exchange]) -> None:
        """Record exchanges that were made at the same time, and whose requests are already counted."""
        self.exchanges += answers
        if not any(map(is_answer, answers)) and not self.is_there(sends[-1]):
            self._require_answered(answers[-1])
            self.recovery.wait_out(answers)
        for send, answer in zip(sends, answers, strict=True):
            if answer.status == 503 and is_from_gateway(answer):
                self.overload.settle(send, answer)

    def record(self, send: PlannedRequest, timeout: float | None = None) -> Exchange:
        """Send one request and record the exchange, whatever its outcome."""
        self.prepare()
        exchange = self.exchange(send, timeout)
        self.exchanges.append(exchange)
        if is_answer(exchange):
            self._round_trips.append(exchange.ended - exchange.started)
        return exchange

    @property
    def round_trip(self) -> float:
        """The shortest time of a whole exchange so far, in seconds; 0 while there are too few responses."""
        return min(self._round_trips) if len(self._round_trips) >= _MIN_MEASUREMENTS else 0.0

    def prepare(self) -> None:
        """Count a request to be sent, and wait until the rate allows it. Raises :class:`BudgetSpent`."""
        self.budget.reserve()
        self.pacer.wait()
        if self._progress:
            self._progress(self.budget.spent)

    def exchange(self, send: PlannedRequest, timeout: float | None = None, *, slot: int = 0) -> Exchange:
        """Send a request and wait for its response, unrecorded. The only method that threads may call.

        Each ``slot`` has connections of its own, so that requests do not wait for each other's lane.
        """
        request = send.request(self.target.url, self.target.host)
        lane = f"{send.lane}/{slot}" if send.lane and slot else send.lane
        return self.transport.exchange(request, send.intent, lane=lane, timeout=timeout)

    def take(self, send: PlannedRequest, exchange: Exchange) -> None:
        """Record an exchange that was made in a thread and needs no recovery."""
        self.exchanges.append(exchange)
        self._rate_limit.served()
        self.recovery.note(send, exchange)
        self.liveness.note(send, exchange)

    def set_aside(self, exchange: Exchange) -> None:
        """Remove an exchange from those to be judged."""
        self.exchanges[:] = [recorded for recorded in self.exchanges if recorded is not exchange]

    def restore(self, exchanges: Iterable[Exchange]) -> None:
        """Put back exchanges that were set aside."""
        self.exchanges[:] = sorted([*self.exchanges, *exchanges], key=lambda exchange: exchange.number)

    def replace(self, exchange: Exchange, other: Exchange) -> None:
        """Replace a recorded exchange by another."""
        self.exchanges[:] = [other if recorded is exchange else recorded for recorded in self.exchanges]

    def annotate(self, exchange: Exchange) -> None:
        """Replace a recently recorded exchange by its annotated copy."""
        numbers = [recorded.number for recorded in self.exchanges[-10:]]
        self.exchanges[numbers.index(exchange.number) - len(numbers)] = exchange

    def note(self, text: str) -> None:
        """Add a remark, once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def sign(self, seconds: float | None = None) -> bool:
        """Whether the target is up now: repeat one request that was answered before."""
        send, each = next(iter(self.liveness.signs(otherwise=self._liveness_read(self.liveness.healthy))))
        return self._is_answered(send, seconds or each)

    def is_there(self, unanswered: PlannedRequest) -> bool:
        """Whether the target is up after an unanswered request: send up to several liveness requests."""
        for send, seconds in self.liveness.signs(otherwise=self._liveness_read(unanswered)):
            if self.budget.left() < 1:
                return True
            if self._is_answered(send, seconds):
                self.liveness.note_alive()
                self.recovery.note_alive()
                return True
        return False

    def _liveness_read(self, otherwise: PlannedRequest | None) -> PlannedRequest:
        """Return a read of a known batch, or the given request if no batch is known."""
        assert self.context.ids or otherwise is not None
        return self.context.read("alive", self.context.ids[0]) if self.context.ids else otherwise  # type: ignore[return-value]

    def _is_answered(self, send: PlannedRequest, seconds: float) -> bool:
        exchange = self.record(replace(send, probe="alive", lane="", staged=None), seconds)
        # As long as only a gateway has answered, its responses are all there is.
        alive = is_alive(exchange) if self.liveness.was_ever_answered else is_answer(exchange)
        if not alive or is_from_gateway(exchange):
            # It shows that the target is down, not how it answers a read.
            self.set_aside(exchange)
        return alive

    def _send_once(self, send: PlannedRequest) -> Exchange:
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
        self._require_answered(exchange)
        return self.recovery.recover()

    def _require_answered(self, silent: Exchange) -> None:
        """Raise :class:`CouldNotRun` for a target that has never answered."""
        if not self.liveness.was_ever_answered:
            why = silent.failure.message if silent.failure else "no answer"
            closed = silent.failure is not None and silent.failure.kind in ("reset", "not-http")
            hint = " (is it TLS? then https://…)" if closed and self.target.url.startswith("http://") else ""
            raise CouldNotRun(f"{self.target.url} cannot be reached: {why}{hint}")
