"""Client cases for another operation on one batch: those of Get Batch, with the operation's own answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from batch_conformance.checks.by_operation import title_of
from batch_conformance.client_runner.cases.auth import auth_cases
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.cases.derived import derived_cases
from batch_conformance.client_runner.cases.faults import fault_cases
from batch_conformance.client_runner.cases.requests import request_cases
from batch_conformance.client_runner.cases.wrong_types import wrong_type_cases
from batch_conformance.client_runner.stub.answers import json_body
from batch_conformance.contract import current_contract
from batch_conformance.operations.get_batch import client_cases as get

#: The most cases of a clause that take a second or more; fewer than for Get Batch, whose transport they share.
_MOST_SLOW = 3
_THEMES = (request_cases, auth_cases, *get.THEMES, wrong_type_cases, fault_cases, derived_cases)


def usual_cases(operation: str) -> Callable[[CaseFactory, Sequence[Case]], Iterator[Case]]:
    """Return the function ``cases`` of an operation's module ``client_cases``."""
    return partial(_cases, operation)


def usual_ordinary(operation: str) -> Callable[[Case], Case]:
    """Return the function ``ordinary`` of that module."""
    return partial(_ordinary, operation)


def _cases(operation: str, factory: CaseFactory, _: Sequence[Case]) -> Iterator[Case]:
    own = CaseFactory(factory.seed, operation)
    known = current_contract().clauses
    slow: Counter[str] = Counter()
    for case in (case for theme in _THEMES for case in theme(own)):
        clauses = tuple(clause for clause in case.clauses if operation in known[clause].operations)
        if case.takes_its_deadline or case.waits:
            slow[case.clauses[0]] += 1
            if slow[case.clauses[0]] > _MOST_SLOW:
                continue
        if clauses:
            yield replace(case, title=f"{title_of(operation)}: {case.title}", clauses=clauses, operation=operation)


def _ordinary(operation: str, case: Case) -> Case:
    factory = CaseFactory(-1, operation)
    return replace(case, asks=tuple(_of_operation(factory, step) for step in case.asks), operation=operation)


def _of_operation(factory: CaseFactory, step: CallStep) -> CallStep:
    """Return a call of the factory's operation, answered in the same way with a value of its own."""
    value = factory.batch(step.batch_id)
    answers = tuple(answer.with_body(json_body(value).body) for answer in step.answers)
    return replace(factory.valid(value), answers=answers)
