"""Only the id of a batch opens it."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.notfound")
def test_notfound(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
