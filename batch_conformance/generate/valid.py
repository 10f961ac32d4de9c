"""Generation of valid values of every kind, each with one change."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from batch_conformance.contract.pointers import MISSING, join, read, replaced
from batch_conformance.contract.references import Document, Schema
from batch_conformance.generate.kinds import Kind
from batch_conformance.generate.space import Space, written


@dataclass(frozen=True)
class Generated:
    """A valid value; ``kind`` and ``label`` describe its special place at ``pointer`` (empty: all of it)."""

    value: Any
    kind: Kind
    label: str
    pointer: str


def valid_values(
    schema: Schema, document: Document, *, examples: Sequence[Any] = (), limit: int = 100, seed: int = 0
) -> list[Generated]:
    """Return valid values of a schema and its rules; deterministic.

    First valid examples and one value of every branch, then every enum value, null, optional members absent
    and present; then bounds, lengths, formats, unknown members. ``seed`` selects among the latter if
    ``limit`` is small. Raises SchemaError and RuleError.
    """
    return values_of(Space(schema, document, examples), limit, seed)


def values_of(space: Space, limit: int = 100, seed: int = 0, *, leave: Collection[str] = ()) -> list[Generated]:
    """Return as :func:`valid_values`, for an existing space; places in ``leave`` are not varied."""
    parameters = (limit, seed, frozenset(leave))
    if parameters not in space.generated:
        space.generated[parameters] = _generate(space, *parameters)
    return list(space.generated[parameters])


def _generate(space: Space, limit: int, seed: int, leave: Collection[str]) -> list[Generated]:
    rows = list(_bases(space))
    seen = {written(one.value) for one in rows}
    for candidate in _chosen(list(_candidates(space, rows)), random.Random(seed)):
        if len(rows) >= limit:
            break
        if candidate.pointer in leave:
            continue
        special = read(candidate.value, candidate.pointer)
        value = space.repaired(candidate.value, None if isinstance(special, dict) else candidate.pointer)
        if value is MISSING and isinstance(special, list) and special:
            # Its items may break rules of their own: they may change, not their number.
            value = space.repaired(candidate.value)
            value = value if _length_at(value, candidate.pointer) == len(special) else MISSING
        if value is not MISSING and (key := written(value)) not in seen:
            seen.add(key)
            rows.append(replace(candidate, value=value))
    return rows[:limit]


def _length_at(value: Any, pointer: str) -> int:
    """Return the length of the array at a place, 0 if there is none."""
    found = MISSING if value is MISSING else read(value, pointer)
    return len(found) if isinstance(found, list) else 0


def _bases(space: Space) -> Iterator[Generated]:
    seen = set()
    rows = [Generated(example, Kind.EXAMPLE, f"example {at + 1}", "") for at, example in enumerate(space.examples)]
    for at, shape in enumerate(space.builder.shapes([space.schema])):
        for full, label in ((True, "all members"), (False, "required members only")):
            made = space.builder.of_shape(shape, full=full)
            rows.append(Generated(made, Kind.FORM, f"form {at + 1}, {label}", ""))
    for row in rows:
        fixed = MISSING if row.value is MISSING else space.repaired(row.value)
        if fixed is not MISSING and (key := written(fixed)) not in seen:
            seen.add(key)
            yield replace(row, value=fixed)


def _candidates(space: Space, bases: Sequence[Generated]) -> Iterator[tuple[int, Generated]]:
    """Yield possibly valid values, each with its priority (0 is the highest)."""
    done: set[tuple[str, str]] = set()
    for base in _by_variety(bases):
        for pointer, schemas in space.walk(base.value):
            there = read(base.value, pointer)
            for label, value, kind in space.builder.variations(schemas):
                key = (pointer, written(value))
                if key not in done and key[1] != written(there):
                    done.add(key)
                    changed = replaced(base.value, pointer, value)
                    yield 0 if kind is Kind.LISTED else 2, Generated(changed, kind, label, pointer)
            yield from ((1, row) for row in _optional(space, base.value, pointer, schemas, done))


def _by_variety(bases: Sequence[Generated]) -> list[Generated]:
    """Sort bases: examples first, as the most realistic, then the largest."""
    return sorted(bases, key=lambda base: (base.kind is not Kind.EXAMPLE, -len(written(base.value))))


def _optional(
    space: Space, value: Any, pointer: str, schemas: Sequence[Schema], done: set[tuple[str, str]]
) -> Iterator[Generated]:
    """Yield an object with optional members removed or added, and with an unknown member."""
    there = read(value, pointer)
    if not isinstance(there, dict):
        return
    applying = [one for schema in schemas for one in space.applying(schema, there)]
    required = {name for one in applying for name in one.get("required", ())}
    extra = space.builder.unknown(schemas, there)
    if extra and (pointer, "unknown") not in done:
        done.add((pointer, "unknown"))
        place = join(pointer, extra[0])
        yield Generated(replaced(value, place, extra[1]), Kind.UNKNOWN, "unknown member", place)
    names = dict.fromkeys(name for one in applying for name in one.get("properties", ()))
    for name in names:
        place = join(pointer, name)
        key = (place, "absent" if name in there else "present")
        if name in required or key in done:
            continue
        done.add(key)
        if name in there:
            yield Generated(replaced(value, place, MISSING), Kind.ABSENT, "absent", place)
        else:
            made = space.builder.value(space.schemas_at(value, place), full=True)
            if made is not MISSING:
                yield Generated(replaced(value, place, made), Kind.PRESENT, "present", place)


def _chosen(rows: Sequence[tuple[int, Generated]], chance: random.Random) -> Iterator[Generated]:
    """Yield candidates by priority, alternating between places."""
    for weight in sorted({weight for weight, _ in rows}):
        by_place: dict[str, list[Generated]] = defaultdict(list)
        for own, row in rows:
            if own == weight:
                by_place[row.pointer].append(row)
        queues = list(by_place.values())
        if weight > 1:
            # The first of a place is the plainest; the others are shuffled.
            for queue in queues:
                rest = queue[1:]
                chance.shuffle(rest)
                queue[1:] = rest
        while queues:
            for queue in queues:
                yield queue.pop(0)
            queues = [queue for queue in queues if queue]
