"""Runs against a distant server, with concurrent requests and with one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

from batch_conformance.server_runner import side_by_side
from batch_conformance.server_runner.session import judge_server
from benchmarks.recording import target_at
from benchmarks.serving import far_away, in_a_process_of_its_own

#: Delay of each request in seconds, and rate in requests per second (None: no limit).
CASES = ((0.02, None), (0.1, None), (0.3, None), (0.3, 8.0))


@dataclass(frozen=True)
class Waited:
    """Result of one case: seconds with concurrent requests and with one at a time; equality of verdicts."""

    delay: float
    rate: float | None
    seconds: float
    one_at_a_time: float
    requests: int
    same: bool


def measure() -> list[Waited]:
    """Run both ways, one after the other, in each case."""
    return [_waited(delay, rate) for delay, rate in CASES]


def _waited(delay: float, rate: float | None) -> Waited:
    with in_a_process_of_its_own() as (near, _), far_away(near, delay) as url:
        target = replace(target_at(url), rate=rate)
        together = judge_server(target)
        with _one_at_a_time():
            alone = judge_server(target)
    verdicts = [{result.clause.id: result.verdict for result in run.results} for run in (together, alone)]
    same = verdicts[0] == verdicts[1]
    return Waited(delay, rate, together.seconds, alone.seconds, together.requests, same)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with patch.object(side_by_side, "MIN_ROUND_TRIP", float("inf")):
        yield
