"""What a client makes of a good answer."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("client.decode")
def test_decode(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
