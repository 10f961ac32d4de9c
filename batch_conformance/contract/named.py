"""Statuses and counts that code still knows by name, as the contract in use has them at the time of asking.

For code that is not yet written over an :class:`~batch_conformance.contract.operation.Operation`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from typing import Any, Generic, TypeVar, overload

from batch_conformance.contract.current import current_contract
from batch_conformance.contract.references import types_of

T = TypeVar("T")


class _Row(Sequence[str]):
    """A sequence that is read from the contract in use whenever it is looked at."""

    def __init__(self, read: Callable[[], Sequence[str]]) -> None:
        self._read = read

    def __len__(self) -> int:
        return len(self._read())

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._read()[index]

    def __repr__(self) -> str:
        return repr(self._read())


class _Group(Set[T], Generic[T]):
    """A set that is read from the contract in use whenever it is looked at."""

    def __init__(self, read: Callable[[], Collection[T]]) -> None:
        self._read = read

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> frozenset[Any]:
        return frozenset(it)

    def __contains__(self, value: object) -> bool:
        return value in self._read()

    def __iter__(self) -> Iterator[T]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(self._read())


def _counts() -> tuple[str, ...]:
    """Members of the metrics that are whole numbers, as their schema lists them."""
    document = current_contract().document
    properties = document.resolve(document.schemas.get("Metrics", {})).get("properties", {})
    kinds = {name: document.resolve(schema) for name, schema in properties.items()}
    return tuple(
        name
        for name, schema in kinds.items()
        if isinstance(schema, dict) and "integer" in types_of(schema)
    )


def _documented() -> frozenset[int]:
    operation = current_contract().operations.get("get")
    return operation.documented_statuses if operation else frozenset()


#: Statuses of a batch in the order of the schema, and the final ones.
STATUSES: Sequence[str] = _Row(lambda: current_contract().lifecycle.values)
FINAL_STATUSES: Set[str] = _Group(lambda: current_contract().lifecycle.final)
COUNTS: Sequence[str] = _Row(_counts)
#: Statuses that Get Batch may answer with.
DOCUMENTED_STATUSES: Set[int] = _Group(_documented)
