"""Runs the probes against one server: pre-flight, discovery, then one probe after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

from batch_conformance.contract.load import STATUSES
from batch_conformance.http import Exchange
from batch_conformance.server_runner.budget import BudgetSpent
from batch_conformance.server_runner.discovery import discover
from batch_conformance.server_runner.liveness import GivenUp
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.preflight import read_known_batches
from batch_conformance.server_runner.probes import PROBES, Probe, ProbeContext, before_first_auth
from batch_conformance.server_runner.sender import Sender
from batch_conformance.server_runner.staging import Stager
from batch_conformance.server_runner.target import Target
from batch_conformance.server_runner.transport import Transport


class ServerRunner:
    """Sends the probes to one target and keeps what came of them.

    ``progress`` is told the number of requests sent so far. ``done`` names the probes that were sent.
    """

    def __init__(
        self, target: Target, context: ProbeContext, transport: Transport, progress: Callable[[int], None] | None = None
    ) -> None:
        self.target = target
        self.world = context
        self.done: set[str] = set()
        #: Probes that the budget left no room for.
        self.cut_short: set[str] = set()
        self._sender = Sender(target, context, transport, progress)

    @property
    def exchanges(self) -> list[Exchange]:
        """What was recorded, in the order of sending."""
        return self._sender.exchanges

    @property
    def remarks(self) -> list[str]:
        """What was not sent, and why."""
        return self._sender.remarks

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._sender.budget.spent

    @property
    def deaths(self) -> list[Exchange]:
        """The requests that brought the target down, each seen twice."""
        return self._sender.recovery.deaths

    @property
    def hints(self) -> list[str]:
        """What the user should know of how the run went."""
        return [hint for hint in [self._sender.overload.hint] if hint]

    def preflight(self, given: Collection[str], wanted: Collection[str]) -> None:
        """Make sure that the target answers, takes the key, and knows the ids.

        ``given`` are the ids the user named; without them ids are discovered. Raises :class:`CouldNotRun`.
        """
        if given:
            self.world.ids = list(dict.fromkeys(given))
            if "before-first-auth" in wanted:
                self._run(before_first_auth(self.world))
                self.done.add("before-first-auth")
        else:
            self.world.ids = discover(self._sender)
        if self.target.stager is not None:
            self.world.ids += self._staged_batches(self.target.stager)
        read_known_batches(self._sender, given)

    def _staged_batches(self, stager: Stager) -> list[str]:
        """Batches that the staging hook brings into each state; on top of those that are known anyway."""
        staged = [stager.batch_in(state) for state in STATUSES]
        return [value for value in dict.fromkeys(staged) if value is not None and value not in self.world.ids]

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
            self.remarks.append(f"the budget of {self._sender.budget.limit} requests was used up")

    def _run(self, probe: Probe) -> None:
        with self._as_far_as_it_goes(), suppress(StopIteration):
            send = next(probe)
            while True:
                send = probe.send(self._sender.send(send))

    @contextmanager
    def _as_far_as_it_goes(self) -> Iterator[None]:
        try:
            yield
        except GivenUp as given_up:
            self._sender.note(str(given_up))

    def _staged(self) -> None:
        """A 500 and a 429, from targets that can be told to answer so."""
        if self.target.stager is None:
            return
        for status in (500, 429):
            if self.target.stager.answer_next(status):
                read = self.world.read("staged", self.world.ids[0])
                self._sender.send(replace(read, staged=status, label=f"a staged {status}"))

    def _explore(self) -> None:
        # Imported here: Schemathesis takes a while, and a run of a few clauses may not need it.
        from batch_conformance.server_runner.generated import explore

        explore(self.world, self._sender.send, self._sender.budget.left, self._sender.annotate)

    def _burst(self) -> None:
        """Reads of different batches side by side: answers must not get mixed up."""
        count = min(self.world.profile.burst, self._sender.budget.left())
        if self._sender.pacer.rate is not None or count < 2:
            return
        self._sender.budget.reserve(count)
        sends = [
            replace(self.world.read("burst", self.world.ids[index % len(self.world.ids)]), lane="")
            for index in range(count)
        ]

        def send_one(send: PlannedRequest) -> Exchange:
            return self._sender.wire.exchange(send.request(self.target.url, self.target.host), send.intent)

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(send_one, sends))
        self._sender.send_side_by_side(sends, answers)
