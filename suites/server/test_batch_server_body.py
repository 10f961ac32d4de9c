"""The members of the batch object."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.body")
def test_body(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
