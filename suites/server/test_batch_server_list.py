"""The list of batches: its form, its order, its filters."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.list")
def test_list(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
