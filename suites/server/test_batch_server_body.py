"""The members of the batch object, and what the contract adds by itself: rules, headers."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server.body", "server.rule", "server.header")
def test_body(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
