"""Recorded errors have the documented form."""

from collections.abc import Callable

from batch_conformance.suite import recorded_clauses_of


@recorded_clauses_of("server.error")
def test_recorded_error(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds in every recording that can tell."""
    batch_settle(clause)
