"""A campaign: pre-flight, discovery, then the probes, within a budget and at a rate. Everything is recorded."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

from batch_conformance.contract.load import STATUSES
from batch_conformance.exchange import Exchange
from batch_conformance.generate.ids import AskedId
from batch_conformance.judge.result import CouldNotRun
from batch_conformance.server.probes import PROBES, Probe, World, cold
from batch_conformance.server.send import Send
from batch_conformance.server.staging import Stager
from batch_conformance.server.target import Target
from batch_conformance.server.vigil import GivenUp, Vigil, is_answer
from batch_conformance.server.wire import Wire

#: Seconds that a run may spend waiting because of 429s, in all and for one request.
PATIENCE = 120.0
LONGEST_WAIT = 60.0
#: Seconds of waits, each as long as it was asked for, after which a target that still says 429 will go on saying it.
IN_VAIN = 20.0
#: Seconds to which a longer Retry-After is cut, some of which are no number any more.
_LONGEST_TOLD = 1e6
#: The longest wait, in seconds, where a 429 does not say how long.
_LONGEST_GUESS = 8.0
#: How often a request without the valid key is repeated on 429.
_STRANGERS_TRIES = 3
_SPELLINGS = ("x-api-key", "X-API-Key", "X-Api-Key", "X-API-KEY")


class BudgetSpent(Exception):
    """The profile's request budget is used up: what is left of the plan is not sent."""


