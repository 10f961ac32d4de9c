"""Comparison of the batch that was sent with the one that was decoded, place by place of the schema.

The kind of a place decides which clause reports it: ``status`` the lifecycle, ``created_at`` date-times,
``counts`` integers, and ``fields`` everything else and whatever never arrives.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any
from urllib.parse import unquote

from batch_conformance.checks.client.record import (
    CallResult,
    ClientRunRecord,
    ValidBatch,
    judged_entity,
    judged_operation,
    shortened,
)
from batch_conformance.checks.finding import MISSING
from batch_conformance.contract import Instant, cached_by_contract, parse_date_time, pointers
from batch_conformance.contract.entity import Entity
from batch_conformance.contract.leaves import Leaf
from batch_conformance.contract.numbers import is_number, same

FIELDS = "client.decode.fields"
STATUS = "client.decode.status"
CREATED_AT = "client.decode.created_at"
COUNTS = "client.decode.counts"
#: The clause that reports a wrong place, by its kind; ``fields`` for all other kinds.
CLAUSE_OF_KIND = {"lifecycle": STATUS, "date-time": CREATED_AT, "integer": COUNTS}

#: Two instants closer than this, in seconds, are the same.
MILLISECOND = Fraction(1, 1_000)
MICROSECOND = Fraction(1, 1_000_000)
#: An absolute URL with characters that no URL may contain unencoded (RFC 3986, 2).
_ODD_URL = re.compile(r"[a-z][a-z0-9+.-]*://.*[^!#-;=?-\[\]_a-z~].*", re.IGNORECASE | re.DOTALL)


#: Texts that read like other values; some are what languages make of null.
_LIKE_NO_TEXT = re.compile(
    r"|[-+0-9.][0-9.eE+-]*|true|false|null|None|nil|NULL|undefined|NaN|\(absent\)|[\[{].*", re.DOTALL
)


@dataclass(frozen=True)
class Difference:
    """A place that was decoded wrongly. ``decoded`` is the value at the client, MISSING if there is none."""

    leaf: Leaf
    decoded: Any
    code: str

    @property
    def name(self) -> str:
        """The place as a dotted path."""
        return name_of(self.leaf.pointer)

    def expected(self) -> str:
        """Return the value that was sent, for evidence."""
        return f"{self.name}: {shown(self.leaf.value)}"

    def actual(self) -> str:
        """Return the value that was decoded, for evidence."""
        return f"{self.name}: {shown(self.decoded)}"


def name_of(pointer: str) -> str:
    """Return a pointer as a dotted path, as evidence names it."""
    return ".".join(pointers.split(pointer))


def entity() -> Entity:
    """Return the entity that the operation being judged returns."""
    return judged_entity()


@cached_by_contract
def _leaves_of(_operation: str, text: str) -> tuple[Leaf, ...]:
    return entity().leaves.of(json.loads(text))


def leaves_of(batch: Mapping[str, Any]) -> tuple[Leaf, ...]:
    """Return the documented places of a batch that was sent."""
    return _leaves_of(judged_operation(), json.dumps(batch))


def state_of(batch: object) -> Any:
    """Return the value at the lifecycle's place, MISSING without one."""
    pointer = entity().lifecycle_pointer
    return value_at(batch, pointer) if pointer else MISSING


def id_of(batch: object) -> Any:
    """Return the value at the place that echoes the requested id, MISSING without one."""
    echo = entity().echo
    return value_at(batch, echo) if echo else MISSING


def value_at(value: object, pointer: str) -> Any:
    """Return the value at a pointer, MISSING if there is none."""
    return pointers.read(value, pointer)


