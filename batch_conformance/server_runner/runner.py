"""Runs the probes against one server: pre-flight, discovery, then one probe after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.checks.server.unauthenticated import is_let_in
from batch_conformance.contract import current_contract
from batch_conformance.http import Exchange
from batch_conformance.server_runner.budget import BudgetSpent
from batch_conformance.server_runner.discovery import discover
from batch_conformance.server_runner.liveness import GivenUp
from batch_conformance.server_runner.operation_probes import (
    OperationProbes,
    get_module,
    other_probes,
    probes_in,
)
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.preflight import read_known_batches
from batch_conformance.server_runner.probe import Probe, ProbeContext, planned
from batch_conformance.server_runner.sender import Sender
from batch_conformance.server_runner.staging import Stager
from batch_conformance.server_runner.strands import strands_before, strands_of
from batch_conformance.server_runner.target import Target
from batch_conformance.server_runner.transport import Transport


class ServerRunner:
    """Sends the probes to one target and records the exchanges.

    ``progress`` is called with the number of requests sent so far. ``done`` holds the names of the probes
    that were sent.
    """

    def __init__(
        self, target: Target, context: ProbeContext, transport: Transport, progress: Callable[[int], None] | None = None
    ) -> None:
        self.target = target
        self.context = context
        self.done: set[str] = set()
        #: Probes that were not sent, or not completely, because the budget was used up.
        self.cut_short: set[str] = set()
        #: Hints on options for another run.
        self.advice: list[str] = []
        #: Number of requests, by operation, that were sent before Get Batch's.
        self._sent_early: dict[str, int] = {}
        self._get_part = probes_in(get_module())
        self._sender = Sender(target, context, transport, progress)
        self._side_by_side = self._sender.side_by_side

    @property
    def exchanges(self) -> list[Exchange]:
        """Recorded exchanges in sending order."""
        return self._sender.exchanges

    @property
    def remarks(self) -> list[str]:
        """What was not sent, and why."""
        return self._sender.remarks

    @property
    def requests(self) -> int:
        """Number of requests sent so far."""
        return self._sender.budget.spent

    @property
    def crashes(self) -> list[Exchange]:
        """Exchanges that crashed the target, each confirmed by a repetition."""
        return self._sender.recovery.crashes

    @property
    def hints(self) -> list[str]:
        """Hints for the user about the run."""
        return [hint for hint in [self._sender.overload.hint] if hint]

    def preflight(self, given: Collection[str], wanted: Collection[str]) -> None:
        """Make sure that the target answers, accepts the key, and knows the ids.

        ``given`` are the ids the user named; without them ids are discovered. Raises :class:`CouldNotRun`.
        """
        if not self.context.operations:
            raise CouldNotRun("the contract has no operation left that the suite can judge")
        self.context.ids = list(dict.fromkeys(given))
        self._before_first_auth(wanted)
        if not given:
            self.context.ids = discover(self._sender)
        if self.target.stager is not None:
            self.context.ids += self._staged_batches(self.target.stager)
        if "get" in self.context.operations and self.context.ids:
            read_known_batches(self._sender, given)

    def _before_first_auth(self, wanted: Collection[str]) -> None:
        probes = {}
        for part in other_probes():
            if part.operation in self.context.operations and "before-first-auth" in wanted:
                probes[part.operation] = part.before_first_auth
                # Part of its own budget, not of Get Batch's.
                self._sent_early[part.operation] = sum(1 for _ in planned(part.before_first_auth, self.context))
                self._sender.budget.extend(self._sent_early[part.operation])
        if self.context.ids and "before-first-auth" in sent(wanted) and "get" in self.context.operations:
            probes["get"] = self._get_part.before_first_auth
        if probes:
            self._side_by_side.run(strands_before(probes, self.context))
            self.done.add("before-first-auth")

    def _staged_batches(self, stager: Stager) -> list[str]:
        """Return ids of batches that the staging hook brings into each state, without known ones."""
        staged = [stager.batch_in(state) for state in current_contract().lifecycle.values]
        return [value for value in dict.fromkeys(staged) if value is not None and value not in self.context.ids]

    def expected(self, wanted: Collection[str]) -> int:
        """Return the expected total of requests, those already sent included, if responses are as usual."""
        profile = self.context.profile
        if "get" not in self.context.operations or not self.context.ids:
            return self.requests
        probes = self._get_part.probes
        count = sum(sum(1 for _ in planned(probe, self.context)) for name, probe in probes.items() if name in wanted)
        count += profile.burst if "burst" in wanted and self._sender.pacer.rate is None else 0
        count += 2 * profile.generated if {"generated-ids", "generated-keys"} & set(wanted) else 0
        return self.requests + min(count, self._sender.budget.left())

    def run(self, wanted: Collection[str]) -> None:
        """Send all wanted probes in order, until the budget is used up."""
        wanted = sent(wanted)
        if "get" in self.context.operations and self.context.ids:
            self._run_get(wanted)
        for part in other_probes():
            if part.operation in self.context.operations:
                self._run_operation(part, wanted)

    def _run_operation(self, part: OperationProbes, wanted: Collection[str]) -> None:
        """Send another operation's probes, within its own budget; only the first if it does not exist."""
        most = part.most_requests(self.context.profile.name)
        self._sender.budget.allow(None if most is None else most - self._sent_early.get(part.operation, 0))
        requested = [name for name in part.probes if part.beside.get(name, name) in wanted]
        groups = [[part.first], *([name for name in group if name in requested] for group in part.groups())]
        before = len(self._sender.exchanges)
        done: set[str] = set()
        try:
            for names in groups if requested else ():
                if names == [part.first]:
                    self._run(part.probes[part.first](self.context))
                    done.add(part.first)
                else:
                    self._run_group(names, part, done)
                own = [row for row in self._sender.exchanges[before:] if row.intent.operation == part.operation]
                if names == [part.first] and own and all(row.status in part.absent for row in own):
                    self._note_absent(part, own[0])
                    break
        except BudgetSpent:
            self.cut_short |= set(requested) - done
            self.remarks.append(f"the budget of {self._sender.budget.limit} requests was used up")
        self.done |= done

    def _note_absent(self, part: OperationProbes, answer: Exchange) -> None:
        others = [name for name in self.context.operations if name != part.operation]
        path = urlsplit(answer.request.url).path
        hint = f"GET {path} is answered with {answer.status}"
        if others:
            hint += f": for a server without it, say --batch-operations {','.join(others)}"
        self.advice.append(hint)
        self._sender.note(hint)

    def _run_get(self, wanted: Collection[str]) -> None:
        if self._side_by_side.pays and ("generated-ids" in wanted or "generated-keys" in wanted):
            # It is slow to load, which can be done while the other probes wait for responses.
            threading.Thread(target=_load_generators, name="batch-import", daemon=True).start()
        try:
            for names in self._probe_groups(wanted):
                self._run_group([name for name in names if name in wanted], self._get_part, self.done)
                if "methods" in names and "staged" in wanted:
                    with self._until_given_up():
                        self._run_staged()
                    self.done.add("staged")
            if "burst" in wanted:
                self._run_burst()
                self.done.add("burst")
            if "generated-ids" in wanted or "generated-keys" in wanted:
                with self._until_given_up():
                    self._run_generated()
                self.done |= {"generated-ids", "generated-keys"}
        except BudgetSpent:
            self.cut_short = set(wanted) - self.done
            self.remarks.append(f"the budget of {self._sender.budget.limit} requests was used up")

    def _probe_groups(self, wanted: Collection[str]) -> list[tuple[str, ...]]:
        """Return the groups of probes that may be under way together.

        After a staged failure is requested, nothing else may be sent until it is used up.
        """
        if "staged" in wanted and self.target.stager is not None:
            return list(map(tuple, self._get_part.together))
        *first, before, after, late, last = map(tuple, self._get_part.together)
        return [*first, before + after, late, last]

    def _run_group(self, names: Sequence[str], part: OperationProbes, done: set[str]) -> None:
        if not self._side_by_side.pays:
            for name in names:
                self._run(part.probes[name](self.context))
                done.add(name)
            return
        strands = [strand for name in names for strand in strands_of(part, name, self.context)]
        try:
            self._side_by_side.run(strands, in_order=bool(set(part.in_order) & set(names)))
        finally:
            done |= set(names) - self._side_by_side.unfinished

    def _run(self, probe: Probe) -> None:
        with self._until_given_up(), suppress(StopIteration):
            send = next(probe)
            while True:
                send = probe.send(self._sender.send(send))

    @contextmanager
    def _until_given_up(self) -> Iterator[None]:
        try:
            yield
        except GivenUp as given_up:
            self._sender.note(str(given_up))

    def _run_staged(self) -> None:
        """Send reads that the staging hook has answered with 500 and 429."""
        if self.target.stager is None:
            return
        for status in (500, 429):
            if self.target.stager.answer_next(status):
                read = self.context.read("staged", self.context.ids[0])
                self._sender.send(replace(read, staged=status, label=f"a staged {status}"))

    def _run_generated(self) -> None:
        # Imported here: Schemathesis is slow to import, and a run of a few clauses may not need it.
        from batch_conformance.server_runner.generated import explore

        ahead = self._send_ahead if self._side_by_side.pays else None
        explore(self.context, self._sender.send, self._sender.budget.left, self._sender.annotate, ahead)

    def _send_ahead(self, sends: Sequence[PlannedRequest]) -> list[Callable[[], Exchange] | None]:
        """Send all requests at once; calling a result records its exchange."""

        def record(send: PlannedRequest, answer: Exchange) -> Exchange:
            self._sender.take(send, answer)
            return answer

        answers = self._side_by_side.ahead(sends)
        return [
            None if answer is None else partial(record, send, answer)
            for send, answer in zip(sends, answers, strict=True)
        ]

    def _run_burst(self) -> None:
        """Send reads side by side, some of them unauthenticated: responses and keys must not get mixed up."""
        count = min(self.context.profile.burst, self._sender.budget.left())
        if self._sender.pacer.rate is not None or count < 2:
            return
        self._sender.budget.reserve(count)
        sends = list(get_module().burst(self.context, count))

        def send_one(send: PlannedRequest) -> Exchange:
            return self._sender.transport.exchange(send.request(self.target.url, self.target.host), send.intent)

        with ThreadPoolExecutor(8 if self._side_by_side.pays else 4) as pool:
            answers = list(pool.map(send_one, sends))
        self._sender.send_side_by_side(sends, answers)
        admitted = [
            send
            for send, answer in zip(sends, answers, strict=True)
            if send.probe == get_module().UNKNOWN_KEY and is_let_in(answer)
        ]
        alone = [one for one in self._sender.exchanges if one.intent.probe == "invalid-keys"]
        if admitted and not any(map(is_let_in, alone)):
            # Repeat one alone, to tell whether the key is only accepted within a burst.
            self._sender.send(replace(admitted[0], probe="invalid-keys", lane="anonymous", label=""))


def sent(wanted: Collection[str]) -> frozenset[str]:
    """Return those of the wanted probes that make sense under the contract in use."""
    without_key = current_contract().operation("get").key is None
    return frozenset(wanted) - (get_module().ABOUT_KEYS if without_key else frozenset())


def _load_generators() -> None:
    from batch_conformance.server_runner.generated import get_ready

    get_ready()
