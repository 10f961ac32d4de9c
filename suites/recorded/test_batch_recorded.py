"""Tests of recorded traffic, one per server clause."""

from collections.abc import Callable

from batch_conformance.suite import recorded_clauses_of


@recorded_clauses_of("server")
def test_recorded(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds in every recording with enough facts."""
    batch_settle(clause)
