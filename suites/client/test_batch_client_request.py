"""What a client sends."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("client.request")
def test_request(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
