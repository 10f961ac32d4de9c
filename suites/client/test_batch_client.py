"""Tests of a client, one per clause."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("client")
def test_client(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
