"""Comparison on the same servers: this suite in two profiles, Schemathesis's CLI, a handwritten suite.

Each runs in a fresh process and gets the same facts: the URL, a valid key, the known ids.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from batch_conformance.contract import load_document
from batch_conformance.mutants.server import ServerMutant, server_mutants, server_variations
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.store import REFERENCE_KEY
from benchmarks.process import ROOT, Ran, run
from benchmarks.serving import counted

CONFORMING = "(the conforming server)"


@dataclass(frozen=True)
class Verdict:
    """Result of one opponent for one server. Exit ``status`` 0 means accepted, 1 rejected, else an error."""

    opponent: str
    server: str
    clause: str
    status: int
    requests: int
    seconds: float
    cpu: float
    warned: bool = False


def _ours(url: str, ids: Sequence[str], scratch: Path, *more: str) -> Ran:
    options = [*more, *(word for value in ids for word in ("--batch-id", value))]
    options += ["--batch-target", url, "--batch-report", str(scratch / "report")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "suites/server", *options]
    return run(command, env={"SYNC_API_KEY": REFERENCE_KEY})


def _schemathesis(url: str, ids: Sequence[str], scratch: Path) -> Ran:
    fragment = _with_examples(ids, scratch)
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(fragment), "--url", url]
    # In a folder of its own, since it must not use the cache of a run on another server.
    return run([*command, "-H", f"x-api-key: {REFERENCE_KEY}", "--checks", "all", "--no-color"], cwd=scratch)


def _with_examples(ids: Sequence[str], scratch: Path) -> Path:
    """Write the contract of Get Batch with every known id as an example of the path parameter."""
    document = deepcopy(load_document().content)
    del document["paths"]["/v2/batch"]
    parameter = document["paths"]["/v2/batch/{id}"]["get"]["parameters"][0]
    parameter.pop("example", None)
    parameter["examples"] = {value: {"value": value} for value in ids}
    path = scratch / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _handwritten(url: str, ids: Sequence[str], scratch: Path) -> Ran:
    shutil.copy(ROOT / "benchmarks" / "handwritten" / "test_get_batch.py", scratch)
    # Outside of this repository and without any plugins, to be as fast as possible.
    return run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_get_batch.py"],
        cwd=scratch,
        env={
            "BASE_URL": url,
            "API_KEY": REFERENCE_KEY,
            "BATCH_IDS": ",".join(ids),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )


def _ours_quick(url: str, ids: Sequence[str], scratch: Path) -> Ran:
    return _ours(url, ids, scratch, "--batch-profile", "quick")


OPPONENTS: dict[str, Callable[[str, Sequence[str], Path], Ran]] = {
    "this suite": _ours,
    "this suite, `quick`": _ours_quick,
    "Schemathesis CLI": _schemathesis,
    "hand-written": _handwritten,
}


def sample(mutants: int, legal: int) -> list[str]:
    """Return names of servers: the conforming one, ``mutants`` mutants and ``legal`` legal variations.

    The mutants are the middle one of each clause, then others at even distances.
    """
    known = server_mutants()
    by_clause: dict[str, list[str]] = {}
    for mutant in known.values():
        by_clause.setdefault(mutant.clause, []).append(mutant.name)
    chosen = [names[len(names) // 2] for names in by_clause.values()][:mutants]
    rest = [name for name in known if name not in chosen]
    return [
        CONFORMING,
        *chosen,
        *_evenly(rest, mutants - len(chosen)),
        *_evenly(list(server_variations()), legal),
    ]


def _evenly(names: Sequence[str], count: int) -> list[str]:
    return [names[int((index + 0.5) * len(names) / count)] for index in range(count)]


def judged(name: str) -> list[Verdict]:
    """Return the verdicts of all opponents on one server, each on a fresh instance."""
    variant = {**server_variations(), **server_mutants()}.get(name) or ServerMutant(name, "", ReferenceServer)
    verdicts = []
    for opponent, judge in OPPONENTS.items():
        app = variant.build()
        with tempfile.TemporaryDirectory() as folder, counted(app) as served:
            ran = judge(served.url, tuple(app.store.batches), Path(folder))
            warned = _warned(Path(folder) / "report" / "conformance.json", variant.clause)
        verdicts.append(
            Verdict(opponent, name, variant.clause, ran.status, served.requests, ran.seconds, ran.cpu, warned)
        )
    return verdicts


def _warned(report: Path, clause: str) -> bool:
    if not report.exists():
        return False
    clauses = json.loads(report.read_text(encoding="utf-8"))["clauses"]
    return any(row["id"] == clause and row["verdict"] == "warn" for row in clauses)


def compete(mutants: int, legal: int, lanes: int) -> list[Verdict]:
    """Run all opponents on the sample, with ``lanes`` servers at a time."""
    with ProcessPoolExecutor(lanes) as pool:
        return [verdict for rows in pool.map(judged, sample(mutants, legal)) for verdict in rows]
