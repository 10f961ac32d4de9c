"""The request budget of a run."""

from __future__ import annotations

#: Requests left under a profile without a limit.
_UNLIMITED = 1_000_000


class BudgetSpent(Exception):
    """The profile's request budget is used up, and the rest of the plan is not sent."""


class Budget:
    """Counter of a run's requests. ``limit`` is the maximum; None for no limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.spent = 0

    def reserve(self, count: int = 1) -> None:
        """Count requests that are about to be sent.

        Raises :class:`BudgetSpent` if fewer than ``count`` are left.
        """
        if self.limit is not None and self.spent + count > self.limit:
            raise BudgetSpent
        self.spent += count

    def allow(self, more: int | None) -> None:
        """Set the limit to ``more`` requests from now on, whatever was left before; None for no limit."""
        self.limit = None if self.limit is None or more is None else self.spent + more

    def extend(self, more: int) -> None:
        """Raise the limit by ``more`` requests."""
        self.limit = None if self.limit is None else self.limit + more

    def left(self) -> int:
        """Return how many requests may still be sent."""
        return _UNLIMITED if self.limit is None else self.limit - self.spent
