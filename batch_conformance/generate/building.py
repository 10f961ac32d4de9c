"""Building of values for shapes: a plain value, and variations of one place."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from batch_conformance.contract.ecma_regex import compile_pattern
from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.numbers import exact, is_multiple, is_number
from batch_conformance.contract.pointers import MISSING
from batch_conformance.contract.references import Document, Schema
from batch_conformance.generate.kinds import Kind, Variation
from batch_conformance.generate.shape import Shape, shapes

#: The largest integer that every JSON implementation reads exactly (RFC 8259, 6).
LARGEST = 2**53 - 1
_INTEGERS = (0, 1, 2, 2**31 - 1, 2**31, 2**32, LARGEST, -1, 1 - 2**53)
_NUMBERS = (0, 1, 0.5, 1.5, 0.1234567, 1e21, LARGEST, -1, -0.5)
_TEXTS = (
    ("empty", ""),
    ("characters of two bytes", "größe"),
    ("characters of four bytes", "中文🎬"),
    ("quotes and backslashes", '"a\\b"\n\t'),
    ("right to left", "\u05d0\u202e\u0627"),
    ("a decomposed letter", "e\u0301"),
    ("blanks around", " a "),
    ("2,000 characters", "x" * 2000),
)
_DEEPEST = 5
_LENGTHIEST = 5000
_MANY = 60

Labelled = tuple[str, Any]


class Builder:
    """Builds values for schemas of one document; they are probably valid, the caller must validate them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._known: dict[tuple[int, ...], tuple[Sequence[Schema], list[Shape]]] = {}
        # Keys are ids of schemas that self._known stores.
        self._made: dict[tuple[tuple[int, ...], bool, int], Any] = {}
        self._varied: dict[tuple[int, ...], tuple[Sequence[Schema], list[Variation]]] = {}
        self._varying: set[tuple[int, ...]] = set()

    def shapes(self, schemas: Sequence[Schema]) -> list[Shape]:
        """Return the shapes of a place, cached."""
        key = tuple(id(schema) for schema in schemas)
        if key not in self._known:
            self._known[key] = (tuple(schemas), shapes(schemas, self.document))
        return self._known[key][1]

    def value(self, schemas: Sequence[Schema], *, full: bool = False, depth: int = 0) -> Any:
        """Return a plain value for a place, or MISSING; with ``full``, with all optional members."""
        key = (tuple(id(schema) for schema in schemas), full, depth)
        if key not in self._made:
            options = (self.of_shape(shape, full=full, depth=depth) for shape in self.shapes(schemas))
            self._made[key] = next((made for made in options if made is not MISSING), MISSING)
        return self._made[key]

    def of_shape(self, shape: Shape, *, full: bool = False, depth: int = 0) -> Any:
        """Return a plain value of one shape, or MISSING."""
        if shape.enum is not None:
            return shape.enum[0]
        for kind in shape.types:
            if kind == "object":
                made = self._object(shape, full, depth)
            elif kind == "array":
                made = self._array(shape, full, depth)
            else:
                made = next((one.value for one in self._scalars(shape, kind)), MISSING)
            if made is not MISSING:
                return made
        return MISSING

    def variations(self, schemas: Sequence[Schema]) -> list[Variation]:
        """Return the variations of a place: every enum value, null, bounds, formats, branches."""
        key = tuple(id(schema) for schema in schemas)
        if key in self._varying:
            return []  # within itself
        if key not in self._varied:
            self._varying.add(key)
            # The schemas are stored as well: Python may reuse the id() of a deleted object.
            self._varied[key] = (tuple(schemas), self._variations(schemas))
            self._varying.remove(key)
        return self._varied[key][1]

    def _variations(self, schemas: Sequence[Schema]) -> list[Variation]:
        found: list[Variation] = []
        alternatives = self.shapes(schemas)
        for number, shape in enumerate(alternatives):
            if shape.enum is not None:
                found += [Variation(f"value {short(value)}", value, Kind.LISTED) for value in shape.enum]
                continue
            for kind in shape.types:
                if kind == "object":
                    found += self._objects(shape, f"branch {number + 1}, " if len(alternatives) > 1 else "")
                elif kind == "array":
                    found += self._arrays(shape)
                else:
                    found += self._scalars(shape, kind)
        return [one for one in found if one.value is not MISSING]

    def _scalars(self, shape: Shape, kind: str) -> Iterator[Variation]:
        if kind == "null":
            yield Variation("null", None, Kind.LISTED)
        elif kind == "boolean":
            yield from (Variation(label, label == "true", Kind.LISTED) for label in ("true", "false"))
        elif kind == "string":
            yield from _texts(shape)
        else:
            yield from _numbers(shape, whole=kind == "integer")

    def _object(self, shape: Shape, full: bool, depth: int, leave: str = "") -> Any:
        made: dict[str, Any] = {}
        if depth > _DEEPEST + 3:
            return MISSING
        wide = full and depth < _DEEPEST - 2
        for name in [*shape.properties, *shape.required]:
            if name in made or name == leave or (name not in shape.required and not wide):
                continue
            value = self.value(self.member(shape, name), full=full, depth=depth + 1)
            if value is not MISSING:
                made[name] = value
            elif name in shape.required:
                return MISSING
        for pattern, _ in shape.mapped if wide else ():
            for name in self._names_like([{"pattern": pattern}, *shape.names]):
                value = self.value(self.member(shape, name), full=full, depth=depth + 1)
                if value is not MISSING:
                    made.setdefault(name, value)
                break
        for at, name in enumerate(self._free_names(shape)):
            if len(made) >= max(shape.fewest, 1 if wide and (shape.extra or shape.mapped) else 0) or at > _MANY:
                break
            value = self.value(self.member(shape, name), full=full, depth=depth + 1)
            if value is not MISSING:
                made.setdefault(name, value)
        return made

    def member(self, shape: Shape, name: str) -> list[Schema]:
        """Return the schemas of one member."""
        found = [*shape.properties.get(name, ())]
        found += [inner for pattern, inner in shape.mapped if compile_pattern(pattern).search(name)]
        return found or ([False] if shape.closed and not shape.extra else shape.extra)

    def _free_names(self, shape: Shape) -> Iterator[str]:
        """Yield names for members: those in ``properties``, then others that the schema allows."""
        yield from shape.properties
        for pattern, _ in shape.mapped:
            yield from self._names_like([{"pattern": pattern}, *shape.names])
        if shape.names:
            yield from self._names_like(shape.names)
        if not shape.closed or shape.extra:
            yield from (f"x_member_{at}" for at in range(_MANY))

    def _names_like(self, schemas: Sequence[Schema]) -> Iterator[str]:
        options = self._variations([{"type": "string"}, *schemas])
        yield from (one.value for one in options if isinstance(one.value, str) and one.value)

    def _objects(self, shape: Shape, branch: str) -> Iterator[Variation]:
        kind = Kind.LISTED if branch else Kind.PLAIN
        yield Variation(f"{branch}required members only", self._object(shape, False, 0), kind)
        yield Variation(f"{branch}all members", self._object(shape, True, 0), kind)

    def unknown(self, schemas: Sequence[Schema], there: dict[str, Any]) -> Labelled | None:
        """Return the name and value of an undocumented member that an object lacks; None if not allowed."""
        for shape in self.shapes(schemas):
            for name in self._free_names(shape):
                if name not in there and name not in shape.properties:
                    value = self.value(self.member(shape, name), depth=1)
                    if value is not MISSING:
                        return name, value
        return None

    def _array(self, shape: Shape, full: bool, depth: int, length: int | None = None) -> Any:
        wanted = sum(least for _, least in shape.contains)
        count = max(shape.least, wanted, 1 if full and depth < _DEEPEST - 2 else 0) if length is None else length
        if length is None and full and shape.prefix:
            count = max(count, len(shape.prefix))
        if shape.most is not None:
            count = min(count, shape.most)
        items: list[Any] = []
        special = [schema for schema, least in shape.contains for _ in range(least)]
        for at in range(count):
            schemas = [*shape.prefix[at]] if at < len(shape.prefix) else [*shape.items]
            if special and at >= len(shape.prefix):
                schemas.append(special.pop())
            # Different ones, so that their order shows; where there are too few, the same again.
            value = self.item(schemas, items, full=full, depth=depth)
            if value is MISSING and not shape.unique:
                value = self.value(schemas, full=full, depth=depth + 1)
            if value is MISSING:
                return MISSING if at < max(shape.least, wanted) else items
            items.append(value)
        return items

    def item(self, schemas: Sequence[Schema], taken: Sequence[Any], *, full: bool = False, depth: int = 0) -> Any:
        """Return an item that is not among those taken, or MISSING."""
        value = self.value(schemas, full=full, depth=depth + 1)
        if value not in taken:
            return value
        options: Iterator[Any] = (option.value for option in self.variations(schemas))
        found = next((option for option in options if option not in taken), MISSING)
        if found is not MISSING or value is MISSING:
            return found
        shape = self.shapes(schemas)[0]
        if isinstance(value, dict):
            for name in value:
                there = [one[name] for one in taken if isinstance(one, dict) and name in one]
                other = self.item(self.member(shape, name), there, full=full, depth=depth + 1)
                if other is not MISSING:
                    return {**value, name: other}
        if is_number(value) and shape.enum is None:
            near = (value + sign * at * (shape.step or 1) for at in range(1, len(taken) + 2) for sign in (1, -1))
            return next((one for one in near if one not in taken and in_bounds(shape, one)), MISSING)
        if isinstance(value, str) and shape.enum is None:
            return f"{value}{len(taken)}"
        return MISSING

    def _arrays(self, shape: Shape) -> Iterator[Variation]:
        lengths = {shape.least: "fewest items", shape.least + 1: "one item more", 3: "three items"}
        if shape.most is not None and shape.most <= _MANY:
            lengths[shape.most] = "most items"
        for length, label in sorted(lengths.items()):
            if length >= shape.least and (shape.most is None or length <= shape.most):
                yield Variation("no item" if length == 0 else label, self._array(shape, True, 1, length))


