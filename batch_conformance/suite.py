"""What the modules under ``suites/`` are made with: one test a clause of a theme."""

from __future__ import annotations

import pytest

from batch_conformance.contract import load_contract


def clauses_of(theme: str) -> pytest.MarkDecorator:
    """Parametrize a test over the clauses of a theme, e.g. ``server.auth``; the clause id is the test's id.

    Raises ``ValueError`` for a theme without clauses: a test over nothing would pass silently.
    """
    ids = [clause for clause in load_contract().clauses if clause.startswith(f"{theme}.")]
    if not ids:
        raise ValueError(f"the contract has no clauses of the theme {theme!r}")
    return pytest.mark.parametrize(
        "clause", [pytest.param(clause, id=clause, marks=pytest.mark.batch_clause(clause)) for clause in ids]
    )
