"""A recorded batch came as the API sends one."""

from collections.abc import Callable

from batch_conformance.suite import recorded_clauses_of


@recorded_clauses_of("server.ok")
def test_recorded_ok(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds in every recording that can tell."""
    batch_settle(clause)
