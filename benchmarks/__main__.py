"""``python -m benchmarks [PART …]``: measure, and write ``benchmarks/RESULTS.md``.

Only the named parts are measured again. The ratios of a part come from one run.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import cases, clients, faults, growth, latency, opponents, overhead, results, startup, workers

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = (
    "sync-batch-conformance",
    "schemathesis",
    "hypothesis",
    "pytest",
    "jsonschema",
    "h11",
    "httpx",
    "uvicorn",
)

HEAD = """# Benchmark results

Written by `.venv/bin/python -m benchmarks` from the repository's root (a part alone: `python -m benchmarks overhead`).
Every ratio comes from one run. Seconds on the clock depend on what else the machine does, and a machine of two cores
that others use is a busy one: its load average is told with each part. CPU seconds (user and system) depend on it
much less.
"""

#: By name of a part: its title, its method, and a function that measures and formats it.
PARTS: dict[str, tuple[str, str, Callable[[argparse.Namespace], str]]] = {
    "opponents": (
        "Against Schemathesis's CLI and a hand-written suite",
        """The proof's defective servers, of every clause one, and some legal variations, each judged by fresh
processes that are told the same: the URL, a valid key, the known ids. Nobody gets a staging hook or a second key, so
the clauses that need one cannot be seen by anyone. Schemathesis runs `--checks all` with its defaults, every known id
an example in the fragment. The hand-written suite (`handwritten/`) is pytest with requests and jsonschema, no plugins.
Requests are counted at the server. Rejected: exit status 1. This suite only warns of a broken `should` (unless told
`--batch-strict`): that is not counted as rejected. The sample is made of this suite's own mutants, one a clause: it
favours whoever wrote the clauses, and says how much of the contract a verdict covers, not how common a defect is.""",
        lambda told: results.opponents(opponents.compete(told.mutants, told.legal, told.lanes)),
    ),
    "overhead": (
        "Against a bare client, and against the physical limit",
        """The requests of one `default` run, replayed twice: with one `httpx.Client`, which is what a script that only
asks would use, and over raw sockets with prepared bytes and no look at the answers beyond finding their end, which is
the least that asking can take in Python. The server is in a process of its own, and its CPU counts. The runs are warm
(imports and caches done before). What the run sends side by side is replayed one after the other.""",
        lambda told: results.overhead(overhead.measure(told.rounds)),
    ),
    "cases": (
        "The client suite, case by case",
        "One ordinary batch, read once. A whole case starts a stub on a port of its own, calls the client and records.",
        lambda told: results.cases(cases.measure(told.times)),
    ),
    "faults": (
        "Broken and hostile targets",
        """`pytest suites/server` as a command against a target that does nothing else, with `--batch-timeout 2`.
Seconds and memory are those of the whole process; pytest with its plugins takes two seconds and 80 MiB of them.""",
        lambda _: results.faults(faults.measure()),
    ),
    "growth": (
        "From quick to thorough",
        """Each run in a fresh process (Linux's VmHWM), the server in another; a small run before it, so that imports
are not counted. CPU seconds are those of the judging process.""",
        lambda _: results.growth(growth.measure()),
    ),
    "workers": (
        "With pytest-xdist",
        """`suites/server suites/client`, embedded. One run of each side is shared by all workers, so a second worker
can only overlap the two sides.""",
        lambda _: results.workers(workers.measure(3)),
    ),
    "latency": (
        "A server that is far away",
        """A `default` run against the conforming server in a process of its own, behind a proxy that holds every
request back: once as it is, and once with nothing side by side but the burst, as it was before. Both from one process,
one after the other.""",
        lambda _: results.latency(latency.measure()),
    ),
    "clients": (
        "Ordinary clients behind drivers",
        """A `default` run of each client, a process a lane. None of them keeps a deadline over a whole answer, so
that answers that drip are waited for until the grace is over.""",
        lambda _: results.clients(clients.measure()),
    ),
    "startup": (
        "Starting",
        """`pytest suites/server` with the embedded server, as a command, against pytest with the same plugins and one
empty test: in turns, each once before that counts.""",
        lambda told: results.startup(startup.measure(told.rounds)),
    ),
}


def main() -> None:
    """Measure the selected parts and write them to the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--mutants", type=int, default=44, help="defective servers (default: 44)")
    parser.add_argument("--legal", type=int, default=6, help="legal variations (default: 6)")
    parser.add_argument("--lanes", type=int, default=2, help="servers judged side by side (default: 2)")
    parser.add_argument("--rounds", type=int, default=7, help="judged and replayed (default: 7)")
    parser.add_argument("--times", type=int, default=60, help="repetitions of a case (default: 60)")
    told = parser.parse_args()
    if unknown := set(told.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    sections = kept()
    for part in told.parts or PARTS:
        print(f"{part} …", flush=True)
        began = time.monotonic()
        body = PARTS[part][2](told)
        sections[part] = section(part, body, time.monotonic() - began)
        RESULTS.write_text(
            "\n".join([HEAD, *(sections[name] for name in PARTS if name in sections)]), encoding="utf-8"
        )
    print(f"written: {RESULTS}")


def section(part: str, body: str, seconds: float) -> str:
    """Format a section of the file, with a line about the machine."""
    title, method, _ = PARTS[part]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    machine = f"{os.cpu_count()} cores ({processor()}), load average {load}"
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return (
        f"## {title}\n\n<!-- {part} -->\n{method}\n\n{body}\n\n"
        f"*{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds:.0f} s; {machine}; {system}; {packages}.*\n"
    )


def processor() -> str:
    """Return the processor's name, or the architecture where Linux does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    found = re.search(r"model name\s*: (.*)", text)
    return found[1] if found else platform.machine()


def kept() -> dict[str, str]:
    """Return the sections of the present file, by part."""
    if not RESULTS.exists():
        return {}
    parts = re.split(r"^(?=## )", RESULTS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {found[1]: text.rstrip() + "\n" for text in parts if (found := re.search(r"<!-- (\w+) -->", text))}


if __name__ == "__main__":
    main()
