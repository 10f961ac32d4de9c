"""Values with exactly one fault: for every place of a schema and every keyword there, those that break it alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from batch_conformance.contract.places import Place, places
from batch_conformance.contract.pointers import MISSING, expand, matches, read, replaced
from batch_conformance.contract.references import Document, Schema
from batch_conformance.contract.schema import Violation
from batch_conformance.generate.mutations import mutations
from batch_conformance.generate.space import Space, written
from batch_conformance.generate.valid import values_of

#: Valid values that are tried as the base of a fault before it is given up.
_BASES = 60
_TRIES = 1000
#: Bases that are still tried once one has served, and those for which broken rules are mended, so many times in vain.
_MORE_BASES = 1
_MENDED_BASES = 4
_LOST_SEARCHES = 6


@dataclass(frozen=True)
class Fault:
    """A value with one violation: ``code`` at ``pointer``, by the keyword at ``schema_pointer``; ``base`` is valid."""

    value: Any
    code: str
    pointer: str
    schema_pointer: str
    label: str
    base: Any


@dataclass(frozen=True)
class Unreachable:
    """A place whose keyword no value breaks alone, as far as was found."""

    code: str
    pointer: str
    schema_pointer: str


@dataclass(frozen=True)
class SingleFaults:
    """All faults that were found, and the places for which there is none."""

    faults: tuple[Fault, ...]
    unreachable: tuple[Unreachable, ...]

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.faults)

    def __len__(self) -> int:
        return len(self.faults)


def single_faults(
    schema: Schema, document: Document, *, base: Any = MISSING, examples: Sequence[Any] = (), most: int = 12
) -> SingleFaults:
    """Values with exactly one violation, every place and keyword in turn; proven by the judge.

    No rule is broken by them (one that cannot be evaluated for the fault is not broken). ``base`` is the valid value
    that is changed where it can be, ``examples`` and generated values serve elsewhere; ``most`` faults a place at most.
    Raises SchemaError and RuleError.
    """
    given = [*([] if base is MISSING else [base]), *examples]
    space = Space(schema, document, given)
    return faults_of(space, most=most)


def faults_of(space: Space, *, most: int = 12, only: Collection[str] | None = None) -> SingleFaults:
    """As :func:`single_faults`, for a space that is there already; ``only`` these keywords, if given."""
    bases = [one.value for one in values_of(space, _BASES)]
    found: list[Fault] = []
    lost: list[Unreachable] = []
    for place in places(space.schema, space.document):
        if only is not None and place.keyword not in only:
            continue
        own = list(_faults_at(place, bases, space, most))
        found += own
        if not own:
            lost.append(Unreachable(place.keyword, place.pointer, place.schema_pointer))
    return SingleFaults(tuple(found), tuple(lost))


def _faults_at(place: Place, bases: Sequence[Any], space: Space, most: int) -> Iterator[Fault]:
    made: set[str] = set()
    labels: set[str] = set()
    tries = lost = 0
    more = _MORE_BASES
    for number, base in enumerate(bases):
        more -= bool(made)
        if more < 0:
            return
        for pointer in _where(base, place):
            for label, new, to in mutations(place, base, pointer, space):
                if new is MISSING and place.keyword not in ("required", "dependentRequired"):
                    continue
                try:
                    value = replaced(base, to, new)
                except KeyError:
                    continue
                key = written(new)
                if key in made or label in labels:
                    continue
                tries += 1
                if tries > _TRIES or len(made) >= most:
                    return
                found = _only(value, place, space)
                if found is not None and space.rules.broken(value):
                    if number >= _MENDED_BASES or lost >= _LOST_SEARCHES:
                        continue
                    value = space.repaired(value, to, found)
                    found = None if value is MISSING else _only(value, place, space)
                    lost += found is None
                if found is not None:
                    made.add(key)
                    labels.add(label)
                    yield Fault(value, place.keyword, found.pointer, place.schema_pointer, label, base)


def _where(base: Any, place: Place) -> list[str]:
    if place.keyword in (
        "additionalProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "propertyNames",
    ):
        parents = expand(base, place.pointer.rpartition("/")[0])
        kind = list if place.keyword == "unevaluatedItems" else dict
        return [f"{one}/*" for one in parents if isinstance(read(base, one), kind)][:2]
    found = expand(base, place.pointer)
    if place.keyword == "false":
        return found[:1]
    there = [one for one in found if read(base, one) is not MISSING]
    # Of the members of a map, those that the schema does not list stand last.
    return list(dict.fromkeys([*there[:2], *there[-3:]]))


def _only(value: Any, place: Place, space: Space) -> Violation | None:
    """The one violation of a value; None if there is another one, or none."""
    violations = space.judge.violations(value)
    return violations[0] if len(violations) == 1 and _is_meant(violations[0], place) else None


def _is_meant(found: Violation, place: Place) -> bool:
    return (
        found.code == place.keyword
        and place.schema_pointer in (found.schema_pointer, *found.also)
        and matches(place.pointer, found.pointer)
    )
