"""Where a client puts the key, and where not."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("client.auth")
def test_auth(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
