"""Servers whose list breaks what the contract in use says of the list as a whole, or of what is around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import LIST, list_shape
from batch_conformance.contract.listing import ListShape
from batch_conformance.contract.pointers import read
from batch_conformance.generate.values import Space, faults_of
from batch_conformance.mutants.derived.names import Derived, Names, Unprovable
from batch_conformance.reference.listed import answer_of, entry_of
from batch_conformance.reference.server import ReferenceServer

ARRAY = "server.list.array"
#: More or fewer entries than there are break other promises, too.
_ALSO = ("server.list.", "server.poll.")
#: What is no list at all is for the mutants that are written by hand.
_NO_LIST = ("type", "required")

Entries = list[Any]


def list_faults(names: Names) -> Iterator[Derived[ReferenceServer] | Unprovable]:
    """A server for every keyword of the list, and of every place around it."""
    shape = list_shape() if LIST in current_contract().operations else None
    if shape is None:
        return
    entries = [entry_of(batch.peek()) for batch in ReferenceServer().store.newest_first()]
    for place in shape.places:
        if shape.place.startswith(place.pointer) and place.keyword in _NO_LIST:
            continue
        name = names(f"list{place.pointer}", place.keyword)
        around = place.pointer != shape.place
        change = _around(shape, entries, place.pointer, place.keyword) if around else _entries(shape, place.keyword)
        if change is None or not _breaks(shape, change(entries), place.pointer, place.keyword):
            yield Unprovable(name, "no list was found that breaks this alone")
        else:
            yield Derived(name, (ARRAY,), partial(_listing, change), _ALSO)


def _breaks(shape: ListShape, value: Any, pointer: str, keyword: str) -> bool:
    found = shape.violations(value)
    return any(one.code == keyword for one in found) and {one.pointer for one in found} == {pointer}


def _entries(shape: ListShape, keyword: str) -> Callable[[Entries], Any] | None:
    """What gives a list other entries, so that the keyword is broken; None for one that nothing is known for."""
    changes: dict[str, Callable[[Entries], Entries]] = {
        "maxItems": lambda rows: (rows * (2 + (shape.most or 0)))[: (shape.most or 0) + 1],
        "minItems": lambda rows: rows[: shape.least - 1],
        "uniqueItems": lambda rows: [*rows, *rows[:1]],
        "contains": lambda rows: [row for row in rows if not _alone(shape, [row])],
        "minContains": lambda rows: [row for row in rows if not _alone(shape, [row])],
        "maxContains": lambda rows: [row for row in rows * 9 if _alone(shape, [row])],
    }
    change = changes.get(keyword)
    return (lambda rows: shape.with_entries(change(rows), answer_of(rows))) if change else None


def _alone(shape: ListShape, rows: Entries) -> bool:
    """Whether a list of this entry alone contains what it has to."""
    found = shape.violations(shape.with_entries(rows, answer_of(rows)))
    return not any(one.code in ("contains", "minContains") for one in found)


def _around(shape: ListShape, entries: Entries, pointer: str, keyword: str) -> Callable[[Entries], Any] | None:
    """What puts a fault beside the list."""
    space = Space(shape.around, shape.document, [answer_of(entries)], ruled=False)
    for fault in faults_of(space, most=1, only=(keyword,)):
        if fault.pointer == pointer and read(fault.value, shape.place.rpartition("/")[0]) is not None:
            return partial(shape.with_entries, like=fault.value)
    return None


class _Listing(ReferenceServer):
    """Puts its lists otherwise."""

    @staticmethod
    def change(entries: Entries) -> Any:
        """What is sent in place of a list."""
        return entries

    def listed(self, entries: Entries) -> Any:
        return self.change(entries)


def _listing(change: Callable[[Entries], Any]) -> ReferenceServer:
    kind: type[_Listing] = type("Listing", (_Listing,), {"change": staticmethod(change)})
    return kind()
