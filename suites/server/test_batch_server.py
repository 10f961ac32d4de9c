"""Tests of a server, one per clause."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("server")
def test_server(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
