"""What recorded traffic can show of a server's promises: one test a clause."""

from collections.abc import Callable

from batch_conformance.suite import recorded_clauses_of


@recorded_clauses_of("server")
def test_recorded(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds in every recording that can tell."""
    batch_settle(clause)
