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

Written by `.venv/bin/python -m benchmarks` from the repository's root (a part alone: `python -m benchmarks
overhead`). Every ratio comes from one run. Wall-clock seconds depend on the load of the machine, which has
two cores and was shared: each part shows the load average. CPU seconds (user and system) depend on it much
less.
"""

#: By name of a part: its title, its method, and a function that measures and formats it.
PARTS: dict[str, tuple[str, str, Callable[[argparse.Namespace], str]]] = {
    "opponents": (
        "Against Schemathesis's CLI and a hand-written suite",
        """One mutant per clause and some legal variations, each tested by fresh processes that get the same
facts: the URL, a valid key, the known ids. None gets a staging hook or a second key, so clauses that need one
are exercised by none. Schemathesis runs `--checks all` with its defaults, and every known id is an example in
the OpenAPI document. The hand-written suite (`handwritten/`) is pytest with requests and jsonschema, no
plugins. Requests are counted at the server. Rejected: exit status 1. This suite only warns of a broken
`should` (without `--batch-strict`): that does not count as rejected. The sample is made of this suite's own
mutants, which favours this suite; it shows how much of the contract a verdict covers, not how common a defect
is.""",
        lambda options: results.opponents(opponents.compete(options.mutants, options.legal, options.lanes)),
    ),
    "overhead": (
        "Against bare clients",
        """The requests of one `default` run, replayed twice: with one `httpx.Client`, as in a simple script,
and over raw sockets with prepared bytes and only the end of each response parsed, which is the minimum in
Python. The server runs in a process of its own, and its CPU time counts. The runs are warm (imports and
caches done before). Requests that the run sends concurrently are replayed one after the other.""",
        lambda options: results.overhead(overhead.measure(options.rounds)),
    ),
    "cases": (
        "The client suite, case by case",
        "One ordinary batch, read once. A whole case starts a stub server, calls the client and records the exchange.",
        lambda options: results.cases(cases.measure(options.times)),
    ),
    "faults": (
        "Broken and hostile targets",
        """`pytest suites/server` as a command against each target, with `--batch-timeout 2`. Seconds and
memory are those of the whole process, of which pytest with its plugins takes two seconds and 80 MiB.""",
        lambda _: results.faults(faults.measure()),
    ),
    "growth": (
        "From quick to thorough",
        """Each run in a fresh process, the server in another, after a small run so that imports are not
counted. CPU seconds are those of the suite's process; memory is Linux's VmHWM.""",
        lambda _: results.growth(growth.measure()),
    ),
    "workers": (
        "With pytest-xdist",
        """`suites/server suites/client`, embedded. All workers share one run of each side, so a second worker
can only overlap the two sides.""",
        lambda _: results.workers(workers.measure(3)),
    ),
    "latency": (
        "A distant server",
        """A `default` run against the conforming server in a process of its own, behind a proxy that delays
every request: once with concurrent requests, and once with one at a time, except for the burst. Both are made
by one process, one after the other.""",
        lambda _: results.latency(latency.measure()),
    ),
    "clients": (
        "Ordinary clients behind drivers",
        """A `default` run of each client, with a process per lane. None of them limits the time of a whole
response, so the cases with slow responses last until the grace is over.""",
        lambda _: results.clients(clients.measure()),
    ),
    "startup": (
        "Startup",
        """`pytest suites/server` with the embedded server, as a command, against pytest with the same plugins
and one empty test, in turns, after one warm-up run of each.""",
        lambda options: results.startup(startup.measure(options.rounds)),
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
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    sections = existing_sections()
    for part in options.parts or PARTS:
        print(f"{part} …", flush=True)
        began = time.monotonic()
        body = PARTS[part][2](options)
        sections[part] = section(part, body, time.monotonic() - began)
        RESULTS.write_text("\n".join([HEAD, *(sections[name] for name in PARTS if name in sections)]), encoding="utf-8")
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


def existing_sections() -> dict[str, str]:
    """Return the sections of the present file, by part."""
    if not RESULTS.exists():
        return {}
    parts = re.split(r"^(?=## )", RESULTS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {found[1]: text.rstrip() + "\n" for text in parts if (found := re.search(r"<!-- (\w+) -->", text))}


if __name__ == "__main__":
    main()
