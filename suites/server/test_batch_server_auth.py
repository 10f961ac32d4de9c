"""Who may read a batch, and what strangers learn."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.auth")
def test_auth(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
