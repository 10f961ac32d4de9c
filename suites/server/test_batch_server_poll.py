"""What may change from one read to the next."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.poll")
def test_poll(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
