"""A recorded 429 says when to come back."""

from collections.abc import Callable

from batch_conformance.suite import recorded_clauses_of


@recorded_clauses_of("server.rate")
def test_recorded_rate(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds in every recording that can tell."""
    batch_settle(clause)
