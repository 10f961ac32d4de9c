"""Formats measurements as Markdown for ``RESULTS.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import mean, median

from batch_conformance.contract import load_contract
from benchmarks.clients import Judged
from benchmarks.faults import End
from benchmarks.growth import Point
from benchmarks.latency import Waited
from benchmarks.opponents import CONFORMING, Verdict
from benchmarks.overhead import Cost, Overhead
from benchmarks.startup import Started


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def opponents(verdicts: Sequence[Verdict]) -> str:
    """Format the numbers of rejected servers and the costs of each opponent."""
    names = list(dict.fromkeys(verdict.opponent for verdict in verdicts))
    rows, alarms, missed = [], [], []
    for name in names:
        own = [verdict for verdict in verdicts if verdict.opponent == name]
        defective = [verdict for verdict in own if verdict.clause]
        caught = [verdict for verdict in defective if verdict.status == 1]
        musts = [verdict for verdict in defective if _level(verdict) == "must"]
        warned = sum(verdict.warned and verdict.status == 0 for verdict in defective)
        requests = sum(verdict.requests for verdict in defective)
        rows.append(
            [
                name,
                f"{len(caught)} of {len(defective)}",
                f"{sum(verdict.status == 1 for verdict in musts)} of {len(musts)}",
                warned,
                f"{requests / len(defective):.0f}",
                f"{mean(verdict.seconds for verdict in defective):.1f}",
                f"{mean(verdict.cpu for verdict in defective):.2f}",
                f"{1000 * len(caught) / requests:.2f}",
                f"{len(caught) / sum(verdict.seconds for verdict in defective):.3f}",
                f"{len(caught) / sum(verdict.cpu for verdict in defective):.3f}",
            ]
        )
        legal = [verdict for verdict in own if not verdict.clause]
        false = [verdict.server for verdict in legal if verdict.status]
        reference = next(verdict for verdict in own if verdict.server == CONFORMING)
        verdict_on_it = "rejected" if reference.status else "accepted"
        which = ", ".join(f"`{server}`" for server in false) or "none"
        alarms.append([name, verdict_on_it, f"{len(false)} of {len(legal)}", which])
        passed = [
            f"`{verdict.server}`" + (" (warned)" if verdict.warned else "")
            for verdict in defective
            if verdict.status != 1
        ]
        missed.append([name, ", ".join(passed) or "none"])
    head = ["", "rejected", "of these, must", "warned only", "requests", "seconds", "CPU s"]
    return "\n\n".join(
        [
            table([*head, "rejections per 1,000 requests", "per second", "per CPU second"], rows),
            table(["", "the conforming server", "legal ones rejected", "which"], alarms),
            table(["", "defective ones accepted"], missed),
        ]
    )


def _level(verdict: Verdict) -> str:
    return load_contract().clauses[verdict.clause].level


def overhead(measured: Overhead) -> str:
    """Format the ratios of the suite to each bare client."""
    all_three = (measured.judged, measured.httpx, measured.sockets)
    rows = [
        _row("seconds, median", [_middle(costs, "wall") for costs in all_three]),
        _row("seconds, fastest", [min(cost.wall for cost in costs) for costs in all_three]),
        _row("CPU s, client and server, median", [_middle(costs, "cpu") for costs in all_three]),
        _row("CPU s, client and server, least", [min(cost.cpu for cost in costs) for costs in all_three]),
    ]
    summary = f"{measured.requests} requests over {measured.connections} connections, {len(measured.judged)} rounds."
    head = ["", "judged", "httpx", "ratio", "raw sockets", "ratio"]
    return f"{summary}\n\n" + table(head, rows)


def _row(name: str, taken: Sequence[float]) -> list[str]:
    judged, httpx, sockets = taken
    ratios = f"**{judged / httpx:.2f}**", f"{judged / sockets:.2f}"
    return [name, f"{judged:.3f}", f"{httpx:.3f}", ratios[0], f"{sockets:.3f}", ratios[1]]


def _middle(costs: Sequence[Cost], which: str) -> float:
    return median(float(getattr(cost, which)) for cost in costs)


def cases(rows: Sequence[tuple[str, float]]) -> str:
    """Format milliseconds, and their ratio to a bare exchange."""
    bare = rows[0][1]
    return table(
        ["", "ms, median", "bare exchanges"],
        [[name, f"{taken:.2f}", f"{taken / bare:.1f}"] for name, taken in rows],
    )


def growth(points: Sequence[Point]) -> str:
    """Format the cost per request and the peak memory of each run."""
    return table(
        ["side", "profile", "requests", "seconds", "CPU s", "CPU ms a request", "peak MiB"],
        [
            (
                point.side,
                point.name,
                point.requests,
                f"{point.wall:.1f}",
                f"{point.seconds:.2f}",
                *_each(point),
            )
            for point in points
        ],
    )


def _each(point: Point) -> tuple[str, str]:
    return f"{1000 * point.seconds / point.requests:.2f}", f"{point.peak:.0f}"


def workers(rows: Sequence[tuple[str, float, float]]) -> str:
    """Format the seconds of each setup."""
    return table(
        ["", "seconds, median", "CPU s, median"],
        [[name, f"{seconds:.2f}", f"{cpu:.2f}"] for name, seconds, cpu in rows],
    )


def latency(rows: Sequence[Waited]) -> str:
    """Format the seconds of each case both ways, and the speed-up."""
    return table(
        ["a request", "rate", "requests", "one at a time, s", "side by side, s", "times faster", "same verdicts"],
        [
            (
                f"{row.delay * 1000:.0f} ms",
                f"{row.rate:g}/s" if row.rate else "none",
                row.requests,
                f"{row.one_at_a_time:.1f}",
                f"{row.seconds:.1f}",
                f"**{row.one_at_a_time / row.seconds:.1f}**",
                "yes" if row.same else "no",
            )
            for row in rows
        ],
    )


def clients(rows: Sequence[Judged]) -> str:
    """Format the seconds of a run on each client."""
    return table(
        ["the client", "seconds", "clauses that it breaks"],
        [(row.name, f"{row.seconds:.1f}", row.failed) for row in rows],
    )


def startup(started: Started) -> str:
    """Format the seconds of both commands, and their ratio."""
    rows = [("pytest with the same plugins, one empty test", started.bare), ("`pytest suites/server`", started.suite)]
    return table(
        ["", "seconds, median", "fastest", "ratio of the medians"],
        [
            (name, f"{median(seconds):.2f}", f"{min(seconds):.2f}", f"{median(seconds) / median(started.bare):.2f}")
            for name, seconds in rows
        ],
    )


def faults(ends: Sequence[End]) -> str:
    """Format the result of each run."""
    return table(
        ["the target", "exit status", "seconds", "peak MiB", "requests", "what is said"],
        [
            (end.fault, end.status, f"{end.seconds:.1f}", f"{end.peak:.0f}", end.requests, _cell(end.line))
            for end in ends
        ],
    )


def _cell(text: str) -> str:
    line = text.replace("|", "\\|")
    return line if len(line) <= 160 else line[:159] + "…"
