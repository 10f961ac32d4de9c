"""What the modules under ``suites/`` are made with: one test a clause of a theme."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from batch_conformance.contract import load_contract


def clauses_of(theme: str) -> pytest.MarkDecorator:
    """Parametrize a test over the clauses of a theme, e.g. ``server.auth``; the clause id is the test's id.

    Raises ``ValueError`` for a theme without clauses: a test over nothing would pass silently.
    """
    return _over(theme, load_contract().clauses)


def recorded_clauses_of(theme: str) -> pytest.MarkDecorator:
    """The same for recorded traffic: over the clauses of a theme that recordings can put to the test."""
    # Imported here: the other suites do without what reads recordings.
    from batch_conformance.recorded.clauses import NEEDS

    return _over(theme, NEEDS, subject="recorded")


def _over(theme: str, clauses: Iterable[str], **about: str) -> pytest.MarkDecorator:
    ids = [clause for clause in clauses if clause.startswith(f"{theme}.")]
    if not ids:
        raise ValueError(f"the contract has no clauses of the theme {theme!r}")
    params = [
        pytest.param(clause, id=clause, marks=pytest.mark.batch_clause(clause, **about)) for clause in ids
    ]
    return pytest.mark.parametrize("clause", params)
