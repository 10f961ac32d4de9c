"""What a client makes of a broken connection."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("client.fault")
def test_fault(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