def instant_problem(sent: str, decoded: Any, unit: Fraction = MILLISECOND) -> str:
    """Describe what is wrong with a decoded date; empty if it is the instant sent, to the ``unit`` (seconds).

    Rounding and truncation to the unit are both allowed (contracts/decisions.md, 19).
    """
    if not isinstance(decoded, str):
        return "the date is no RFC 3339 date-time"
    # RFC 3339, 5.6 allows a space for the T, and some languages print dates that way.
    instant = parse_date_time(decoded[:10] + "T" + decoded[11:] if decoded[10:11] == " " else decoded)
    expected = parse_date_time(sent)
    assert isinstance(expected, Instant)
    if isinstance(instant, str):
        naive = not isinstance(parse_date_time(f"{decoded.replace(' ', 'T')}Z"), str)
        return "the offset is lost" if naive else f"the date is {instant}"
    apart = abs(instant.seconds + instant.fraction - expected.seconds - expected.fraction)
    return "" if apart < unit else f"the instant is off by {float(apart):g} s"


def problem_at(leaf: Leaf, decoded: Any) -> str:
    """Return the code for a wrongly decoded value, ``lost`` or ``changed``; empty if it is right."""
    if leaf.value is None and leaf.place.endswith("/*") and decoded is MISSING:
        return "lost"  # the keys of a map are data
    if leaf.empty:
        # Null and absent are the same to a caller (contracts/decisions.md, 1).
        filled_in = leaf.default is not MISSING and same(leaf.default, decoded)
        return "" if decoded is None or decoded is MISSING or filled_in else "changed"
    if decoded is None or decoded is MISSING:
        return "lost"
    return "" if _is_right(leaf, decoded) else "changed"


def _is_right(leaf: Leaf, decoded: Any) -> bool:
    sent = leaf.value
    match leaf.kind:
        case "object":
            return isinstance(decoded, Mapping)
        case "array":
            return isinstance(decoded, list) and len(decoded) == len(sent)
        case "date-time":
            return not instant_problem(sent, decoded)
        case "integer" if type(sent) is int:
            return type(decoded) is int and decoded == sent
        case "integer" | "number":
            return is_number(decoded) and same(sent, decoded)
        case "uuid" if isinstance(decoded, str):
            # RFC 9562, 4: hexadecimal digits in either case.
            return bool(decoded.casefold() == str(sent).casefold())
        case "any":
            return same(sent, decoded)
    if isinstance(sent, str) and isinstance(decoded, str) and _ODD_URL.fullmatch(sent):
        # A client with a URL type percent-encodes characters that no URL may contain.
        return unquote(sent) == unquote(decoded)
    return type(decoded) is type(sent) and bool(decoded == sent)


def differences(sent: Mapping[str, Any], decoded: object) -> Iterator[Difference]:
    """Yield all places that were decoded wrongly; below a wrong place, no others."""
    wrong: list[str] = []
    for leaf in leaves_of(sent):
        if any(leaf.pointer.startswith(f"{above}/") for above in wrong):
            continue
        value = value_at(decoded, leaf.pointer)
        code = problem_at(leaf, value)
        if code:
            wrong.append(leaf.pointer)
            yield Difference(leaf, value, code)


def changes(sent: Mapping[str, Any], decoded: object, places: Collection[str]) -> list[Difference]:
    """Return the differences at these places."""
    return [one for one in differences(sent, decoded) if one.leaf.place in places]


def holders(sent: Mapping[str, Any]) -> frozenset[str]:
    """Return pointers of the objects and arrays that contain integers; ``counts`` reports them as a whole."""
    above = (leaf.pointer.rpartition("/")[0] for leaf in leaves_of(sent) if leaf.kind == "integer")
    return frozenset(above) - {""}


def integer_faults(never: Collection[str], sent: Mapping[str, Any], decoded: object) -> dict[Leaf, str]:
    """Describe what is wrong with each integer: a clause id if that clause reports it, else a predicate.

    ``never`` are the places that no decoded batch ever has. Integers of one object are compared together.
    """
    groups: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in leaves_of(sent):
        if leaf.kind == "integer":
            items = leaf.place.endswith("/*")
            groups[leaf.pointer if items else leaf.pointer.rpartition("/")[0]].append(leaf)
    return {leaf: fault for group in groups.values() for leaf, fault in _group_faults(never, group, decoded)}


