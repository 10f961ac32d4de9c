"""The form of errors, and which ones may come."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.error")
def test_error(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
