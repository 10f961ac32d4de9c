"""Hypothesis strategies from schemas.

Not based on hypothesis-jsonschema, which lacks 2020-12 (``prefixItems``, ``unevaluatedProperties``,
``dependentRequired``), rules, and references into a given document.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from batch_conformance.contract.ecma_regex import compile_pattern
from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.numbers import exact
from batch_conformance.contract.pointers import MISSING
from batch_conformance.contract.references import Document, Schema
from batch_conformance.generate.building import LARGEST, in_bounds
from batch_conformance.generate.shape import Shape
from batch_conformance.generate.space import Space, written

Strategy = st.SearchStrategy[Any]
_NAMES = st.text("abcxyz_", min_size=1, max_size=6).map(lambda text: f"x_{text}")
_ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-LARGEST, LARGEST), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=4,
)


def strategy(schema: Schema, document: Document, *, examples: Sequence[Any] = ()) -> Strategy:
    """Generate valid values of a schema and its rules. ``examples`` help where rules are hard to satisfy."""
    return strategy_of(Space(schema, document, examples))


def strategy_of(space: Space) -> Strategy:
    """Generate as :func:`strategy`, for an existing space."""
    drawn = _Strategies(space).place([space.schema])
    return drawn.map(space.repaired).filter(lambda value: value is not MISSING)


def unruled(space: Space) -> Strategy:
    """Generate values that are valid by the schema, ignoring rules."""
    return _Strategies(space).place([space.schema]).filter(space.judge.is_valid)


class _Strategies:
    def __init__(self, space: Space) -> None:
        self._space = space
        self._known: dict[tuple[int, ...], tuple[Sequence[Schema], Strategy]] = {}

    def place(self, schemas: Sequence[Schema]) -> Strategy:
        """Generate values for all schemas of a place; most are valid."""
        if not schemas or all(schema is True for schema in schemas):
            return _ANY
        key = tuple(id(schema) for schema in schemas)
        if key not in self._known:
            stored = tuple(schemas)
            self._known[key] = (stored, st.deferred(lambda: self._built(stored)))
        return self._known[key][1]

    def _built(self, schemas: Sequence[Schema]) -> Strategy:
        found = [self._shape(shape) for shape in self._space.builder.shapes(schemas)]
        return st.one_of(found) if found else st.nothing()

    def _shape(self, shape: Shape) -> Strategy:
        if shape.enum is not None:
            return st.sampled_from(shape.enum)
        if len(shape.types) >= 6 and shape.types[0] == "string" and not shape.patterns and not shape.formats:
            return _ANY
        return st.one_of([self._typed(shape, kind) for kind in shape.types])

    def _typed(self, shape: Shape, kind: str) -> Strategy:
        plain: dict[str, Strategy] = {"null": st.none(), "boolean": st.booleans()}
        if kind in plain:
            return plain[kind]
        if kind == "string":
            return _texts(shape)
        if kind == "array":
            return self._array(shape)
        if kind == "object":
            return self._object(shape)
        return _integers(shape) if kind == "integer" else _numbers(shape)

    def _object(self, shape: Shape) -> Strategy:
        members = {
            name: self.place(self._space.builder.member(shape, name))
            for name in dict.fromkeys([*shape.properties, *shape.required])
        }
        never = {name for name in members if False in self._space.builder.member(shape, name)}
        required = {name: members[name] for name in shape.required}
        optional = {name: drawn for name, drawn in members.items() if name not in required and name not in never}
        fixed = st.fixed_dictionaries(required, optional=optional)
        if shape.closed and not shape.extra:
            return fixed
        extra = self.place(shape.extra) if shape.extra else _ANY
        fewest = max(shape.fewest - len(required), 0)
        more = st.dictionaries(_NAMES, extra, min_size=fewest, max_size=fewest + 2)
        # Documented members take precedence.
        return st.builds(lambda known, others: {**others, **known}, fixed, more)

    def _array(self, shape: Shape) -> Strategy:
        item = self.place(shape.items) if shape.items else _ANY
        wanted = sum(least for _, least in shape.contains)
        least = max(shape.least, wanted)
        longest = max(least, min(least + 4, shape.most if shape.most is not None else least + 4))
        if shape.prefix:
            first = st.tuples(*(self.place(schemas) for schemas in shape.prefix)).map(list)
            rest = max(longest - len(shape.prefix), 0)
            if shape.most is not None and shape.most <= len(shape.prefix):
                return first.map(lambda items: items[: shape.most])
            return st.builds(lambda a, b: a + b, first, st.lists(item, max_size=rest))
        key = written if shape.unique else None
        return st.lists(item, min_size=least, max_size=longest, unique_by=key)


def _integers(shape: Shape) -> Strategy:
    low = max((math.ceil(b) for b in (shape.low,) if b is not None), default=-LARGEST)
    if shape.above is not None:
        low = max(low, math.floor(shape.above) + 1)
    high = min((math.floor(b) for b in (shape.high,) if b is not None), default=LARGEST)
    if shape.below is not None:
        high = min(high, math.ceil(shape.below) - 1)
    if low > high:
        return st.nothing()
    if shape.step is not None and exact(shape.step) == int(shape.step):
        step = int(shape.step)
        first, last = -(-low // step), high // step
        return st.integers(first, last).map(lambda at: at * step) if first <= last else st.nothing()
    return st.integers(low, high).filter(lambda number: in_bounds(shape, number))


def _numbers(shape: Shape) -> Strategy:
    if shape.step is not None:
        step = exact(shape.step)
        return st.integers(-1000, 1000).map(lambda at: float(step * at)).filter(lambda number: in_bounds(shape, number))
    low = shape.low if shape.low is not None else shape.above
    high = shape.high if shape.high is not None else shape.below
    floats = st.floats(
        None if low is None else float(low),
        None if high is None else float(high),
        allow_nan=False,
        allow_infinity=False,
    )
    return st.one_of(floats, _integers(shape)).filter(lambda number: in_bounds(shape, number))


def _texts(shape: Shape) -> Strategy:
    longest = shape.shortest + 20 if shape.longest is None else min(shape.longest, shape.shortest + 20)
    if shape.patterns:
        first = compile_pattern(shape.patterns[0])
        base = st.from_regex(first, alphabet=st.characters(codec="utf-8"))
    elif shape.formats:
        base = _formatted(shape.formats[0])
    else:
        base = st.text(st.characters(codec="utf-8"), min_size=shape.shortest, max_size=longest)
    others = [compile_pattern(pattern) for pattern in shape.patterns[1:]]
    return base.filter(
        lambda text: (
            len(text) >= shape.shortest
            and (shape.longest is None or len(text) <= shape.longest)
            and all(pattern.search(text) for pattern in others)
            and all(FORMATS[name].accepts(text) for name in shape.formats)
        )
    )


def _formatted(name: str) -> Strategy:
    known = st.sampled_from([value for _, value in FORMATS[name].valid])
    if name == "date-time":
        return st.one_of(known, date_times())
    if name == "uuid":
        return st.one_of(known, st.uuids().map(str))
    if name == "date":
        return st.one_of(known, st.dates().map(str))
    return known


def date_times() -> Strategy:
    """Generate RFC 3339 date-times from 1971 to 2099, with offsets and up to 9 digits of fraction."""

    def built(year: int, month: int, day: int, clock: tuple[int, int, int], digits: str, offset: str) -> str:
        day = min(day, calendar.monthrange(year, month)[1])
        fraction = f".{digits}" if digits else ""
        return f"{year}-{month:02d}-{day:02d}T{clock[0]:02d}:{clock[1]:02d}:{clock[2]:02d}{fraction}{offset}"

    return st.builds(
        built,
        st.integers(1971, 2099),
        st.integers(1, 12),
        st.integers(1, 31),
        st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)),
        st.text("0123456789", max_size=9),
        st.sampled_from(["Z", "z", "+00:00", "+05:30", "-08:00", "+14:00", "-12:00", "+05:45"]),
    )
