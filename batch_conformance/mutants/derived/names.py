"""What a derived mutant is, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

PREFIX = "derived:"
T = TypeVar("T")


@dataclass(frozen=True)
class Derived(Generic[T]):
    """A variant with one fault. At least one of ``clauses`` must be red, and none but those and ``also``.

    ``also`` are ids, or beginnings of ids that end with a dot. ``clause`` is the first of ``clauses``.
    """

    name: str
    clauses: tuple[str, ...]
    build: Callable[[], T]
    also: tuple[str, ...] = ()

    @property
    def clause(self) -> str:
        """The clause that it is made for."""
        return self.clauses[0]

    def adapter(self) -> T:
        """What ``build`` makes: the word of client mutants."""
        return self.build()

    def explains(self, red: Iterable[str]) -> bool:
        """Whether it is caught, and nothing is red but what it breaks."""
        found = set(red)
        known = (*self.clauses, *self.also)
        return bool(found & set(self.clauses)) and all(
            any(one == name or (name.endswith(".") and one.startswith(name)) for name in known)
            for one in found
        )


@dataclass(frozen=True)
class Unprovable:
    """A place that no derived mutant stands for, and why."""

    name: str
    reason: str


class Names:
    """Names of mutants, each given once: a second one of the same place and code gets a number."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __call__(self, place: str, code: str, *more: Any) -> str:
        """A name for a place and a code."""
        plain = PREFIX + ":".join(str(part).replace(" ", "-") for part in (place or "/", code, *more))
        self._given[plain] = number = self._given.get(plain, 0) + 1
        return plain if number == 1 else f"{plain}:{number}"
