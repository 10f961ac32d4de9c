"""Derived mutants and their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

PREFIX = "derived:"
T = TypeVar("T")


@dataclass(frozen=True)
class Derived(Generic[T]):
    """Variant with one fault. It must break at least one of ``clauses``, and none but those and ``also``.

    ``also`` are clause ids, or prefixes of ids that end with a dot. ``clause`` is the first of ``clauses``.
    """

    name: str
    clauses: tuple[str, ...]
    build: Callable[[], T]
    also: tuple[str, ...] = ()

    @property
    def clause(self) -> str:
        """The clause that the mutant is made for."""
        return self.clauses[0]

    def adapter(self) -> T:
        """Return a new subject, as ``ClientMutant.adapter`` does."""
        return self.build()

    def explains(self, red: Iterable[str]) -> bool:
        """Whether the broken clauses ``red`` include one of the mutant's, and no unrelated one."""
        found = set(red)
        known = (*self.clauses, *self.also)
        return bool(found & set(self.clauses)) and all(
            any(one == name or (name.endswith(".") and one.startswith(name)) for name in known) for one in found
        )


@dataclass(frozen=True)
class Unprovable:
    """Place without a derived mutant, and the reason."""

    name: str
    reason: str


class Names:
    """Unique names of mutants: a second one for the same place and code gets a number.

    The places of all operations but Get Batch begin with the operation's name.
    """

    def __init__(self, operation: str) -> None:
        self._operation = "" if operation == "get" else operation
        self._given: dict[str, int] = {}

    def __call__(self, place: str, code: str, *more: Any) -> str:
        """Return a new name for a place and a code."""
        if self._operation:
            place = self._operation + (place if place[:1] in ("", "/") else f":{place}")
        plain = PREFIX + ":".join(str(part).replace(" ", "-") for part in (place or "/", code, *more))
        self._given[plain] = number = self._given.get(plain, 0) + 1
        return plain if number == 1 else f"{plain}:{number}"
