"""All cases of a profile, as data, in an order that hides what is expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from batch_conformance.client_runner.cases.auth import auth_cases
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.cases.decode import decode_cases
from batch_conformance.client_runner.cases.errors import error_cases
from batch_conformance.client_runner.cases.faults import fault_cases
from batch_conformance.client_runner.cases.reject import reject_cases
from batch_conformance.client_runner.cases.requests import request_cases
from batch_conformance.client_runner.cases.transfer import transfer_cases
from batch_conformance.contract.parts import parts

__all__ = ["PROFILES", "CallStep", "Case", "CaseFactory", "Profile", "listed_cases", "needed", "shuffled"]


@dataclass(frozen=True)
class Profile:
    """How much is played: listed cases of each clause (None: all), generated examples of each property.

    ``shrink`` is how many plays may go into making a failing example smaller.
    """

    name: str
    listed: int | None
    generated: int
    shrink: int


PROFILES = {
    # For the proof: enough to tell most mutants apart. Not on offer on the command line.
    "sketch": Profile("sketch", listed=2, generated=0, shrink=0),
    "quick": Profile("quick", listed=6, generated=1, shrink=0),
    "default": Profile("default", listed=None, generated=8, shrink=40),
    "thorough": Profile("thorough", listed=None, generated=150, shrink=200),
}


def listed_cases(factory: CaseFactory, profile: Profile) -> list[Case]:
    """The cases written by hand; of each clause the first ones, where the profile has a limit."""
    themes = (request_cases, auth_cases, decode_cases, transfer_cases, reject_cases, error_cases, fault_cases)
    cases = [case for theme in themes for case in theme(factory)]
    # Those of other operations come last: they may be made of these.
    cases += [case for part in parts("client_cases") for case in part.cases(factory, cases)]
    if profile.listed is None:
        return cases
    taken: Counter[tuple[str, str]] = Counter()
    kept = []
    for case in cases:
        about = (case.operation, case.clauses[0])
        taken[about] += 1
        if taken[about] <= profile.listed or len(case.asks) > 1:
            kept.append(case)
    return kept


def needed(cases: Iterable[Case], clauses: Collection[str]) -> list[Case]:
    """The cases that put one of the clauses to the test, and the ordinary ones: every judge compares with them."""
    return [case for case in cases if case.ordinary or not set(clauses).isdisjoint(case.clauses)]


def shuffled(cases: Iterable[Case], factory: CaseFactory) -> list[Case]:
    """In an order that tells a client nothing; the same for the same seed."""
    order = list(cases)
    factory.random.shuffle(order)
    return order
