"""Changes of a valid value that are likely to break one keyword and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.numbers import exact, is_number
from batch_conformance.contract.places import Place
from batch_conformance.contract.pointers import MISSING, join, read
from batch_conformance.contract.references import Schema
from batch_conformance.generate.building import Labelled, short
from batch_conformance.generate.space import Space

#: Values of every JSON type, with some that are easily confused with another type.
OF_TYPES: tuple[Labelled, ...] = (
    ("null", None),
    ("a string", "text"),
    ("an empty string", ""),
    ("a number", 5),
    ("a number with a fraction", 1.5),
    ("zero", 0),
    ("a negative number", -7),
    ("true", True),
    ("false", False),
    ("an array", ["text"]),
    ("an empty array", []),
    ("an object", {"value": "text"}),
    ("an empty object", {}),
)
_BAD_NAMES = ("", " ", "a b", "ÄÖÜ", "UPPER", "lower", "1", "-", "x" * 300, "$", "a.b")
_BAD_TEXTS = ("", " ", "text", "TEXT", "0", "!", "äöü", "\n", "https://", "x" * 300)
_LARGE = 10**6

Change = tuple[str, Any, str]


def mutations(place: Place, base: Any, pointer: str, space: Space) -> Iterator[Change]:
    """Yield changes of a valid value that may break the keyword of a place: label, new value, pointer.

    ``pointer`` is the place in the value; it ends in ``*`` where a member is to be added.
    """
    there = read(base, pointer)
    value = place.schema.get(place.keyword)
    if place.keyword in ("required", "dependentRequired"):
        if there is not MISSING:
            yield "removed", MISSING, pointer
    elif place.keyword in ("additionalProperties", "unevaluatedProperties", "unevaluatedItems", "false"):
        yield from _not_allowed(place, pointer)
    elif place.keyword == "propertyNames":
        yield from _badly_named(base, pointer.rpartition("/")[0], space)
    elif place.keyword in _OBJECTS and isinstance(there, dict):
        yield from _members(place, there, pointer, space)
    elif place.keyword in _ARRAYS and isinstance(there, list):
        yield from ((label, new, pointer) for label, new in _items(place, there, space))
    else:
        made = _SCALARS.get(place.keyword)
        rows = made(value, there) if made else _forms(place, there, space)
        yield from ((label, new, pointer) for label, new in rows)
        yield from ((label, new, pointer) for label, new in _valid_by_another_keyword(place))


def _not_allowed(place: Place, pointer: str) -> Iterator[Change]:
    # The pointer ends in a star, which is replaced by a name.
    parent = pointer.rpartition("/")[0]
    known = list(place.schema.get("properties", ()))
    names = [pointer] if place.keyword == "false" else [join(parent, name) for name in _unknown(known)]
    for to in names:
        yield "not allowed", "text", to
        yield "not allowed, null", None, to


def _unknown(known: Sequence[str]) -> list[str]:
    close = [name.upper() for name in known[:1] if name.upper() not in known]
    return ["x_unexpected", *close]


def _of_other_types(_value: Any, there: Any) -> Iterator[Labelled]:
    if is_number(there):
        yield "the number as text", str(there)
    elif isinstance(there, bool):
        yield "the boolean as text", str(there).lower()
    elif there is not None and there is not MISSING and not isinstance(there, list):
        yield "in an array", [there]
    yield from OF_TYPES


def _unlisted(values: Any, there: Any) -> Iterator[Labelled]:
    for value in values:
        if isinstance(value, str):
            yield "an unknown value", "X_UNKNOWN"
            for label, changed in (
                ("in the other case", value.swapcase()),
                ("a blank after", f"{value} "),
                ("a blank before", f" {value}"),
                ("a character less", value[:-1]),
            ):
                yield f"{short(value)}, {label}", changed
        elif is_number(value):
            yield "an unknown number", value + 1
            yield "a number far off", value + _LARGE
    if isinstance(there, str):
        yield "empty", ""
    yield from OF_TYPES


def _malformed(name: Any, there: Any) -> Iterator[Labelled]:
    yield from FORMATS[name].malformed
    if isinstance(there, str):
        # For formats combined with a pattern or a length.
        yield from (
            ("a blank after", f"{there} "),
            ("a blank inside", f"{there[:-1]} {there[-1:]}"),
            ("a letter beyond ASCII after", f"{there}ä"),
            ("a character less", there[:-1]),
            ("last character changed", f"{there[:-1]}\n"),
        )


def _unmatched(_pattern: Any, there: Any) -> Iterator[Labelled]:
    if isinstance(there, str):
        yield from (
            ("a line feed after", f"{there}\n"),
            ("a blank before", f" {there}"),
            ("an exclamation mark after", f"{there}!"),
            ("in the other case", there.swapcase()),
            ("doubled", there * 2),
            ("a character less", there[:-1]),
        )
    yield from ((f"text {short(text)!r}", text) for text in _BAD_TEXTS)


def _valid_by_another_keyword(place: Place) -> Iterator[Labelled]:
    """Yield values that satisfy another keyword: multiples beyond a bound, text of the format."""
    step = place.schema.get("multipleOf")
    bound = place.schema.get(place.keyword)
    if step and place.keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        multiple = exact(bound) // exact(step) * exact(step)
        for away in (0, 1, -1, 2, -2):
            number = multiple + away * exact(step)
            yield "a multiple beyond", int(number) if number == int(number) else float(number)
    if place.keyword == "pattern" and place.schema.get("format") in FORMATS:
        yield from FORMATS[place.schema["format"]].valid


def _bound(*steps: float) -> Callable[[Any, Any], Iterator[Labelled]]:
    def rows(bound: Any, _there: Any) -> Iterator[Labelled]:
        for step in steps:
            number = bound + step
            yield (f"{short(number)}", number)
            if step:
                yield "just beyond", (math.floor(number) if step < 0 else math.ceil(number))

    return rows


def _no_multiple(step: Any, there: Any) -> Iterator[Labelled]:
    base = there if is_number(there) else 0
    yield from (("one more", base + 1), ("half a step more", base + step / 2), ("0.01 more", base + 0.01))


def _too_short(length: Any, there: Any) -> Iterator[Labelled]:
    if isinstance(there, str):
        yield "a character too short", there.ljust(length - 1, "a")[: length - 1]
    yield "a character too short, plain", "a" * (length - 1)
    yield "empty", ""


def _too_long(length: Any, there: Any) -> Iterator[Labelled]:
    if isinstance(there, str) and there:
        yield "a character too long", (there + there[-1] * (length + 1))[: length + 1]
        yield "a character too long at the front", there[0] * (length + 1 - len(there)) + there
    yield "a character too long, plain", "a" * (length + 1)


_SCALARS: dict[str, Callable[[Any, Any], Iterator[Labelled]]] = {
    "type": _of_other_types,
    "enum": _unlisted,
    "const": lambda value, there: _unlisted([value], there),
    "format": _malformed,
    "pattern": _unmatched,
    "minimum": _bound(-1, -0.5, -_LARGE),
    "maximum": _bound(1, 0.5, _LARGE),
    "exclusiveMinimum": _bound(0, -1),
    "exclusiveMaximum": _bound(0, 1),
    "multipleOf": _no_multiple,
    "minLength": _too_short,
    "maxLength": _too_long,
}
_OBJECTS = ("minProperties", "maxProperties")
_ARRAYS = ("minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "items")


def _badly_named(base: Any, parent: str, space: Space) -> Iterator[Change]:
    for name in _BAD_NAMES:
        made = space.builder.value(space.schemas_at(base, join(parent, name)))
        yield f"name {short(name)!r}", "text" if made is MISSING else made, join(parent, name)
    for name, value in read(base, parent).items():
        # Keeps the number of members, which may be limited.
        others = {key: other for key, other in read(base, parent).items() if key != name}
        yield from ((f"{short(name)} named {short(bad)!r}", {**others, bad: value}, parent) for bad in _BAD_NAMES)


def _members(place: Place, there: dict[str, Any], pointer: str, space: Space) -> Iterator[Change]:
    bound = place.schema[place.keyword]
    if place.keyword == "minProperties":
        for names in combinations(there, bound - 1):
            yield "a member too few", {name: there[name] for name in names}, pointer
        return
    grown = dict(there)
    schemas = space.schemas_at(there, "") if pointer == "" else [place.schema]
    while len(grown) <= bound:
        extra = space.builder.unknown(schemas, grown)
        if extra is None:
            return
        grown[extra[0]] = extra[1]
    yield "a member too many", grown, pointer


def _items(place: Place, there: list[Any], space: Space) -> Iterator[Labelled]:
    keyword, bound = place.keyword, place.schema[place.keyword]
    if keyword == "minItems":
        yield "an item too few", there[: bound - 1]
    elif keyword in ("maxItems", "items"):
        most = bound if keyword == "maxItems" else len(place.schema.get("prefixItems", ()))
        if there:
            yield "the last item again", [*there, *there[-1:] * (most + 1 - len(there))]
        yield "an item too many", [*there, *_more(place, there, most + 1 - len(there), space)]
        yield "an item too many, text", [*there, *(f"item {at}" for at in range(most + 1 - len(there)))]
    elif keyword == "uniqueItems":
        first = there[0] if there else space.builder.value([place.schema.get("items", True)])
        if first is MISSING:
            return
        yield "the first item twice", [*(there or [first]), first]
        yield "the first item in place of the last", [*there[:-1], first] if len(there) > 1 else [first] * 2
    else:
        yield from _contained(place, there, space)


def _more(place: Place, there: list[Any], count: int, space: Space) -> list[Any]:
    schemas = [schema for schema in (place.schema.get("items"),) if isinstance(schema, dict)]
    found: list[Any] = []
    for _ in range(count):
        made = space.builder.item(schemas, [*there, *found])
        found.append(made if made is not MISSING else there[-1] if there else "text")
    return found


def _contained(place: Place, there: list[Any], space: Space) -> Iterator[Labelled]:
    wanted: Schema = place.schema["contains"]
    fitting = [item for item in there if space.fits(wanted, item)]
    others = [item for item in there if not space.fits(wanted, item)]
    if place.keyword == "maxContains":
        made = space.builder.value([wanted, *([place.schema["items"]] if "items" in place.schema else [])])
        sample = fitting[0] if fitting else made
        if sample is MISSING:
            return
        yield "one too many", [*there, *[sample] * (place.schema["maxContains"] + 1 - len(fitting))]
        return
    retained = max(place.schema.get("minContains", 1) - 1, 0) if place.keyword == "minContains" else 0
    options = [one.value for one in space.builder.variations([place.schema.get("items", True)])]
    options += [value for _, value in OF_TYPES]
    plain = [value for value in options if not space.fits(wanted, value)]
    yield "none of the kind", [*fitting[:retained], *others]
    if plain:
        yield (
            "another kind for each",
            [*fitting[:retained], *(others or plain[:1]), *plain[: len(fitting) - retained]],
        )
        yield "one of another kind", [*fitting[:retained], plain[0]]


def _forms(place: Place, there: Any, space: Space) -> Iterator[Labelled]:
    """Yield values for anyOf, oneOf and not: valid by no branch, by several, or by the forbidden form."""
    keyword, schema = place.keyword, place.schema
    around: list[Schema] = [{key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "not")}]
    if keyword == "not":
        for full in (False, True):
            yield "the form that is not allowed", space.builder.value([*around, schema["not"]], full=full)
    if keyword == "oneOf":
        for one, other in combinations(range(len(schema["oneOf"])), 2):
            both = [*around, schema["oneOf"][one], schema["oneOf"][other]]
            for full in (False, True):
                yield f"form {one + 1} and form {other + 1} at once", space.builder.value(both, full=full)
        if isinstance(there, dict):
            for branch in schema["oneOf"]:
                made = space.builder.value([*around, branch])
                if isinstance(made, dict):
                    yield "members of several forms", {**there, **made}
                    yield "members of several forms", {**made, **there}
    if keyword in ("anyOf", "oneOf"):
        if isinstance(there, dict):
            yield from ((f"without {name}", _without(there, name)) for name in there)
            for name, value in there.items():
                if isinstance(value, str):
                    yield f"an unknown {name}", {**there, name: "X_UNKNOWN"}
        yield from OF_TYPES


def _without(there: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in there.items() if key != name}
