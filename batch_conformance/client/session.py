"""Judging a client from beginning to end: cases, plays side by side, judges, verdicts."""

from __future__ import annotations

import random
import string
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from batch_conformance.client.call import ClientUnderTest
from batch_conformance.client.cases import PROFILES, Case, Deck, listed_cases, needed, shuffled
from batch_conformance.client.player import play_on_loopback
from batch_conformance.contract import load_contract
from batch_conformance.exchange import Redactor
from batch_conformance.judge.client import CLIENT_BENCH, ClientRecord, Play
from batch_conformance.judge.result import CouldNotRun, RunResult, Subject
from batch_conformance.judge.verdict import ClauseResult, clause_result, unselected

#: Cases played side by side. One more and a client that hangs in all of them at once would seem to be dead.
LANES = 5
#: Lanes that take the cases with waits in them first, so that the waits pass while the others play.
WAITING_LANES = 3
#: Evidence kept of one clause.
EVIDENCE = 5
_ALPHABET = string.ascii_letters + string.digits


def judge_client(
    client: ClientUnderTest,
    *,
    profile: str = "default",
    selected: Collection[str] | None = None,
    strict: bool = False,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> RunResult:
    """Judge a client by the selected clauses (all when None). Never raises for what the client does.

    ``progress`` is told how many cases have been played. A client that cannot be judged gives a result with
    ``error`` set.
    """
    chosen = set(CLIENT_BENCH.judges if selected is None else selected)
    keys = test_keys(seed)
    hello = client.hello
    result = RunResult(
        Subject("client", hello.name, hello.version, client.spec),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=profile,
        seed=seed,
        strict=strict,
        redactor=Redactor(keys),
        shell_secrets={key: "$SYNC_API_KEY" for key in keys},
    )
    began = time.monotonic()
    stage = _Stage(client, list(keys), progress)
    deck = Deck(seed)
    cases = listed_cases(deck, PROFILES[profile])
    try:
        stage.play(shuffled(needed(cases, _with_needs(chosen)), deck))
    except CouldNotRun as error:
        result.error = str(error)
    result.requests = sum(turn.requests for play in stage.plays for turn in play.turns)
    result.results = _verdicts(ClientRecord(stage.plays, keys), chosen, result)
    result.seconds = round(time.monotonic() - began, 3)
    return result


def test_keys(seed: int) -> dict[str, str]:
    """The keys of a run with the names they may be shown by; they look like real ones, and open nothing."""
    source = random.Random(f"keys:{seed}")

    def letters(count: int) -> str:
        return "".join(source.choices(_ALPHABET, k=count))

    return {
        f"sk-{letters(30)}": "[api-key]",
        f"sk_{letters(9)}.{letters(9)}+/{letters(9)}==": "[other-api-key]",
        f"sk-{letters(70)}-{letters(70)}": "[long-api-key]",
    }


class _Stage:
    """Plays cases to one client, several side by side, and keeps what came of them."""

    def __init__(
        self, client: ClientUnderTest, keys: Sequence[str], progress: Callable[[int], None] | None
    ) -> None:
        self.plays: list[Play] = []
        self._client = client
        self._keys = keys
        self._progress = progress
        self._lock = threading.Lock()
        self._pulse = Deck(-1)

    def play(self, cases: Iterable[Case]) -> None:
        """Play all of them. Raises ``CouldNotRun`` when judging has to end."""
        order = list(cases)
        # Several calls of one client belong into one process: nothing else is under way meanwhile.
        for case in order:
            if len(case.asks) > 1:
                self._one(case)
        alone = [case for case in order if len(case.asks) == 1]
        waiting = deque(case for case in alone if case.waits)
        quick = deque(case for case in alone if not case.waits)
        queues = [(waiting, quick)] * WAITING_LANES + [(quick, waiting)] * (LANES - WAITING_LANES)
        with ThreadPoolExecutor(LANES, "batch-lane") as pool:
            lanes = [pool.submit(self._lane, first, second) for first, second in queues]
        for lane in lanes:
            lane.result()

    def _lane(self, first: deque[Case], second: deque[Case]) -> None:
        try:
            while case := self._next(first, second):
                self._one(case)
        except CouldNotRun:
            # The other lanes need not find out for themselves.
            first.clear()
            second.clear()
            raise

    def _next(self, first: deque[Case], second: deque[Case]) -> Case | None:
        with self._lock:
            return first.popleft() if first else second.popleft() if second else None

    def _one(self, case: Case) -> Play:
        play = play_on_loopback(case, self._client, self._keys)
        with self._lock:
            self.plays.append(play)
            count = len(self.plays)
        if self._progress:
            self._progress(count)
        if any(turn.reply.broken is not None for turn in play.turns):
            self._take_pulse()
        return play

    def _take_pulse(self) -> None:
        """After a breakdown, an ordinary call: a client that answers it is alive, and is judged on."""
        with self._lock:
            batch = self._pulse.batch()
        case = Case("an ordinary call after a breakdown", (), (self._pulse.valid(batch),))
        play_on_loopback(case, self._client, self._keys)


def _with_needs(clauses: Collection[str]) -> set[str]:
    """The clauses and, transitively, those whose cases their judges look at."""
    wanted: set[str] = set()
    waiting = list(clauses)
    while waiting:
        clause = waiting.pop()
        if clause not in wanted:
            wanted.add(clause)
            waiting += CLIENT_BENCH.judges[clause].needs
    return wanted


def _verdicts(record: ClientRecord, chosen: Collection[str], result: RunResult) -> list[ClauseResult]:
    clauses = {clause.id: clause for clause in load_contract().of_side("client")}
    judged = []
    for clause in clauses.values():
        if clause.id not in chosen:
            continue
        if result.error:
            judged.append(ClauseResult(clause, "error", result.error))
            continue
        judgement = CLIENT_BENCH.judges[clause.id](record)
        dropped = len(judgement.findings) - EVIDENCE
        if dropped > 0:
            judgement.remark(f"{dropped} more findings like these are left out")
            del judgement.findings[EVIDENCE:]
        judged.append(clause_result(clause, judgement, strict=result.strict))
    order = list(clauses)
    return sorted([*judged, *unselected(clauses, chosen)], key=lambda item: order.index(item.clause.id))
