"""Other methods, on unknown ids."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.method")
def test_method(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
