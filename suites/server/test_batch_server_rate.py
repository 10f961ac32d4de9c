"""What a 429 says."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.rate")
def test_rate(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
