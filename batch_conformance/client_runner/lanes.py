"""Scheduling of cases over lanes (threads) for a client in processes: enough lanes to keep the machine busy.

Slow cases mostly wait, for a deadline or a retry. So they come first, and when all lanes wait, another lane with a
process of its own is opened. Starting a process is CPU work: starting more at once than there are cores would slow
each start down.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from batch_conformance.client_runner.cases import Case
from batch_conformance.client_runner.cases.case import FAULT_DEADLINE, SHORT_DEADLINE

#: Number of lanes that should be busy at a time, and the maximum number of lanes; each lane has a process.
BUSY_LANES, MOST_LANES = max(3, min(8, os.cpu_count() or 2)), 24
#: Seconds for which process starts may keep all cores busy, and the number of lanes that is always allowed.
_STARTING_SECONDS, _FEWEST_LANES = 5.0, 6
#: Seconds after which a case under way is taken to be waiting.
_WAITING_SECONDS = 0.3
#: Seconds between two checks of the lanes.
_POLL_SECONDS = 0.05


def play_side_by_side(
    cases: Sequence[Case],
    play: Callable[[Case], None],
    most: int = MOST_LANES,
    starting: Callable[[], int] = lambda: 0,
) -> None:
    """Run all cases in up to ``most`` threads, slow ones first. Raises what ``play`` raises, once all have ended.

    ``starting`` returns how many of the lanes are starting a process.
    """
    _Lanes(cases, play, most, starting).run()


def lanes_for(start_seconds: float) -> int:
    """Return how many lanes are worth their start-up cost, for processes that take ``start_seconds`` to start."""
    affordable = _STARTING_SECONDS * (os.cpu_count() or 1) / max(start_seconds, 0.01)
    return max(_FEWEST_LANES, min(MOST_LANES, int(affordable)))


def slow_first(cases: Sequence[Case]) -> list[Case]:
    """Sort cases for starting: drips, then waits for a deadline, several calls in a row, retries, the rest.

    A dripping head comes first: few clients notice it, and one that does not takes longest.
    """
    return sorted(cases, key=lambda case: (_rank(case), not case.drips_in_head))


def _rank(case: Case) -> int:
    # A client that misses its deadline is waited for until the grace is over; few clients keep it for a drip.
    if case.drips:
        return 0
    if any(ask.timeout_s <= (FAULT_DEADLINE if case.waits else SHORT_DEADLINE) for ask in case.asks):
        return 1
    return 3 if case.waits else 2 if len(case.asks) > 1 else 4


class _Lanes:
    """Queues of the remaining cases and the lanes that take them; an error in one lane ends all."""

    def __init__(
        self, cases: Sequence[Case], play: Callable[[Case], None], most: int, starting: Callable[[], int]
    ) -> None:
        order = slow_first(cases)
        self._slow = deque(case for case in order if _rank(case) < 4)
        self._quick = deque(case for case in order if _rank(case) == 4)
        self._play = play
        self._most = most
        self._starting = starting
        self._changed = threading.Condition()
        #: Start time of the case that each lane is running.
        self._since: dict[int, float] = {}
        self._lanes: list[threading.Thread] = []
        self._ended = 0
        self._failed: BaseException | None = None

    def run(self) -> None:
        """Run until all cases have ended."""
        try:
            with self._changed:
                while self._ended < len(self._lanes) or not self._lanes:
                    if self._needs_lane():
                        self._open_lane()
                    else:
                        self._changed.wait(_POLL_SECONDS)
        finally:
            # When interrupted: start nothing more, let the cases under way end.
            with self._changed:
                self._slow.clear()
                self._quick.clear()
            for lane in self._lanes:
                lane.join()
        if self._failed:
            raise self._failed

    def _needs_lane(self) -> bool:
        if len(self._lanes) >= self._most or not (self._slow or self._quick):
            return False
        now = time.monotonic()
        waiting = sum(now - since > _WAITING_SECONDS for since in self._since.values()) - self._starting()
        return len(self._lanes) - self._ended - max(0, waiting) < BUSY_LANES

    def _open_lane(self) -> None:
        number = len(self._lanes)
        # One busy lane takes quick cases first: otherwise they would all come last.
        quick_first = number % BUSY_LANES == BUSY_LANES - 1
        first, second = (self._quick, self._slow) if quick_first else (self._slow, self._quick)
        lane = threading.Thread(target=self._work, args=(number, first, second), name="batch-lane", daemon=True)
        self._lanes.append(lane)
        lane.start()

    def _work(self, number: int, first: deque[Case], second: deque[Case]) -> None:
        try:
            while (case := self._next(number, first, second)) is not None:
                self._play(case)
        except BaseException as error:
            with self._changed:
                self._failed = self._failed or error
                self._slow.clear()
                self._quick.clear()
        finally:
            with self._changed:
                self._since.pop(number, None)
                self._ended += 1
                self._changed.notify_all()

    def _next(self, number: int, first: deque[Case], second: deque[Case]) -> Case | None:
        with self._changed:
            case = first.popleft() if first else second.popleft() if second else None
            if case is not None:
                self._since[number] = time.monotonic()
            return case