def short(value: Any) -> str:
    """Format a value for a label."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def in_bounds(shape: Shape, number: Any) -> bool:
    """Whether a number is within the bounds of a shape."""
    value = exact(number)
    return (
        (shape.low is None or value >= exact(shape.low))
        and (shape.high is None or value <= exact(shape.high))
        and (shape.above is None or value > exact(shape.above))
        and (shape.below is None or value < exact(shape.below))
        and (shape.step is None or is_multiple(number, shape.step))
        and all(FORMATS[name].accepts(number) for name in shape.formats)
    )


def _numbers(shape: Shape, *, whole: bool) -> Iterator[Variation]:
    edges: list[Labelled] = []
    for bound, label, step in (
        (shape.low, "smallest", 0),
        (shape.high, "largest", 0),
        (shape.above, "just above the bound", 1),
        (shape.below, "just below the bound", -1),
    ):
        if bound is None:
            continue
        if whole:
            near = math.floor(bound) + 1 if step > 0 else math.ceil(bound) + step
            edges.append((label, near if step else (math.ceil(bound) if label == "smallest" else math.floor(bound))))
        else:
            edges += [(label, bound + step / 1000), (label, bound + step)]
    if shape.step is not None:
        start = shape.low if shape.low is not None else shape.above if shape.above is not None else 0
        least = math.ceil(exact(start) / exact(shape.step))
        multiples = [exact(shape.step) * (least + at) for at in range(4)]
        edges += [("a multiple", int(each) if each == int(each) else float(each)) for each in multiples]
    formats = [FORMATS[name] for name in shape.formats]
    edges += [pair for one in formats if one.type == "number" for pair in one.valid]
    plain = [(short(number), number) for number in (_INTEGERS if whole else _NUMBERS)]
    between = (
        [("between the bounds", (shape.low + shape.high) / 2)]
        if not whole and None not in (shape.low, shape.high)
        else []
    )
    first = [("1", 1)] if in_bounds(shape, 1) else []
    rows = [
        Variation(label, number) for label, number in [*first, *edges, *plain, *between] if in_bounds(shape, number)
    ]
    # Integers beyond 2**53 are read differently: use them only if there are no others.
    yield from [row for row in rows if not whole or abs(row.value) <= LARGEST] or rows


def _texts(shape: Shape) -> Iterator[Variation]:
    patterns = [compile_pattern(pattern) for pattern in shape.patterns]

    def fits(text: str) -> bool:
        return (
            len(text) >= shape.shortest
            and (shape.longest is None or len(text) <= shape.longest)
            and all(pattern.search(text) for pattern in patterns)
            and all(FORMATS[name].accepts(text) for name in shape.formats)
        )

    rows: list[Labelled] = []
    for name in shape.formats:
        rows += FORMATS[name].valid if FORMATS[name].type == "string" else ()
    if shape.patterns:
        known = [text for one in FORMATS.values() if one.type == "string" for _, text in one.valid if fits(text)]
        known = list(dict.fromkeys(known))[:3]
        if len(known) < 2:
            known += from_patterns(tuple(shape.patterns), shape.shortest, shape.longest)
        rows += [("by its pattern", text) for text in known]
    if not rows:
        rows.append(("text", _sized("text", shape)))
    if shape.shortest:
        rows.append(("shortest", "a" * shape.shortest))
    if shape.longest is not None and shape.longest <= _LENGTHIEST:
        rows += [("longest", "a" * shape.longest), ("longest, in four bytes each", "🎬" * shape.longest)]
    rare = {text for name in shape.formats for text in FORMATS[name].rare}
    for label, text in [*rows, *_TEXTS]:
        if fits(text):
            yield Variation(label, text, Kind.RARE if text in rare else Kind.PLAIN)


def _sized(text: str, shape: Shape) -> str:
    text = text.ljust(shape.shortest, "a")
    return text if shape.longest is None else text[: shape.longest]


@lru_cache(maxsize=256)
def from_patterns(patterns: tuple[str, ...], shortest: int, longest: int | None) -> tuple[str, ...]:
    """Return up to two texts that match all patterns, found by Hypothesis deterministically."""
    compiled = [compile_pattern(pattern) for pattern in patterns]

    def fits(text: str) -> bool:
        within = len(text) >= shortest and (longest is None or len(text) <= longest)
        return within and all(pattern.search(text) for pattern in compiled)

    found: list[str] = []

    def fresh(text: str) -> bool:
        return fits(text) and text not in found

    # Printable ASCII first; any character where the pattern needs it.
    for alphabet in (st.characters(codec="ascii", min_codepoint=32), st.characters(codec="utf-8")):
        for _ in range(2 - len(found)):
            text = _found(compiled[0], alphabet, fresh)
            found += [] if text is None else [text]
    return tuple(found)


def _found(pattern: re.Pattern[str], alphabet: st.SearchStrategy[str], wanted: Callable[[str], bool]) -> str | None:
    chosen = settings(
        max_examples=200,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(st.from_regex(pattern, alphabet=alphabet), wanted, settings=chosen)
    except HypothesisException:
        return None
