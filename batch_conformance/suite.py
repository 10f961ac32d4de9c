"""Parametrization of the modules under ``suites/``: one test for each clause."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from batch_conformance.contract import current_contract


def clauses_of(scope: str) -> pytest.MarkDecorator:
    """Parametrize a test over the clauses of a side or a theme, e.g. ``server``; the clause id is the test's id.

    The clauses are those of the contract in use, overlays applied. Raises ``ValueError`` for a scope without clauses: a
    test without parameters would be skipped silently.
    """
    return _over(scope, current_contract().clauses)


def recorded_clauses_of(scope: str) -> pytest.MarkDecorator:
    """Parametrize a test over the clauses that recorded traffic can exercise."""
    # Imported here: the other suites do not need it.
    from batch_conformance.recorded.clauses import recorded_needs

    return _over(scope, recorded_needs(), subject="recorded")


def _over(scope: str, clauses: Iterable[str], **about: str) -> pytest.MarkDecorator:
    ids = [clause for clause in clauses if clause.startswith(f"{scope}.")]
    if not ids:
        raise ValueError(f"the contract has no clauses of {scope!r}")
    params = [pytest.param(clause, id=clause, marks=pytest.mark.batch_clause(clause, **about)) for clause in ids]
    return pytest.mark.parametrize("clause", params)
