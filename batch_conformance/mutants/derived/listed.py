"""Single-fault servers for List Batches, derived from the schema of the list and what encloses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from batch_conformance.contract import current_contract
from batch_conformance.contract.clause_list import clause_list, filter_clause
from batch_conformance.contract.entity import LIST, list_shape
from batch_conformance.contract.filters import other_filters
from batch_conformance.contract.listing import ListShape
from batch_conformance.contract.pointers import read
from batch_conformance.contract.ruled_bodies import RuledBody, ruled_bodies
from batch_conformance.generate.values import Space, faults_of, rule_faults_of
from batch_conformance.mutants.derived.names import Derived, Names, Unprovable
from batch_conformance.operations.list_batches.filter_pairs import filter_pairs
from batch_conformance.operations.list_batches.handler import Lister, Rows
from batch_conformance.reference.listed import answer_of, entry_of
from batch_conformance.reference.server import ReferenceServer

ARRAY, TOGETHER = "server.list.array", "server.list.together"
#: A different number of entries also breaks other clauses.
_ALSO = ("server.list.", "server.poll.")
#: Keywords whose faults have hand-written mutants.
_NO_LIST = ("type", "required")

Entries = list[Any]


def list_faults() -> Iterator[Derived[ReferenceServer] | Unprovable]:
    """Yield a server for every keyword of the list and of every place around it."""
    shape = list_shape() if LIST in current_contract().operations else None
    if shape is None:
        return
    names = Names(LIST)
    entries = [entry_of(batch.peek()) for batch in ReferenceServer().store.newest_first()]
    for place in shape.places:
        if shape.place.startswith(place.pointer) and place.keyword in _NO_LIST:
            continue
        name = names(place.pointer, place.keyword)
        around = place.pointer != shape.place
        change = _around(shape, entries, place.pointer, place.keyword) if around else _entries(shape, place.keyword)
        if change is None or not _breaks(shape, change(entries), place.pointer, place.keyword):
            yield Unprovable(name, "no list was found that breaks this alone")
        else:
            yield Derived(name, (ARRAY,), partial(_listing, change), _ALSO)
    yield from _filters(entries, names)
    for body in ruled_bodies():
        if body.inner is not None:
            yield from _rules(body, answer_of(entries), names)


def _filters(entries: Entries, names: Names) -> Iterator[Derived[ReferenceServer]]:
    """Yield, for every filter that an overlay adds, servers that ignore it (or just beside another) or lose batches."""
    paired = {name for pair in filter_pairs(entries) for name in pair}
    for name in other_filters():
        yield Derived(names(f"/{name}", "filter"), (filter_clause(name),), partial(_ignoring, name))
        yield Derived(
            names(f"/{name}", "nothing"), (filter_clause(name),), partial(_selecting_nothing, name), (TOGETHER,)
        )
        if name in paired:
            yield Derived(names(f"/{name}", "beside"), (TOGETHER,), partial(_ignoring, name, only_beside=True))


def _ignoring(name: str, *, only_beside: bool = False) -> ReferenceServer:
    class Ignoring(Lister):
        def parameters(self, query: bytes) -> list[tuple[str, str]]:
            found = super().parameters(query)
            ignored = len(found) > 1 or not only_beside
            return [row for row in found if row[0] != name or not ignored]

    return _selecting(Ignoring())


def _selecting_nothing(name: str) -> ReferenceServer:
    class Selecting(Lister):
        def filtered(self, rows: Rows, name_of: str, value: str) -> list[Any]:
            return [] if name_of == name else super().filtered(rows, name_of, value)

    return _selecting(Selecting())


def _selecting(lister: Lister) -> ReferenceServer:
    server = ReferenceServer()
    server.lister = lister
    return server


def _rules(body: RuledBody, answer: Any, names: Names) -> Iterator[Derived[ReferenceServer] | Unprovable]:
    """Yield a server for every rule about the list or what encloses it."""
    wanted = {rule.code for rule in body.stated_rules}
    faults = [
        *(
            (one.code, one.pointer, one.value)
            for one in rule_faults_of(Space(body.schema, body.document, [answer]), most=1)
        ),
        *_of_another_length(body, answer),
    ]
    for code, pointer, value in faults:
        if code in wanted:
            wanted.remove(code)
            clauses = (clause_list().of_rule(code, LIST),)
            also = (*_ALSO, "server.body.", "server.rule.", "server.error.")
            build = partial(_listing, partial(_instead, value=value))
            yield Derived(names(pointer, code), clauses, build, also)
    for code in sorted(wanted):
        yield Unprovable(names("", code), "no list was found that breaks this rule alone")


def _of_another_length(body: RuledBody, answer: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield lists of the same entries that break one rule only: its code, its place, and the list."""
    for value in ([], answer[:1], answer * 2, answer * 4, answer * 16) if isinstance(answer, list) else ():
        broken = body.rules.broken(value)
        if len(broken) == 1 and body.judge.is_valid(value):
            yield broken[0].rule.code, broken[0].pointer, value


def _instead(_entries: Entries, value: Any) -> Any:
    return value


def _breaks(shape: ListShape, value: Any, pointer: str, keyword: str) -> bool:
    found = shape.violations(value)
    return any(one.code == keyword for one in found) and {one.pointer for one in found} == {pointer}


def _entries(shape: ListShape, keyword: str) -> Callable[[Entries], Any] | None:
    """Return a function that changes the entries so that the keyword is broken; None if none is known."""
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
    """Whether a list with only this entry fits ``contains``."""
    found = shape.violations(shape.with_entries(rows, answer_of(rows)))
    return not any(one.code in ("contains", "minContains") for one in found)


def _around(shape: ListShape, entries: Entries, pointer: str, keyword: str) -> Callable[[Entries], Any] | None:
    """Return a function that puts a fault beside the list; None if there is none."""
    space = Space(shape.around, shape.document, [answer_of(entries)], ruled=False)
    for fault in faults_of(space, most=1, only=(keyword,)):
        if fault.pointer == pointer and read(fault.value, shape.place.rpartition("/")[0]) is not None:
            return partial(shape.with_entries, like=fault.value)
    return None


class _Listing(ReferenceServer):
    """Changes the lists that it sends."""

    @staticmethod
    def change(entries: Entries) -> Any:
        """Return what is sent instead of a list."""
        return entries

    def listed(self, entries: Entries) -> Any:
        return self.change(entries)


def _listing(change: Callable[[Entries], Any]) -> ReferenceServer:
    kind: type[_Listing] = type("Listing", (_Listing,), {"change": staticmethod(change)})
    return kind()
