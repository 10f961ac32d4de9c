"""Time and memory by number of requests. As a program: one run in a fresh process, printed as JSON."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.process import run
from benchmarks.serving import in_a_process_of_its_own


@dataclass(frozen=True)
class Point:
    """Result of one run; ``seconds`` are the suite's CPU seconds without imports, ``peak`` is in MiB."""

    side: str
    name: str
    requests: int
    wall: float
    seconds: float
    peak: float


#: Side, profile, generated examples per property (0: the profile's default).
RUNS = (
    ("server", "quick", 0),
    ("server", "default", 0),
    ("server", "thorough", 25),
    ("server", "thorough", 0),
    ("server", "thorough", 1000),
    ("client", "quick", 0),
    ("client", "default", 0),
    ("client", "thorough", 0),
)


def measure() -> list[Point]:
    """Make all runs, each in a process of its own, with the server in another."""
    points = []
    for side, profile, generated in RUNS:
        with in_a_process_of_its_own() as (url, _):
            completed = run([sys.executable, "-m", "benchmarks.growth", side, profile, str(generated), url])
        if completed.status:
            raise RuntimeError(completed.output)
        points.append(Point(**json.loads(completed.output.splitlines()[-1])))
    return points


def _one(side: str, profile: str, generated: int, url: str) -> Point:
    name = f"{profile}, {generated} examples" if generated else profile
    if side == "server":
        from batch_conformance.server_runner.profile import PROFILES
        from batch_conformance.server_runner.session import judge_server
        from benchmarks.recording import target_at

        judge_server(target_at(url), profile="quick")  # imports
        if generated:
            PROFILES[profile] = replace(PROFILES[profile], generated=generated)
        cpu, began = time.process_time(), time.monotonic()
        result = judge_server(target_at(url), profile=profile)
    else:
        from batch_conformance.client_runner.open import open_client
        from batch_conformance.client_runner.session import judge_client

        client = open_client("embedded", size=5)
        judge_client(client, profile="sketch", selected={"client.decode.status"})
        cpu, began = time.process_time(), time.monotonic()
        result = judge_client(client, profile=profile)
        client.close()
    # Not ru_maxrss, which a child inherits from the process it was forked from.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return Point(side, name, result.requests, time.monotonic() - began, time.process_time() - cpu, peak)


if __name__ == "__main__":
    print(json.dumps(vars(_one(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))))
