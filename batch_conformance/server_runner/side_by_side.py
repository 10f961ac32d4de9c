"""Sends requests whose order does not matter side by side, where a round trip is long enough for that to pay.

Threads only wait for responses. Planning, counting and recording stay on the calling thread and in the order
of the plan, so the record does not depend on timing. When a request fails among others, it is sent again
alone; if it then succeeds, the rest is sent one at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from batch_conformance.http import Exchange
from batch_conformance.server_runner.budget import BudgetSpent
from batch_conformance.server_runner.liveness import GivenUp, is_alive
from batch_conformance.server_runner.planned_request import PlannedRequest

if TYPE_CHECKING:
    from batch_conformance.server_runner.probe import Probe
    from batch_conformance.server_runner.sender import Sender

#: Seconds of a round trip from which sending side by side pays.
MIN_ROUND_TRIP = 0.015
#: Requests under way at once: at first, and at most.
_FIRST_WINDOW, MOST = 3, 24
#: Response time, in usual round trips, from which the window grows no more, and from which it shrinks.
_NO_GROWTH, _SHRINK = 2.0, 4.0
#: Requests that also fail alone, after which the rest is sent one at a time, since each costs a request.
_MAX_OWN_FAULTS = 3
#: Seconds between requests that must arrive in order, and how many of them fit in a round trip.
_MIN_SPACING, _PER_ROUND_TRIP = 0.03, 10

#: The place of a request in the plan.
Place = tuple[int, ...]


class Strand:
    """A chain of requests, each of which may depend on the response before. ``probe`` names its probe.

    ``place`` returns the plan position of the nth request. ``long`` strands are sent first, so that short
    ones fill gaps.
    """

    def __init__(self, probe: str, chain: Probe, place: Callable[[int], Place], *, long: bool = False) -> None:
        self.probe = probe
        self.long = long
        self._chain = chain
        self._place = place
        self._step = 0
        self.next: PlannedRequest | None = next(chain, None)

    @property
    def place(self) -> Place:
        """The place of the next request."""
        return self._place(self._step)

    def give(self, exchange: Exchange) -> None:
        """Pass on the exchange of the last request, and move on to the next one."""
        self._step += 1
        self.next = None
        with suppress(StopIteration):
            self.next = self._chain.send(exchange)


@dataclass
class _Answer:
    strand: Strand
    send: PlannedRequest
    place: Place
    slot: int
    exchange: Exchange


class SideBySide:
    """Runs strands for one sender. ``most`` is how many requests may be under way at once."""

    def __init__(self, sender: Sender, most: int = MOST) -> None:
        self._sender = sender
        self._most = most
        self._window = _FIRST_WINDOW
        self._own_faults = 0
        self._target_copes = True
        #: Probes that the last run did not complete.
        self.unfinished: set[str] = set()

    @property
    def pays(self) -> bool:
        """Whether to send side by side: the target copes, and is neither near nor slowed by a rate."""
        seconds, rate = self._sender.round_trip, self._sender.pacer.rate
        return self._target_copes and seconds > MIN_ROUND_TRIP and (rate is None or seconds * rate > 1)

    def run(self, strands: Iterable[Strand], *, in_order: bool = False) -> None:
        """Send all requests of the strands. With ``in_order`` they start in plan order, a moment apart.

        Raises what :meth:`Sender.send` raises, except :class:`GivenUp`, which ends the strands of its probe.
        """
        group = _Group(self._sender, list(strands))
        try:
            while group.waiting:
                if self.pays:
                    self._together(group, in_order)
                else:
                    group.one_alone()
        finally:
            group.sort()
            self.unfinished = {strand.probe for strand in group.waiting}

    def ahead(self, sends: Sequence[PlannedRequest]) -> list[Exchange | None]:
        """Send requests side by side, and return their exchanges unrecorded; None for those that failed."""
        answers: list[Exchange | None] = [None] * len(sends)
        if not self.pays:
            return answers
        under_way = 0
        arrivals: SimpleQueue[tuple[int, Exchange | None]] = SimpleQueue()

        def exchange(index: int) -> None:
            result = None
            try:
                result = self._sender.exchange(sends[index], slot=index + 1)
            finally:
                arrivals.put((index, result))

        for index in range(len(sends)):
            if under_way >= self._window:
                at, result = arrivals.get()
                answers[at] = result
                under_way -= 1
            self._sender.prepare()
            threading.Thread(target=exchange, args=(index,), name="batch-request", daemon=True).start()
            under_way += 1
        for _ in range(under_way):
            at, result = arrivals.get()
            answers[at] = result
        return [None if answer is None or _has_failed(answer) else answer for answer in answers]

    def _together(self, group: _Group, in_order: bool) -> None:
        """Send until nothing is left or a request fails, then send the failed requests again alone."""
        sender = self._sender
        apart = max(_MIN_SPACING, sender.round_trip / _PER_ROUND_TRIP) if in_order else 0.0
        due = 0.0
        failed: list[_Answer] = []
        spent: BudgetSpent | None = None
        try:
            while group.under_way or (group.waiting and not failed and not spent):
                while not failed and not spent and len(group.under_way) < self._window_for(in_order):
                    if (strand := group.ready(in_order)) is None:
                        break
                    time.sleep(max(0.0, due - time.monotonic()))
                    try:
                        group.set_out(strand)
                    except BudgetSpent as error:
                        spent = error
                    due = time.monotonic() + apart
                if not group.under_way:
                    break
                answer = group.arrived()
                if _has_failed(answer.exchange):
                    failed.append(answer)
                else:
                    self._adapt(answer.exchange)
                    group.keep(answer)
        finally:
            group.commit()
        if spent:
            raise spent
        for answer in sorted(failed, key=_suspect_first):
            self._send_alone(group, answer)

    def _window_for(self, in_order: bool) -> int:
        # Requests in order are held apart by time, so the window need not limit them.
        return min(self._most, _PER_ROUND_TRIP + 2) if in_order else self._window

    def _adapt(self, exchange: Exchange) -> None:
        seconds, usual = exchange.ended - exchange.started, self._sender.round_trip
        if seconds > _SHRINK * usual:
            self._window = max(_FIRST_WINDOW, self._window // 2)
        elif seconds < _NO_GROWTH * usual:
            self._window = min(self._most, self._window + 1)

    def _send_alone(self, group: _Group, answer: _Answer) -> None:
        limited = answer.exchange.status == 429
        exchange = group.settle(answer.strand, answer.send, answer.place, answer.exchange if limited else None)
        self._own_faults += 1
        self._window = _FIRST_WINDOW
        fails_too = exchange is not None and _has_failed(exchange)
        # A request that succeeds alone failed because of the requests beside it.
        self._target_copes = self._target_copes and fails_too and not limited and self._own_faults < _MAX_OWN_FAULTS


class _Group:
    """Strands that are under way together, and their exchanges so far."""

    def __init__(self, sender: Sender, strands: list[Strand]) -> None:
        self._sender = sender
        self.waiting = [strand for strand in strands if strand.next is not None]
        self.under_way: dict[int, Strand] = {}
        self._arrivals: SimpleQueue[tuple[int, PlannedRequest, Exchange | BaseException]] = SimpleQueue()
        self._answers: list[_Answer] = []
        #: Holds the exchange itself, so that its ``id()`` is not reused.
        self._places: dict[int, tuple[Place, Exchange]] = {}
        self._first_index = len(sender.exchanges)

    def ready(self, in_order: bool) -> Strand | None:
        """Return the next strand that is not waiting for a response, or None."""
        busy = set(map(id, self.under_way.values()))
        free = [strand for strand in self.waiting if id(strand) not in busy]
        return min(free, key=lambda strand: (not strand.long and not in_order, strand.place), default=None)

    def set_out(self, strand: Strand) -> None:
        """Send the next request of a strand, without waiting for its response."""
        send = strand.next
        assert send is not None
        if not self._may_be_sent(strand, send):
            return
        self._sender.prepare()
        slot = next(number for number in range(len(self.under_way) + 1) if number not in self.under_way)
        self.under_way[slot] = strand
        threading.Thread(target=self._exchange, args=(slot, send), name="batch-request", daemon=True).start()

    def _exchange(self, slot: int, send: PlannedRequest) -> None:
        try:
            result: Exchange | BaseException = self._sender.exchange(send, slot=slot)
        except BaseException as error:
            result = error
        self._arrivals.put((slot, send, result))

    def arrived(self) -> _Answer:
        """Wait for a response."""
        slot, send, result = self._arrivals.get()
        strand = self.under_way.pop(slot)
        if isinstance(result, BaseException):
            raise result
        return _Answer(strand, send, strand.place, slot, result)

    def keep(self, answer: _Answer) -> None:
        """Keep an exchange, and move its strand on."""
        self._answers.append(answer)
        self._advance(answer.strand, answer.exchange)

    def commit(self) -> None:
        """Record the kept exchanges in the order of the plan."""
        for answer in sorted(self._answers, key=lambda one: one.place):
            self._places[id(answer.exchange)] = answer.place, answer.exchange
            self._sender.take(answer.send, answer.exchange)
        self._answers.clear()

    def one_alone(self) -> None:
        """Send the next request of the plan, and wait for its response."""
        strand = min(self.waiting, key=lambda strand: strand.place)
        assert strand.next is not None
        self.settle(strand, strand.next, strand.place)

    def settle(
        self, strand: Strand, send: PlannedRequest, place: Place, refused: Exchange | None = None
    ) -> Exchange | None:
        """Send one request alone; None if it was given up.

        ``refused`` is its earlier exchange, if that was a 429.
        """
        try:
            exchange = self._sender.send(send, refused=refused)
        except GivenUp as given_up:
            self._give_up(strand, given_up)
            return None
        self._places[id(exchange)] = place, exchange
        self._advance(strand, exchange)
        return exchange

    def sort(self) -> None:
        """Sort the recorded exchanges by plan; those without a place stay behind the one they followed."""
        recorded = self._sender.exchanges[self._first_index :]
        keys: list[Place] = []
        for exchange in recorded:
            known = self._places.get(id(exchange))
            keys.append(known[0] if known else keys[-1] if keys else ())
        order = sorted(range(len(recorded)), key=keys.__getitem__)
        self._sender.exchanges[self._first_index :] = [recorded[index] for index in order]

    def _may_be_sent(self, strand: Strand, send: PlannedRequest) -> bool:
        try:
            self._sender.liveness.consider(send)
        except GivenUp as given_up:
            self._give_up(strand, given_up)
            return False
        return True

    def _advance(self, strand: Strand, exchange: Exchange) -> None:
        strand.give(exchange)
        if strand.next is None and strand in self.waiting:
            self.waiting.remove(strand)

    def _give_up(self, strand: Strand, why: GivenUp) -> None:
        self._sender.note(str(why))
        self.waiting = [other for other in self.waiting if other.probe != strand.probe]


def _has_failed(exchange: Exchange) -> bool:
    """Whether a failed exchange may be due to the requests sent beside it."""
    return not is_alive(exchange) or exchange.status == 429 or (exchange.status or 0) >= 500


def _suspect_first(answer: _Answer) -> tuple[bool, float]:
    """Sort key: of several unanswered requests, the first is likeliest to have crashed the target."""
    failure = answer.exchange.failure
    return failure is None or failure.kind == "refused", answer.exchange.ended
