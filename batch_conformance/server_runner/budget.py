"""The request budget of a run."""

from __future__ import annotations

#: What is left where a profile sets no limit.
_UNLIMITED = 1_000_000


class BudgetSpent(Exception):
    """The profile's request budget is used up: what is left of the plan is not sent."""


class Budget:
    """Counts the requests of a run. ``limit`` is the most that may be sent; None for no limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.spent = 0

    def reserve(self, count: int = 1) -> None:
        """Count requests about to be sent. Raises :class:`BudgetSpent` when there are not so many left."""
        if self.limit is not None and self.spent + count > self.limit:
            raise BudgetSpent
        self.spent += count

    def allow(self, more: int | None) -> None:
        """Let so many requests be sent from here on, whatever was left; None for no limit."""
        self.limit = None if self.limit is None or more is None else self.spent + more

    def extend(self, more: int) -> None:
        """Let so many requests be sent on top."""
        self.limit = None if self.limit is None else self.limit + more

    def left(self) -> int:
        """Requests that may still be sent."""
        return _UNLIMITED if self.limit is None else self.limit - self.spent
