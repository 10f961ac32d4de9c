"""What the modules under ``suites/`` are made with: one test a clause of a theme."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from batch_conformance.contract import current_contract
from batch_conformance.recorded.clauses import recorded_needs


def clauses_of(*themes: str) -> pytest.MarkDecorator:
    """Parametrize a test over the clauses of themes, e.g. ``server.auth``; the clause id is the test's id.

    Raises ``ValueError`` for themes without clauses: a test over nothing would pass silently.
    """
    return _over(themes, current_contract().clauses)


def recorded_clauses_of(*themes: str) -> pytest.MarkDecorator:
    """The same for recorded traffic: over the clauses of a theme that recordings can put to the test."""
    return _over(themes, recorded_needs(), subject="recorded")


def _over(themes: tuple[str, ...], clauses: Iterable[str], **about: str) -> pytest.MarkDecorator:
    ids = [clause for clause in clauses if clause.startswith(tuple(f"{theme}." for theme in themes))]
    if not ids:
        raise ValueError(f"the contract has no clauses of the themes {themes!r}")
    params = [
        pytest.param(clause, id=clause, marks=pytest.mark.batch_clause(clause, **about)) for clause in ids
    ]
    return pytest.mark.parametrize("clause", params)
