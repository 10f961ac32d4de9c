"""All client cases of a profile, as data, in an order that does not reveal the expected outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from batch_conformance.client_runner.cases.auth import auth_cases
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.cases.derived import derived_cases
from batch_conformance.client_runner.cases.faults import fault_cases
from batch_conformance.client_runner.cases.plugged import operation_cases
from batch_conformance.client_runner.cases.requests import request_cases
from batch_conformance.client_runner.cases.wrong_types import wrong_type_cases
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.parts import parts

__all__ = ["PROFILES", "CallStep", "Case", "CaseFactory", "Profile", "listed_cases", "needed", "shuffled"]


@dataclass(frozen=True)
class Profile:
    """Size of a client run: maximum listed cases of each clause (None: all), generated examples of each property.

    ``shrink`` is the maximum number of cases run to shrink a failing example. Without ``slow``, cases in which a client
    waits for its deadline, and those of two concurrent clients, are left out.
    """

    name: str
    listed: int | None
    generated: int
    shrink: int
    slow: bool = True


PROFILES = {
    # For the mutant tests: enough to catch most mutants. Not available on the command line.
    "sketch": Profile("sketch", listed=2, generated=0, shrink=0),
    "sketch-quick": Profile("sketch-quick", listed=2, generated=0, shrink=0, slow=False),
    "quick": Profile("quick", listed=6, generated=1, shrink=0),
    "default": Profile("default", listed=None, generated=8, shrink=40),
    "thorough": Profile("thorough", listed=None, generated=150, shrink=200),
}


def listed_cases(factory: CaseFactory, profile: Profile) -> list[Case]:
    """Return the hand-written cases and those derived from the schema, within the limit of the profile.

    The limit keeps the first cases of each clause and place, and all cases of several calls of Get Batch, which other
    operations repeat. Must be called on a factory that has not made anything yet.
    """
    all_cases, state = _all_cases(factory.seed)
    factory.random.setstate(state)
    cases = list(all_cases)
    if not profile.slow:
        cases = [case for case in cases if not (case.takes_its_deadline or case.together)]
    if profile.listed is None:
        return cases
    counts: Counter[tuple[str, str, str | None]] = Counter()
    selected = []
    for case in cases:
        key = (case.operation, case.clauses[0], case.place)
        counts[key] += 1
        if counts[key] <= profile.listed or (len(case.asks) > 1 and case.operation == Case.operation):
            selected.append(case)
    return selected


@cached_by_contract
def _all_cases(seed: int) -> tuple[tuple[Case, ...], Any]:
    """Return all cases of a seed, and the state of the random generator after making them."""
    factory = CaseFactory(seed)
    own = operation_cases("get").THEMES
    themes = (request_cases, auth_cases, *own, wrong_type_cases, fault_cases, derived_cases)
    cases = [case for theme in themes for case in theme(factory)]
    # Other operations come last: they may build on Get Batch's cases.
    others = [part for part in parts("client_cases") if part.OPERATION in current_contract().operations]
    cases += [case for part in others for case in part.cases(factory, cases)]
    return tuple(cases), factory.random.getstate()


def needed(cases: Iterable[Case], clauses: Collection[str]) -> list[Case]:
    """Select the cases that test one of the clauses, and the ordinary ones, which all checks compare with."""
    return [case for case in cases if case.ordinary or not set(clauses).isdisjoint(case.clauses)]


def shuffled(cases: Iterable[Case], factory: CaseFactory) -> list[Case]:
    """Shuffle cases so that their order tells a client nothing; deterministic for a seed."""
    order = list(cases)
    factory.random.shuffle(order)
    return order
