"""Values with exactly one fault, for every place and keyword of a schema."""

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

#: Number of valid values that are tried as the base of a fault.
_BASES = 60
_TRIES = 1000
#: Further bases after a first success; bases for which broken rules are repaired; failed repairs allowed.
_MORE_BASES = 1
_REPAIRED_BASES = 4
_FAILED_REPAIRS = 6


@dataclass(frozen=True)
class Fault:
    """A value with one violation, ``code`` at ``pointer``, made from the valid ``base``."""

    value: Any
    code: str
    pointer: str
    schema_pointer: str
    label: str
    base: Any


@dataclass(frozen=True)
class Unreachable:
    """A place and keyword for which no value with this violation alone was found."""

    code: str
    pointer: str
    schema_pointer: str


@dataclass(frozen=True)
class SingleFaults:
    """The faults that were found, and the places without any."""

    faults: tuple[Fault, ...]
    unreachable: tuple[Unreachable, ...]

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.faults)

    def __len__(self) -> int:
        return len(self.faults)


def single_faults(
    schema: Schema, document: Document, *, base: Any = MISSING, examples: Sequence[Any] = (), most: int = 12
) -> SingleFaults:
    """Return values with exactly one violation, for every place and keyword, confirmed by validation.

    They break no rule (a rule that cannot be evaluated because of the fault is not broken). ``base`` is the
    preferred valid value to change, then ``examples`` and generated values; ``most`` limits the faults of a
    place. Raises SchemaError and RuleError.
    """
    given = [*([] if base is MISSING else [base]), *examples]
    space = Space(schema, document, given)
    return faults_of(space, most=most)


def faults_of(space: Space, *, most: int = 12, only: Collection[str] | None = None) -> SingleFaults:
    """Return as :func:`single_faults`, for an existing space; ``only`` these keywords, if given."""
    bases = [one.value for one in values_of(space, _BASES)]
    found: list[Fault] = []
    unreachable: list[Unreachable] = []
    for place in places(space.schema, space.document):
        if only is not None and place.keyword not in only:
            continue
        own = list(_faults_at(place, bases, space, most))
        found += own
        if not own:
            unreachable.append(Unreachable(place.keyword, place.pointer, place.schema_pointer))
    return SingleFaults(tuple(found), tuple(unreachable))


def _faults_at(place: Place, bases: Sequence[Any], space: Space, most: int) -> Iterator[Fault]:
    made: set[str] = set()
    labels: set[str] = set()
    tries = failed_repairs = 0
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
                    if number >= _REPAIRED_BASES or failed_repairs >= _FAILED_REPAIRS:
                        continue
                    value = space.repaired(value, to, found)
                    found = None if value is MISSING else _only(value, place, space)
                    failed_repairs += found is None
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
    # Include the last members of a map: those are the undocumented ones.
    return list(dict.fromkeys([*there[:2], *there[-3:]]))


def _only(value: Any, place: Place, space: Space) -> Violation | None:
    """Return the intended violation of a value if it is the only one."""
    violations = space.judge.violations(value)
    return violations[0] if len(violations) == 1 and _is_meant(violations[0], place) else None


def _is_meant(found: Violation, place: Place) -> bool:
    return (
        found.code == place.keyword
        and place.schema_pointer in (found.schema_pointer, *found.also)
        and matches(place.pointer, found.pointer)
    )
