"""Plays many cases to one client, several side by side, and keeps what came of them."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

from batch_conformance.checks.by_operation import JUDGED
from batch_conformance.checks.client import CaseResult
from batch_conformance.checks.client.record import CallResult, HttpError, clause_of_status, shortened
from batch_conformance.checks.result import CouldNotRun
from batch_conformance.client_runner.arrivals import CALLS_IN_VAIN, nothing_arrived
from batch_conformance.client_runner.call import Call, ClientUnderTest
from batch_conformance.client_runner.cases import Case, CaseFactory
from batch_conformance.client_runner.cases.case import as_documented
from batch_conformance.client_runner.driver import DriverPool
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.lanes import lanes_for, play_side_by_side
from batch_conformance.client_runner.mainthread import is_main_thread
from batch_conformance.client_runner.open import LANES, MORE_LANES
from batch_conformance.client_runner.player import play
from batch_conformance.client_runner.stub.answers import json_body
from batch_conformance.client_runner.stub.choose import InOrder
from batch_conformance.client_runner.stub.server import StubServer
from batch_conformance.client_runner.stub.tls import authority
from batch_conformance.contract.parts import parts

#: Lanes that take the cases with waits in them first, so that the waits pass while the others play.
WAITING_LANES = 8
#: Calls that are made at once to see whether a client can be called from several threads.
TRIALS = 3
#: Breakdowns in the cases of one clause after which no more of them are played: each may cost a process and seconds.
ENOUGH_BREAKDOWNS = 3
#: Calls in a row that took their whole deadline and sent nothing, after which no more are made: the client is stuck.
ENOUGH_SILENCE = 6


class ClientRunner:
    """Plays cases to a client. ``keys`` are the run's keys, ``progress`` is told how many cases have been played,
    ``expect`` how many there are.

    ``plays`` are the plays kept, by the number of their case; ``left_out`` counts, by clause, what was not played.
    """

    def __init__(
        self,
        client: ClientUnderTest,
        keys: Sequence[str],
        progress: Callable[[int], None] | None = None,
        expect: Callable[[int], None] | None = None,
    ) -> None:
        self.plays: dict[int, CaseResult] = {}
        self.requests = 0
        self.left_out: Counter[str] = Counter()
        self._client = client
        #: Whether the client can be made to trust a stub that speaks TLS: a process by its environment, and without
        #: a socket there are no certificates.
        self.trusted = client.transport == "respx" or (client.apart and authority() is not None)
        self._keys = keys
        self._progress = progress
        self._expect = expect
        self._played = 0
        self._by_turns = False
        #: Calls that could have led to a request; whether any request ever came; what came of the last call.
        self._calls = 0
        self._anything_came = False
        self._last_said = ""
        #: By clause, and whether the case was about nothing else.
        self._breakdowns: Counter[tuple[str, str, bool]] = Counter()
        self._silent = 0
        self._lock = threading.Lock()
        self._only_waits = threading.Event()
        self._pulse = CaseFactory(-1)

    def play_all(self, cases: Iterable[Case]) -> None:
        """Play all of them, in their order as far as possible. Raises ``CouldNotRun`` when judging has to end.

        To be called on the main thread, so that clients that run there only can be judged.
        """
        order = list(cases)
        if self._expect:
            self._expect(len(order))
        self._by_turns = not self._client.apart and not self._works_side_by_side()
        self._play_in_order(order)
        if not self._by_turns and self._breaks_in_threads_only(order):
            self._by_turns = True
            self.plays.clear()
            self.left_out.clear()
            self._breakdowns.clear()
            self._play_in_order(order)

    def _play_in_order(self, order: Sequence[Case]) -> None:
        if isinstance(self._client, DriverPool):
            # Each call has a process to itself, and those of one case keep theirs: nobody is in the way of anybody.
            processes = self._client
            with self._warmed(processes):
                most = lanes_for(processes.start_seconds)
                play_side_by_side(order, self._keep, most, lambda: processes.starting)
            return
        # Several calls of one client belong into one process: nothing else is under way meanwhile.
        for case in order:
            if len(case.asks) > 1:
                self._keep(case)
        alone = [case for case in order if len(case.asks) == 1]
        waiting = deque(case for case in alone if case.waits)
        quick = deque(case for case in alone if not case.waits)
        if self._by_turns:
            # On this thread: a client that stands but one call at a time may stand but one thread.
            self._lane(waiting, quick)
            return
        queues = [(waiting, quick)] * WAITING_LANES + [(quick, waiting)] * (LANES - WAITING_LANES)
        with ThreadPoolExecutor(LANES + MORE_LANES, "batch-lane") as pool:
            lanes = [pool.submit(self._lane, first, second) for first, second in queues]
            lanes += [pool.submit(self._late_lane, waiting) for _ in range(MORE_LANES)]
            try:
                for lane in lanes:
                    lane.result()
            except BaseException:
                # Interrupted, or given up: nothing more is begun, what is under way comes to its end.
                waiting.clear()
                quick.clear()
                raise

    def play(self, case: Case) -> CaseResult:
        """Play one case, without keeping it. Raises ``CouldNotRun``."""
        played = self._play(case)
        with self._lock:
            self.requests += sum(turn.requests for turn in played.turns) + len(played.elsewhere)
            self._played += 1
            broken = any(turn.reply.broken is not None for turn in played.turns)
            for clause in _blamable(case):
                self._breakdowns[case.operation, clause, case.clauses[0] == clause] += broken
        if self._progress:
            self._progress(self._played)
        if broken:
            self._take_pulse()
        self.check_arrivals(CALLS_IN_VAIN)
        return played

    def check_arrivals(self, calls: int = 1) -> None:
        """Raise ``CouldNotRun`` when at least so many calls were made and no request arrived: nothing was tested."""
        if self._calls >= calls and not self._anything_came:
            spec = shortened(self._client.spec, 120)
            raise CouldNotRun(nothing_arrived(spec, self._calls, shortened(self._last_said, 200)))

    def _play(self, case: Case) -> CaseResult:
        # Several calls of one client belong into one process; two at once are two clients.
        kept = len(case.asks) > 1 and not case.together
        with self._client.one_process() if kept and isinstance(self._client, DriverPool) else nullcontext():
            return self._play_kept(case)

    def _play_kept(self, case: Case) -> CaseResult:
        played = play(as_documented(case), self._client, self._keys, by_turns=self._by_turns)
        if not case.refused and case.clauses[0] != "client.request.dot-id":
            silent = sum(map(_is_silent, played.turns))
            with self._lock:
                self._silent = self._silent + silent if silent == len(played.turns) else 0
                self._calls += len(played.turns)
                self._anything_came |= bool(played.elsewhere) or any(turn.requests for turn in played.turns)
                self._last_said = played.turns[-1].said()
        return played

    def _lane(self, first: deque[Case], second: deque[Case]) -> None:
        try:
            while case := self._next(first, second):
                self._keep(case)
        except CouldNotRun:
            # The other lanes need not find out for themselves.
            first.clear()
            second.clear()
            raise
        finally:
            # Also when it ends by an error: nobody may be left waiting.
            self._only_waits.set()

    def _late_lane(self, waiting: deque[Case]) -> None:
        """A lane for when only waits are left: a client that makes many of them has shown by then that it does."""
        self._only_waits.wait()
        self._lane(waiting, waiting)

    def _next(self, first: deque[Case], second: deque[Case]) -> Case | None:
        with self._lock:
            if not first or not second:
                self._only_waits.set()
            return first.popleft() if first else second.popleft() if second else None

    def _keep(self, case: Case) -> None:
        many = any(self._breakdowns_like(case, clause) >= ENOUGH_BREAKDOWNS for clause in _blamable(case))
        if many or self._silent >= ENOUGH_SILENCE:
            self.left_out[case.clauses[0]] += 1
            return
        played = self.play(case)
        with self._lock:
            self.plays[case.number] = played

    def _breakdowns_like(self, case: Case, clause: str) -> int:
        """Breakdowns that make another one in this case likely; those in special cases say nothing of the plain one."""
        plain = self._breakdowns[case.operation, clause, True]
        return plain if clause == case.clauses[0] else plain + self._breakdowns[case.operation, clause, False]

    def _take_pulse(self) -> None:
        """After a breakdown, an ordinary call: a client that answers it is alive, and is judged on."""
        self._ordinary_call("an ordinary call after a breakdown")

    def _works_side_by_side(self) -> bool:
        """Whether calls in several threads come to what a call alone comes to: not every client is made for that.

        One that is not makes its calls on the main thread from now on, one at a time.
        """
        here = self._client if isinstance(self._client, InProcessClient) and is_main_thread() else None
        if here:
            here.settle_on_main()
        alone = self._ordinary_call("an ordinary call")
        if here:
            here.settle_in_threads()
        with ThreadPoolExecutor(TRIALS, "batch-trial") as pool:
            titles = ["an ordinary call beside others"] * TRIALS
            together = all(pool.map(self._ordinary_call, titles)) if alone else pool.submit(
                self._ordinary_call, "an ordinary call in a thread"
            ).result()
        if together:
            return True
        if here:
            here.settle_on_main(with_loop=not alone)
            if alone or self._ordinary_call("an ordinary call on the main thread"):
                return False
            here.settle_in_threads()
        # One that never gives a batch is judged as any other: what is wrong shows in its cases.
        return not alone

    def _breaks_in_threads_only(self, order: Sequence[Case]) -> bool:
        """Whether a call that broke down in a thread comes to an end on the main thread, as a deadline by signal does.

        Then the client makes all its calls there from now on.
        """
        client = self._client
        if not isinstance(client, InProcessClient) or not is_main_thread():
            return False
        single = [case for case in order if len(case.asks) == 1 and case.number in self.plays]
        replies = {case.number: self.plays[case.number].turns[0].reply for case in single}
        broken = [case for case in single if replies[case.number].broken is not None]
        if not broken:
            return False
        # What hung tells more than what crashed at once.
        case = max(broken, key=lambda case: replies[case.number].seconds >= case.asks[0].timeout_s)
        client.settle_on_main()
        with client.impatient():
            ended = self._play(case).turns[0].reply.broken is None
        if not ended:
            client.settle_in_threads()
        return ended

    def _ordinary_call(self, title: str) -> bool:
        """Make an ordinary call, not for the record; returns whether it gave a batch."""
        return self._play(self._ordinary_case(title)).turns[0].reply.batch is not None

    def _ordinary_case(self, title: str) -> Case:
        with self._lock:
            batch = self._pulse.batch()
        # A moment's wait, in which calls side by side meet.
        ask = self._pulse.valid(batch, json_body(batch).delayed(0.02))
        case = Case(title, ("client.decode.fields",), (ask,))
        if JUDGED[case.operation] not in self._client.hello.operations:
            known = self._client.hello.operations
            case = next(part.ordinary(case) for part in parts("client_cases") if JUDGED[part.OPERATION] in known)
        return case

    @contextmanager
    def _warmed(self, processes: DriverPool) -> Iterator[None]:
        """Each process makes an ordinary call before those that are judged."""
        case = as_documented(self._ordinary_case("a first call"))
        (step,) = case.asks
        with StubServer(InOrder(step.answers)) as stub:
            key = self._keys[step.key]
            processes.warm_up_with(
                Call(stub.url, key, step.batch_id, step.timeout_s, case.operation, step.arguments)
            )
            yield


def _is_silent(turn: CallResult) -> bool:
    """Whether a call waited for its deadline and sent nothing, as with a pool whose connections are all lost."""
    late = turn.reply.seconds >= turn.call.timeout_s * 0.9
    return late and not turn.requests and turn.reply.error is not None


def _blamable(case: Case) -> set[str]:
    """The clauses that a breakdown may count against: the one the case is for, and those of its error statuses."""
    statuses = {clause_of_status(ask.expected.status) for ask in case.asks if isinstance(ask.expected, HttpError)}
    return {case.clauses[0], *statuses}
