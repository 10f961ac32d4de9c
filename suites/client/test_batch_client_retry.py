"""Whether and when a client tries again."""

from collections.abc import Callable

from batch_conformance.suite import clauses_of


@clauses_of("client.retry")
def test_retry(clause: str, batch_settle: Callable[[str], None]) -> None:
    """The clause holds."""
    batch_settle(clause)
