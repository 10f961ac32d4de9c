"""What a client makes of an answer that is no batch."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("client.reject")
def test_reject(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