class Pacer:
    """Holds a rate: each turn comes at least ``1/rate`` seconds after the one before."""

    def __init__(self, rate: float | None) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next request may be sent."""
        if not self._interval:
            return
        now = time.monotonic()
        if self._next > now:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._interval


class Campaign:
    """Sends the probes to one target and keeps what came of them.

    ``progress`` is told the number of requests sent so far. ``done`` names the probes that were sent,
    ``cut_short`` those that the budget left no room for.
    """

    def __init__(
        self, target: Target, world: World, wire: Wire, progress: Callable[[int], None] | None = None
    ) -> None:
        self.target = target
        self.world = world
        self.exchanges: list[Exchange] = []
        self.remarks: list[str] = []
        self.done: set[str] = set()
        self.cut_short: set[str] = set()
        self._wire = wire
        self._vigil = Vigil(wire.timeout)
        self._pacer = Pacer(target.rate)
        self._patience = PATIENCE
        self._shut_out: set[str] = set()
        self._progress = progress
        self._in_flight = 0

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._in_flight

    def send(self, send: Send) -> Exchange:
        """Send one request, waiting out any 429.

        Raises :class:`BudgetSpent`, :class:`GivenUp` and :class:`CouldNotRun`.
        """
        self._vigil.consider(send)
        tries = 0
        waited = 0.0
        while True:
            exchange = self._once(send)
            if exchange.status != 429 or send.staged == 429:
                return exchange
            wait = retry_after(exchange, otherwise=min(2.0**tries, _LONGEST_GUESS))
            tries += 1
            if send.key.kind != "valid" and (tries >= _STRANGERS_TRIES or send.probe in self._shut_out):
                # A server may stop listening to strangers who keep coming: what they would be told is not seen.
                self._shut_out.add(send.probe)
                self.remarks.append("the target answers strangers with 429 only")
                return exchange
            if wait > min(LONGEST_WAIT, self._patience) or waited >= max(IN_VAIN, 2 * wait):
                raise CouldNotRun(
                    f"{self.target.url} keeps answering 429 (after {waited:g} s of waiting, "
                    f"asked to wait {wait:g} s more): lower --batch-rate, or come back later"
                )
            waited += max(wait, 1.0)
            # A wait of nothing still costs patience, so that a server that only ever says 429 ends the run.
            self._patience -= max(wait, 1.0)
            time.sleep(wait)

    def _once(self, send: Send) -> Exchange:
        exchange = self._recorded(send)
        if self._vigil.note(send, exchange):
            self._look_for_life(send, exchange)
        return exchange

    def _recorded(self, send: Send, timeout: float | None = None) -> Exchange:
        self._reserve(1)
        self._pacer.wait()
        request = send.request(self.target.url, self.target.host)
        exchange = self._wire.exchange(request, send.intent, lane=send.lane, timeout=timeout)
        self.exchanges.append(exchange)
        if self._progress:
            self._progress(self.requests)
        return exchange

    def _look_for_life(self, unanswered: Send, silent: Exchange) -> None:
        """Make sure that somebody is there. Raises :class:`CouldNotRun` otherwise."""
        before = len(self.exchanges) - 1
        own = self.world.read("alive", self.world.ids[0]) if self.world.ids else unanswered
        for sign, seconds in self._vigil.signs(otherwise=own):
            if self.left() < 1:
                return
            sent = replace(sign, probe="alive", lane="", staged=None)
            if is_answer(self._recorded(sent, seconds)):
                self._vigil.lives()
                return
        why = silent.failure.message if silent.failure else "no answer"
        if self._vigil.was_ever_answered:
            raise CouldNotRun(f"{self.target.url} stopped answering after {before} requests: {why}")
        raise CouldNotRun(f"{self.target.url} cannot be reached: {why}")

    def _reserve(self, count: int) -> None:
        budget = self.world.profile.budget
        if budget is not None and self._in_flight + count > budget:
            raise BudgetSpent
        self._in_flight += count

    def left(self) -> int:
        """Requests that may still be sent."""
        budget = self.world.profile.budget
        return 1_000_000 if budget is None else budget - self._in_flight

    # Before the probes.

    def preflight(self, given: Collection[str], wanted: Collection[str]) -> None:
        """Make sure that the target answers, takes the key, and knows the ids.

        ``given`` are the ids the user named; without them ids are discovered. Raises :class:`CouldNotRun`.
        """
        if given:
            self.world.ids = list(dict.fromkeys(given))
            if "cold" in wanted:
                self._run(cold(self.world))
                self.done.add("cold")
        else:
            self.world.ids = self._discover()
        if self.target.stager is not None:
            self.world.ids += self._staged_batches(self.target.stager)
        answers: list[Exchange] = []
        for value in self.world.ids[: self.world.profile.batches]:
            with self._as_far_as_it_goes():
                answers.append(self.send(self.world.read("reads", value)))
        self._check_key(answers)
        if all(answer.status == 404 for answer in answers):
            named = ", ".join(self.world.ids[:5])
            whose = "given as existing" if given else "that it lists itself"
            raise CouldNotRun(
                f"{self.target.url} knows none of the batch ids {whose} ({named}): every read is a 404"
            )
        for answer in answers:
            self.world.note_state(answer)
        self._order_by_state()

    def _staged_batches(self, stager: Stager) -> list[str]:
        """Batches that the staging hook brings into each state; on top of those that are known anyway."""
        staged = [stager.batch_in(state) for state in STATUSES]
        return [value for value in dict.fromkeys(staged) if value is not None and value not in self.world.ids]

    def _check_key(self, answers: list[Exchange]) -> None:
        if not all(answer.status in (401, 403) for answer in answers):
            return
        # Before the key is called refused: does the server only know another spelling of the header's name?
        for spelling in _SPELLINGS:
            if spelling != self.world.key_header:
                read = self.world.read("header-case", self.world.ids[0])
                label = f"the valid key under {spelling}"
                again = self.send(replace(read, key_header=spelling, label=label))
                if again.status not in (401, 403, None):
                    self._relabel(answers)
                    self.world.key_header = spelling
                    answers[:] = [self.send(self.world.read("reads", value)) for value in self.world.ids]
                    return
        raise CouldNotRun(
            f"{self.target.url} refuses the API key of {self.target.api_key_env} "
            f"({answers[0].status} on the known batch {answers[0].intent.id})"
        )

    def _relabel(self, answers: list[Exchange]) -> None:
        """What was refused for the spelling of the header's name is evidence of that, not of a failed read."""
        for index, exchange in enumerate(self.exchanges):
            if exchange in answers:
                label = f"the valid key under {self.world.key_header}"
                intent = replace(exchange.intent, probe="header-case", label=label)
                self.exchanges[index] = replace(exchange, intent=intent)

    def _discover(self) -> list[str]:
        probe = Send(
            "discovery",
            AskedId("", "", "known", "the list of batches"),
            self.world.key,
            path="/v2/batch",
            label="the list of batches",
        )
        exchange = self.send(probe)
        hint = "name a batch that exists with --batch-id"
        if exchange.status in (401, 403):
            raise CouldNotRun(
                f"{self.target.url} refuses the API key of {self.target.api_key_env} "
                f"({exchange.status} on GET /v2/batch)"
            )
        listed = exchange.response.json.value if exchange.response and exchange.status == 200 else None
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        found = {row["id"]: row.get("status") for row in rows if _can_be_asked_for(row.get("id"))}
        if not found:
            raise CouldNotRun(
                f"no batch was discovered at {self.target.url} (GET /v2/batch: {exchange.outcome()}): {hint}"
            )
        most = self.world.profile.batches
        one_each = list({str(status): value for value, status in reversed(found.items())}.values())
        chosen = [value for value in found if value in one_each][:most]
        chosen += [value for value in found if value not in chosen][: most - len(chosen)]
        if len(found) > len(chosen):
            self.remarks.append(f"{len(chosen)} of {len(found)} discovered batches were read")
        return chosen

    def _order_by_state(self) -> None:
        """A batch that is COMPLETED first: near misses of it have most to give away."""
        order = {"COMPLETED": 0, "FAILED": 1}
        self.world.ids.sort(key=lambda value: order.get((self.world.states.get(value) or [""])[-1], 2))

    # The probes.

    def run(self, wanted: Collection[str]) -> None:
        """Send all wanted probes in their order, until the budget is spent."""
        try:
            for name, probe in PROBES.items():
                if name in wanted:
                    self._run(probe(self.world))
                    self.done.add(name)
                if name == "methods" and "staged" in wanted:
                    with self._as_far_as_it_goes():
                        self._staged()
                    self.done.add("staged")
            if "burst" in wanted:
                self._burst()
                self.done.add("burst")
            if "generated-ids" in wanted or "generated-keys" in wanted:
                with self._as_far_as_it_goes():
                    self._explore()
                self.done |= {"generated-ids", "generated-keys"}
        except BudgetSpent:
            self.cut_short = set(wanted) - self.done
            self.remarks.append(f"the budget of {self.world.profile.budget} requests was used up")

    def _run(self, probe: Probe) -> None:
        with self._as_far_as_it_goes(), suppress(StopIteration):
            send = next(probe)
            while True:
                send = probe.send(self.send(send))

    @contextmanager
    def _as_far_as_it_goes(self) -> Iterator[None]:
        try:
            yield
        except GivenUp as given_up:
            if str(given_up) not in self.remarks:
                self.remarks.append(str(given_up))

    def _staged(self) -> None:
        """A 500 and a 429, from targets that can be told to answer so."""
        if self.target.stager is None:
            return
        for status in (500, 429):
            if self.target.stager.answer_next(status):
                read = self.world.read("staged", self.world.ids[0])
                self.send(replace(read, staged=status, label=f"a staged {status}"))

    def _explore(self) -> None:
        # Imported here: Schemathesis takes a while, and a run of a few clauses may not need it.
        from batch_conformance.server.generated import explore

        explore(self.world, self.send, self.left, self._annotate)

    def _annotate(self, exchange: Exchange) -> None:
        """Put an exchange with notes in place of the plain one that was recorded."""
        numbers = [recorded.number for recorded in self.exchanges[-10:]]
        self.exchanges[numbers.index(exchange.number) - len(numbers)] = exchange

    def _burst(self) -> None:
        """Reads of different batches side by side: answers must not get mixed up."""
        count = min(self.world.profile.burst, self.left())
        if self.target.rate is not None or count < 2:
            return
        self._reserve(count)
        sends = [
            replace(self.world.read("burst", self.world.ids[index % len(self.world.ids)]), lane="")
            for index in range(count)
        ]

        def send_one(send: Send) -> Exchange:
            return self._wire.exchange(send.request(self.target.url, self.target.host), send.intent)

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(send_one, sends))
        self.exchanges += answers
        if not any(map(is_answer, answers)):
            self._look_for_life(sends[-1], answers[-1])


def _can_be_asked_for(value: object) -> bool:
    """Whether a listed id is one: text, and nothing that no request could carry."""
    try:
        return isinstance(value, str) and bool(value.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def retry_after(exchange: Exchange, otherwise: float = 1.0) -> float:
    """Seconds that a 429 asks to wait (RFC 9110, 10.2.3: seconds or a date); ``otherwise`` when it does not say."""
    values = exchange.response.header_values("retry-after") if exchange.response else []
    if not values:
        return otherwise
    text = values[0].strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_TOLD)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return otherwise
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
