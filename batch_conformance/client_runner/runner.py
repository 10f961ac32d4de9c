"""Running all cases of one client, several concurrently, and collecting the results."""

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
from batch_conformance.client_runner.arrivals import MAX_CALLS_WITHOUT_REQUEST, no_request_arrived
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

#: Lanes that take slow cases first, so that these wait while the others run.
WAITING_LANES = 8
#: Concurrent calls made to find out whether a client can be called from several threads.
TRIALS = 3
#: Breakdowns in the cases of one clause after which the rest is skipped: each may cost a process and seconds.
MAX_BREAKDOWNS = 3
#: Calls in a row that took their whole deadline without a request, after which the client is taken to be stuck.
MAX_SILENT_CALLS = 6


class ClientRunner:
    """Runs cases against a client and collects the results.

    ``keys`` are the run's keys. ``progress`` is called with the number of cases run so far, ``expect`` with the
    total. ``plays`` are the results by case number; ``left_out`` counts the skipped cases by clause.
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
        #: Whether https cases can be run: a process can be made to trust the stub's certificate by its environment, and
        #: under respx there are no certificates.
        self.trusted = client.transport == "respx" or (client.apart and authority() is not None)
        self._keys = keys
        self._progress = progress
        self._expect = expect
        self._cases_run = 0
        self._by_turns = False
        #: Number of calls that should have led to a request; whether any request arrived; the last call's result.
        self._calls = 0
        self._request_arrived = False
        self._last_result = ""
        #: Breakdowns by operation, clause, and whether it was the case's first clause.
        self._breakdowns: Counter[tuple[str, str, bool]] = Counter()
        self._silent = 0
        self._lock = threading.Lock()
        self._only_waits = threading.Event()
        self._factory = CaseFactory(-1)

    def play_all(self, cases: Iterable[Case]) -> None:
        """Run all cases, in their order as far as possible. Raises ``CouldNotRun`` when the run has to end.

        Call it on the main thread, so that clients that only run there can be tested.
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
            # Each call has a process to itself, and the calls of one case share one, so cases do not interfere.
            processes = self._client
            with self._warmed(processes):
                most = lanes_for(processes.start_seconds)
                play_side_by_side(order, self._run_and_record, most, lambda: processes.starting)
            return
        # Cases of several calls run alone, since calls of other cases would share the client's state.
        for case in order:
            if len(case.asks) > 1:
                self._run_and_record(case)
        alone = [case for case in order if len(case.asks) == 1]
        waiting = deque(case for case in alone if case.waits)
        quick = deque(case for case in alone if not case.waits)
        if self._by_turns:
            # On this thread: a client that handles only one call at a time may handle only one thread.
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
                # Interrupted, or given up: start nothing more, let the cases under way end.
                waiting.clear()
                quick.clear()
                raise

    def play(self, case: Case) -> CaseResult:
        """Run one case without storing its result. Raises ``CouldNotRun``."""
        result = self._play(case)
        with self._lock:
            self.requests += sum(call_result.requests for call_result in result.turns) + len(result.elsewhere)
            self._cases_run += 1
            broken = any(call_result.reply.broken is not None for call_result in result.turns)
            for clause in _blamable(case):
                self._breakdowns[case.operation, clause, case.clauses[0] == clause] += broken
        if self._progress:
            self._progress(self._cases_run)
        if broken:
            self._check_alive()
        self.check_arrivals(MAX_CALLS_WITHOUT_REQUEST)
        return result

    def check_arrivals(self, calls: int = 1) -> None:
        """Raise ``CouldNotRun`` when at least ``calls`` calls were made and no request arrived."""
        if self._calls >= calls and not self._request_arrived:
            spec = shortened(self._client.spec, 120)
            raise CouldNotRun(no_request_arrived(spec, self._calls, shortened(self._last_result, 200)))

    def _play(self, case: Case) -> CaseResult:
        # Several calls of one client run in one process; two concurrent calls are two clients.
        one_process = len(case.asks) > 1 and not case.together
        with self._client.one_process() if one_process and isinstance(self._client, DriverPool) else nullcontext():
            return self._play_and_count(case)

    def _play_and_count(self, case: Case) -> CaseResult:
        result = play(as_documented(case), self._client, self._keys, by_turns=self._by_turns)
        if not case.refused and case.clauses[0] != "client.request.dot-id":
            silent = sum(map(_is_silent, result.turns))
            with self._lock:
                self._silent = self._silent + silent if silent == len(result.turns) else 0
                self._calls += len(result.turns)
                any_request = bool(result.elsewhere) or any(call_result.requests for call_result in result.turns)
                self._request_arrived |= any_request
                self._last_result = result.turns[-1].said()
        return result

    def _lane(self, first: deque[Case], second: deque[Case]) -> None:
        try:
            while case := self._next(first, second):
                self._run_and_record(case)
        except CouldNotRun:
            # Stops the other lanes too.
            first.clear()
            second.clear()
            raise
        finally:
            # Also after an error, so that no late lane is left waiting.
            self._only_waits.set()

    def _late_lane(self, waiting: deque[Case]) -> None:
        """Run a lane that starts once only cases that wait are left."""
        self._only_waits.wait()
        self._lane(waiting, waiting)

    def _next(self, first: deque[Case], second: deque[Case]) -> Case | None:
        with self._lock:
            if not first or not second:
                self._only_waits.set()
            return first.popleft() if first else second.popleft() if second else None

    def _run_and_record(self, case: Case) -> None:
        many = any(self._breakdowns_like(case, clause) >= MAX_BREAKDOWNS for clause in _blamable(case))
        if many or self._silent >= MAX_SILENT_CALLS:
            self.left_out[case.clauses[0]] += 1
            return
        result = self.play(case)
        with self._lock:
            self.plays[case.number] = result

    def _breakdowns_like(self, case: Case, clause: str) -> int:
        """Count breakdowns that make another one in this case likely; plain cases are not skipped for special ones."""
        plain = self._breakdowns[case.operation, clause, True]
        return plain if clause == case.clauses[0] else plain + self._breakdowns[case.operation, clause, False]

    def _check_alive(self) -> None:
        """Make an ordinary call after a breakdown: a good reply resets the circuit breaker."""
        self._ordinary_call("an ordinary call after a breakdown")

    def _works_side_by_side(self) -> bool:
        """Whether concurrent calls succeed as a single call does; not every client supports them.

        A client in this process that does not is called on the main thread from now on, one call at a time.
        """
        here = self._client if isinstance(self._client, InProcessClient) and is_main_thread() else None
        if here:
            here.settle_on_main()
        alone = self._ordinary_call("an ordinary call")
        if here:
            here.settle_in_threads()
        with ThreadPoolExecutor(TRIALS, "batch-trial") as pool:
            titles = ["an ordinary call beside others"] * TRIALS
            together = (
                all(pool.map(self._ordinary_call, titles))
                if alone
                else pool.submit(self._ordinary_call, "an ordinary call in a thread").result()
            )
        if together:
            return True
        if here:
            here.settle_on_main(with_loop=not alone)
            if alone or self._ordinary_call("an ordinary call on the main thread"):
                return False
            here.settle_in_threads()
        # A client that never returns a batch is tested as any other: its cases show what is wrong.
        return not alone

    def _breaks_in_threads_only(self, order: Sequence[Case]) -> bool:
        """Whether a call that broke down in a thread ends properly on the main thread, as a deadline by signal does.

        If so, the client is called there from now on.
        """
        client = self._client
        if not isinstance(client, InProcessClient) or not is_main_thread():
            return False
        single = [case for case in order if len(case.asks) == 1 and case.number in self.plays]
        replies = {case.number: self.plays[case.number].turns[0].reply for case in single}
        broken = [case for case in single if replies[case.number].broken is not None]
        if not broken:
            return False
        # Prefer a call that hung to one that crashed at once.
        case = max(broken, key=lambda case: replies[case.number].seconds >= case.asks[0].timeout_s)
        client.settle_on_main()
        with client.impatient():
            ended = self._play(case).turns[0].reply.broken is None
        if not ended:
            client.settle_in_threads()
        return ended

    def _ordinary_call(self, title: str) -> bool:
        """Make an ordinary call without recording it; return whether it returned a batch."""
        return self._play(self._ordinary_case(title)).turns[0].reply.batch is not None

    def _ordinary_case(self, title: str) -> Case:
        with self._lock:
            batch = self._factory.batch()
        # A short delay, so that concurrent calls overlap.
        ask = self._factory.valid(batch, json_body(batch).delayed(0.02))
        case = Case(title, ("client.decode.fields",), (ask,))
        if JUDGED[case.operation] not in self._client.hello.operations:
            known = self._client.hello.operations
            case = next(part.ordinary(case) for part in parts("client_cases") if JUDGED[part.OPERATION] in known)
        return case

    @contextmanager
    def _warmed(self, processes: DriverPool) -> Iterator[None]:
        """In the context, let each process make an ordinary warm-up call first."""
        case = as_documented(self._ordinary_case("a first call"))
        (step,) = case.asks
        with StubServer(InOrder(step.answers)) as stub:
            key = self._keys[step.key]
            processes.warm_up_with(Call(stub.url, key, step.batch_id, step.timeout_s, case.operation, step.arguments))
            yield


def _is_silent(call_result: CallResult) -> bool:
    """Whether a call ended at its deadline without a request, as with a pool whose connections are all lost."""
    late = call_result.reply.seconds >= call_result.call.timeout_s * 0.9
    return late and not call_result.requests and call_result.reply.error is not None


def _blamable(case: Case) -> set[str]:
    """Return the clauses that a breakdown may count against: the case's first, and those of its error statuses."""
    statuses = {clause_of_status(ask.expected.status) for ask in case.asks if isinstance(ask.expected, HttpError)}
    return {case.clauses[0], *statuses}
