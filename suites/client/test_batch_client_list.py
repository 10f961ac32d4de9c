"""What a client asks of the list of batches, and what it makes of it."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("client.list")
def test_list(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
