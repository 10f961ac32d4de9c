"""Cases derived from the schema alone: a few values for every place that no hand-written case varies.

The clause depends on the kind of the place: status, date-time, integer, optional or nullable; for all others it is
``client.decode.fields``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batch_conformance.checks.client.compare import CLAUSE_OF_KIND, FIELDS
from batch_conformance.client_runner.cases.case import Case, CaseFactory, ordinary_values
from batch_conformance.client_runner.cases.plugged import varied_places
from batch_conformance.contract import base_contract, cached_by_contract
from batch_conformance.contract.entity import Entity, entity_of
from batch_conformance.contract.pointers import MISSING, any_index, read, split
from batch_conformance.generate.client_ids import DOTS
from batch_conformance.generate.kinds import Kind
from batch_conformance.generate.ordinary import Ordinary
from batch_conformance.generate.space import Space
from batch_conformance.generate.valid import Generated, values_of

OPTIONAL = "client.decode.optional"
#: Maximum number of values of one place, those of an enum not counted, and of all places.
_MAX_A_PLACE = 8
_MAX_VALUES = 400
#: Kinds of values that other clauses cover, or none.
_EXCLUDED_KINDS = (Kind.UNKNOWN, Kind.RARE)
#: The kind of an array whose order and number of items show.
SEVERAL = "several items"
#: Keywords that determine the shape of the whole response.
_SHAPE_KEYWORDS = ("anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "allOf", "additionalProperties", "type")


@dataclass(frozen=True)
class Derived:
    """Valid value with the pointer of the place that it varies, the clause under test and a title."""

    value: dict[str, Any]
    pointer: str
    clause: str
    title: str


def derived_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield one case for each derived value."""
    for derived in _derived(factory.operation):
        value, echo = derived.value, factory.values.entity.echo
        if derived.pointer != echo:
            value = factory.values.with_id(value, factory.id())
        elif echo and read(value, echo) in DOTS:
            continue  # a dot segment cannot be requested as an id
        yield Case(derived.title, (derived.clause,), (factory.valid(value),), place=derived.pointer)


@cached_by_contract
def _derived(operation: str) -> tuple[Derived, ...]:
    return derived_values(ordinary_values(operation), unchanged_varied(operation))


def derived_values(values: Ordinary, varied: Collection[str] = ()) -> tuple[Derived, ...]:
    """Return a few values of every place but the ``varied`` ones, each with the clause that it tests."""
    known = values.space
    if all(place in varied for place in _places(values)):
        return ()
    given = [values.base, *known.examples]
    space = Space(known.schema, known.document, given, ruled=bool(known.rules.rules), judge=known.judge)
    counts: Counter[str] = Counter()
    found = []
    for row in values_of(space, _MAX_VALUES, leave=frozenset(varied)):
        place = _place_of(values, row)
        if place in varied or row.kind in _EXCLUDED_KINDS or _may_break_rule(values, place, row.kind):
            continue
        listed = row.kind in (Kind.LISTED, Kind.ABSENT, Kind.PRESENT)
        counts[place] += not listed
        if counts[place] <= _MAX_A_PLACE or listed:
            found.append(Derived(row.value, row.pointer, _clause_of(values, row), _title(row)))
    return tuple(found)


@cached_by_contract
def unmade_values(operation: str) -> Mapping[str, str]:
    """Return places with a kind of value that an edited contract seems to allow, and for which none was found.

    Those are listed values (of an enum, null), and arrays of several items. The text names the kind.
    """
    values = ordinary_values(operation)
    if not values.edited:
        return {}
    shown = [values.base, *(one.value for one in _derived(operation))]
    found: dict[str, list[str]] = {}
    for pointer, schemas in values.space.walk(values.base):
        place = any_index(pointer)
        if place in unchanged_varied(operation):
            continue
        there = [read(value, pointer) for value in shown]
        for one in values.space.builder.variations(schemas):
            if isinstance(one.value, list):
                lacks = len(one.value) > 1 and not any(isinstance(row, list) and len(row) > 1 for row in there)
                label = SEVERAL
            else:
                lacks = one.kind is Kind.LISTED and not isinstance(one.value, dict) and one.value not in there
                label = one.label
            if lacks and label not in found.setdefault(place, []):
                found[place].append(label)
    return {place: " or ".join(labels) for place, labels in found.items() if labels}


def unchanged_varied(operation: str) -> frozenset[str]:
    """Return the places that hand-written cases of an operation vary, without those that an overlay changed."""
    return _unchanged(ordinary_values(operation).entity, varied_places(operation))


def _places(values: Ordinary) -> set[str]:
    return {"", *(leaf.place for leaf in values.leaves.of(values.base))}


def _place_of(values: Ordinary, row: Generated) -> str:
    """Return the place that a value varies, as a pattern; an absent member is looked up in the base value."""
    for value in (row.value, values.base):
        for leaf in values.leaves.of(value):
            if leaf.pointer == row.pointer:
                return leaf.place
    return row.pointer


def _unchanged(entity: Entity, varied: Sequence[str]) -> frozenset[str]:
    """Return the varied places that overlays left unchanged, and ``""`` if the response's shape is unchanged too."""
    if base_contract().edited:
        return frozenset()
    before = entity_of(entity.operation.name, base_contract())
    same = {place for place in varied if _constraints(entity, place) == _constraints(before, place)}
    return frozenset(same | ({""} if _shape(entity) == _shape(before) else set()))


def _constraints(entity: Entity, pointer: str) -> str:
    """Return all that the schema says about a place, its being required included, as text to compare."""
    required = [place.pointer for place in entity.places if place.keyword == "required" and place.pointer == pointer]
    return json.dumps([list(entity.at(pointer)), required], sort_keys=True)


def _shape(entity: Entity) -> str:
    schema: Mapping[str, Any] = entity.schema if isinstance(entity.schema, dict) else {}
    return json.dumps({key: schema[key] for key in _SHAPE_KEYWORDS if key in schema}, sort_keys=True)


def _may_break_rule(values: Ordinary, place: str, kind: Kind) -> bool:
    """Whether a value may break a rule (CEL), which is not checked here; examples always keep to the rules."""
    return kind is not Kind.EXAMPLE and any(
        f"{named}/".startswith(f"{place}/") or f"{place}/".startswith(f"{named}/") for named in values.ruled_places
    )


def _clause_of(values: Ordinary, row: Generated) -> str:
    value = read(row.value, row.pointer)
    if row.pointer and (value is MISSING or value is None or row.kind is Kind.PRESENT):
        return OPTIONAL
    kind = next((leaf.kind for leaf in values.leaves.of(row.value) if leaf.pointer == row.pointer), "any")
    return CLAUSE_OF_KIND.get(kind, FIELDS)


def _title(row: Generated) -> str:
    name = ".".join(split(row.pointer)) or "a batch"
    return f"{name}: {row.label}"
