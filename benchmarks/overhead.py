"""Overhead of the suite: a warm run compared with bare replays of the same requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from batch_conformance.server_runner.session import judge_server
from benchmarks.recording import recorded, replay, replay_with_httpx, target_at
from benchmarks.serving import in_a_process_of_its_own


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, and CPU seconds of this process and the server together."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Overhead:
    """Costs of runs and replays, measured in turns."""

    requests: int
    connections: int
    judged: Sequence[Cost]
    httpx: Sequence[Cost]
    sockets: Sequence[Cost]


def measure(rounds: int) -> Overhead:
    """Record a ``default`` run against a server in a process of its own, then run and replay in turns."""
    with in_a_process_of_its_own() as (url, server):
        judge_server(target_at(url))  # imports, caches
        requests = recorded(url)
        turns = [
            (
                _cost(lambda: judge_server(target_at(url)), server),
                _cost(lambda: replay_with_httpx(requests, url), server),
                _cost(lambda: replay(requests, url), server),
            )
            for _ in range(rounds)
        ]
    return Overhead(len(requests), len({sent.connection for sent in requests}), *zip(*turns, strict=True))


def _cost(action: Callable[[], object], server: int) -> Cost:
    # On Linux, the clock id of a process's CPU time is computed from its pid (clock_getcpuclockid).
    clock = (~server << 3) | 2
    cpu, began = time.process_time() + time.clock_gettime(clock), time.monotonic()
    action()
    wall = time.monotonic() - began
    return Cost(wall, time.process_time() + time.clock_gettime(clock) - cpu)
