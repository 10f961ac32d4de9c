"""``--batch-plan``: the number of requests or cases by kind; nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from batch_conformance.plugin.judging import opened_target

if TYPE_CHECKING:
    from batch_conformance.plugin.options import Options
    from batch_conformance.plugin.verdicts import Verdicts


def plan_lines(verdicts: Verdicts) -> Iterator[str]:
    """Yield the plan of each selected subject, with one line for each kind."""
    for kind, clauses in verdicts.selected.items():
        if kind == "server":
            yield from _server(verdicts.options, clauses)
        elif kind == "client":
            yield from _client(verdicts.options, clauses)
        else:
            yield "recorded traffic: nothing is sent"


def _server(options: Options, clauses: set[str]) -> Iterator[str]:
    from batch_conformance.checks.by_operation import operations_of_run
    from batch_conformance.server_runner.operation_probes import most_requests
    from batch_conformance.server_runner.plan import plan_requests

    with opened_target(options) as target:
        kinds = plan_requests(target, options.profile, clauses, options.seed, options.operations)
        budget = most_requests(options.profile, operations_of_run(options.operations))
        total = sum(kind.requests for kind in kinds)
        rate = f", at {target.rate:g} a second" if target.rate else ""
        most = total if budget is None else min(total, budget)
        yield f"server {target.url}: at most {most} requests{rate} (profile {options.profile})"
    width = max(len(kind.kind) for kind in kinds)
    for kind in kinds:
        yield f"  {kind.kind:{width}} {'up to ' if kind.up_to else '':>6}{kind.requests:4}"


def _client(options: Options, clauses: set[str]) -> Iterator[str]:
    from batch_conformance.client_runner.cases import PROFILES, CaseFactory, listed_cases, needed

    cases = needed(listed_cases(CaseFactory(options.seed), PROFILES[options.profile]), clauses)
    yield f"client {options.client}: {len(cases)} cases, and generated ones (profile {options.profile})"
    for theme, count in Counter(case.clauses[0].split(".")[1] for case in cases).items():
        yield f"  {theme:16} {count:10}"
