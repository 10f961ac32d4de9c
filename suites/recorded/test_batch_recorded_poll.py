"""Within one recording, a batch moves forward only."""

from collections.abc import Callable

from batch_conformance.suite import recorded_clauses_of


@recorded_clauses_of("server.poll")
def test_recorded_poll(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds in every recording that can tell."""
    batch_settle(clause)