def _group_faults(never: Collection[str], group: list[Leaf], decoded: object) -> Iterator[tuple[Leaf, str]]:
    sent_values = [leaf.value for leaf in group]
    values = [value_at(decoded, leaf.pointer) for leaf in group]
    whole = all(type(value) is int for value in [*values, *sent_values])
    permuted = whole and sorted(values) == sorted(sent_values)
    for leaf, value in zip(group, values, strict=True):
        if not problem_at(leaf, value):
            continue
        others = [one.value for one in group if one is not leaf]
        if value is MISSING or value is None:
            yield leaf, FIELDS if leaf.place in never else "does not arrive"
        elif type(value) is not int:
            yield leaf, "arrives as something else than an integer"
        elif permuted:
            yield leaf, FIELDS
        elif value in derived_counts(others):
            yield leaf, "arrives derived from the other counts"
        else:
            yield leaf, FIELDS if value and value in sent_values else "arrives changed"


def derived_counts(others: list[Any]) -> set[Any]:
    """Return the values an integer would have if computed from the ``others``: a sum or a difference."""
    total = sum(others)
    return {total, *(2 * one - total for one in others)} if len(others) > 1 else set()


def lost_as(code: str) -> str:
    """Return the finding code for a predicate of :func:`integer_faults`."""
    return "lost" if code == "does not arrive" else "changed"


def never_handed(record: ClientRunRecord) -> frozenset[str]:
    """Return the places that are missing in every decoded batch, though they were sent."""
    return record.kept("never", lambda: frozenset(_never_handed(record)))


def _never_handed(record: ClientRunRecord) -> set[str]:
    missing: set[str] = set()
    arrived: set[str] = set()
    for case_result in record.plays:
        for call_result in case_result.turns:
            if isinstance(call_result.expected, ValidBatch) and call_result.reply.batch is not None:
                came, did_not = call_result.kept("arrivals", partial(_arrivals, call_result))
                arrived |= came
                missing |= did_not
    return missing - arrived


def _arrivals(call_result: CallResult) -> tuple[set[str], set[str]]:
    """Return the places of a decoded batch that arrived with a value, and those that did not."""
    came: set[str] = set()
    did_not: set[str] = set()
    assert isinstance(call_result.expected, ValidBatch)
    for leaf in leaves_of(call_result.expected.batch):
        value = value_at(call_result.reply.batch, leaf.pointer)
        if value is not MISSING and value is not None:
            came.add(leaf.place)
        elif not leaf.empty:
            did_not.add(leaf.place)
    return came, did_not


def refused_statuses(record: ClientRunRecord) -> frozenset[Any]:
    """Return the documented statuses for which an otherwise ordinary batch is refused."""
    return frozenset(
        state_of(call_result.expected.batch)
        for case_result in record.plays
        if case_result.clauses[0] == STATUS
        for call_result in case_result.turns
        if isinstance(call_result.expected, ValidBatch) and call_result.reply.batch is None
    )


def sound_places(record: ClientRunRecord) -> frozenset[str]:
    """Return the places that arrive right in every ordinary batch that was decoded."""
    return record.kept("sound", lambda: frozenset(_sound_places(record)))


def _sound_places(record: ClientRunRecord) -> set[str]:
    places = {leaf.place for _, _, sent in record.ordinary for leaf in leaves_of(sent)}
    for _, call_result, sent in record.ordinary:
        if call_result.reply.batch is not None:
            for one in differences(sent, call_result.reply.batch):
                places -= {place for place in places if f"{place}/".startswith(f"{one.leaf.place}/")}
    return places


def places_of_kind(batches: Iterable[Mapping[str, Any]], clause: str) -> frozenset[str]:
    """Return the places in these batches that a clause reports."""
    return frozenset(
        leaf.place for batch in batches for leaf in leaves_of(batch) if CLAUSE_OF_KIND.get(leaf.kind, FIELDS) == clause
    )


def shown(value: Any) -> str:
    """Format a value for evidence; text without quotes, unless it reads like no text."""
    if value is MISSING:
        return "(absent)"
    plain = isinstance(value, str) and not _LIKE_NO_TEXT.fullmatch(value)
    return shortened(value if plain else json.dumps(value, ensure_ascii=False, default=repr))
