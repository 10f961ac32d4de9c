"""The statuses of an enum in the order of progress: ``enum`` and ``x-lifecycle`` of a schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StatusOrder:
    """Which statuses there are, and in which order a batch takes them.

    ``statuses`` are all documented ones, in the order of the schema. ``order`` holds groups of equals; a status in
    no group has no place in the order. ``final`` ones rank after all others, and a batch never leaves one.
    """

    statuses: tuple[str, ...]
    order: tuple[tuple[str, ...], ...]
    final: frozenset[str]

    @classmethod
    def of(cls, schema: Mapping[str, Any] | Any) -> StatusOrder:
        """Read a schema with ``enum`` and ``x-lifecycle``. What is in its order but not in its enum is no status."""
        if not isinstance(schema, Mapping):
            schema = {}
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        statuses = tuple(dict.fromkeys(value for value in values if isinstance(value, str)))
        stated = schema.get("x-lifecycle", {})
        groups = (group if isinstance(group, list) else [group] for group in stated.get("order", []))
        order = (tuple(status for status in group if status in statuses) for group in groups)
        final = frozenset(status for status in stated.get("final", []) if status in statuses)
        return cls(statuses, tuple(group for group in order if group), final)

    def rank(self, status: str) -> int | None:
        """How far a batch in this status has come: at most what it may have later. None without a place."""
        if status in self.final:
            return len(self.order)
        return next((at for at, group in enumerate(self.order) if status in group), None)

    def may_follow(self, before: str, after: str) -> bool:
        """Whether a batch may be in ``after`` once it was in ``before``; true where nothing is said of either."""
        if before in self.final:
            return before == after
        first, second = self.rank(before), self.rank(after)
        return first is None or second is None or second >= first
