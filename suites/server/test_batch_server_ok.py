"""A known batch with a valid key: 200, one JSON value."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.ok")
def test_ok(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
