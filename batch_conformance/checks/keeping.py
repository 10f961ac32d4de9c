"""Values that are computed once of an object, such as views of a record that several checks share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")


class Keeping:
    """Keeps values by a key. They are no part of the object: copies and comparisons leave them out."""

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {}

    def kept(self, key: str, make: Callable[[], T]) -> T:
        """Return the value kept under a key; on the first call, ``make`` makes it."""
        if key not in self._kept:
            self._kept[key] = make()
        made: T = self._kept[key]
        return made
