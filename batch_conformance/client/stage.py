"""Plays many cases to one client, several side by side, and keeps what came of them."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from batch_conformance.client.call import ClientUnderTest
from batch_conformance.client.cases import Case, Deck
from batch_conformance.client.open import LANES, MORE_LANES
from batch_conformance.client.player import play
from batch_conformance.client.stub.answers import json_body
from batch_conformance.client.stub.tls import authority
from batch_conformance.judge.client import Play
from batch_conformance.judge.client.material import Refusal, clause_of_status
from batch_conformance.judge.result import CouldNotRun

#: Lanes that take the cases with waits in them first, so that the waits pass while the others play.
WAITING_LANES = 4
#: Calls that are made at once to see whether a client can be called from several threads.
TRIALS = 3
#: Breakdowns in the cases of one clause after which no more of them are played: each may cost a process and seconds.
ENOUGH_BREAKDOWNS = 3


class Stage:
    """Plays cases to a client. ``keys`` are the run's keys, ``progress`` is told how many cases have been played.

    ``plays`` are the plays kept, by the number of their case; ``left_out`` counts, by clause, what was not played.
    """

    def __init__(
        self, client: ClientUnderTest, keys: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> None:
        self.plays: dict[int, Play] = {}
        self.requests = 0
        self.left_out: Counter[str] = Counter()
        self._client = client
        #: Whether the client can be made to trust a stub that speaks TLS: a process by its environment, and without
        #: a socket there are no certificates.
        self.trusted = client.transport == "respx" or (client.apart and authority() is not None)
        self._keys = keys
        self._progress = progress
        self._played = 0
        #: By clause, and whether the case was about nothing else.
        self._breakdowns: Counter[tuple[str, bool]] = Counter()
        self._lock = threading.Lock()
        self._only_waits = threading.Event()
        self._pulse = Deck(-1)

    def play_all(self, cases: Iterable[Case]) -> None:
        """Play all of them, in their order as far as possible. Raises ``CouldNotRun`` when judging has to end."""
        order = list(cases)
        # Several calls of one client belong into one process: nothing else is under way meanwhile.
        for case in order:
            if len(case.asks) > 1:
                self._keep(case)
        alone = [case for case in order if len(case.asks) == 1]
        waiting = deque(case for case in alone if case.waits)
        quick = deque(case for case in alone if not case.waits)
        queues = [(waiting, quick)] * WAITING_LANES + [(quick, waiting)] * (LANES - WAITING_LANES)
        late = MORE_LANES
        if not self._client.apart and not self._works_side_by_side():
            queues, late = [(waiting, quick)], 0
        with ThreadPoolExecutor(LANES + MORE_LANES, "batch-lane") as pool:
            lanes = [pool.submit(self._lane, first, second) for first, second in queues]
            lanes += [pool.submit(self._late_lane, waiting) for _ in range(late)]
            try:
                for lane in lanes:
                    lane.result()
            except BaseException:
                # Interrupted, or given up: nothing more is begun, what is under way comes to its end.
                waiting.clear()
                quick.clear()
                raise

    def play(self, case: Case) -> Play:
        """Play one case, without keeping it. Raises ``CouldNotRun``."""
        played = play(case, self._client, self._keys)
        with self._lock:
            self.requests += sum(turn.requests for turn in played.turns) + len(played.elsewhere)
            self._played += 1
            broken = any(turn.reply.broken is not None for turn in played.turns)
            for clause in _blamable(case):
                self._breakdowns[clause, case.clauses[0] == clause] += broken
        if self._progress:
            self._progress(self._played)
        if broken:
            self._take_pulse()
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
        if any(self._breakdowns_like(case, clause) >= ENOUGH_BREAKDOWNS for clause in _blamable(case)):
            self.left_out[case.clauses[0]] += 1
            return
        played = self.play(case)
        with self._lock:
            self.plays[case.number] = played

    def _breakdowns_like(self, case: Case, clause: str) -> int:
        """Breakdowns that make another one in this case likely; those in special cases say nothing of the plain one."""
        plain = self._breakdowns[clause, True]
        return plain if clause == case.clauses[0] else plain + self._breakdowns[clause, False]

    def _take_pulse(self) -> None:
        """After a breakdown, an ordinary call: a client that answers it is alive, and is judged on."""
        self._ordinary_call("an ordinary call after a breakdown")

    def _works_side_by_side(self) -> bool:
        """Whether calls in several threads come to what a call alone comes to: not every client is made for that."""
        if not self._ordinary_call("an ordinary call"):
            return True
        with ThreadPoolExecutor(TRIALS, "batch-trial") as pool:
            titles = ["an ordinary call beside others"] * TRIALS
            return all(pool.map(self._ordinary_call, titles))

    def _ordinary_call(self, title: str) -> bool:
        """Make an ordinary call, not for the record; returns whether it gave a batch."""
        with self._lock:
            batch = self._pulse.batch()
        # A moment's wait, in which calls side by side meet.
        ask = self._pulse.valid(batch, json_body(batch).delayed(0.02))
        played = play(Case(title, ("client.decode.fields",), (ask,)), self._client, self._keys)
        return played.turns[0].reply.batch is not None


def _blamable(case: Case) -> set[str]:
    """The clauses that a breakdown may count against: the one the case is for, and those of its error statuses."""
    statuses = {clause_of_status(ask.told.status) for ask in case.asks if isinstance(ask.told, Refusal)}
    return {case.clauses[0], *statuses}
