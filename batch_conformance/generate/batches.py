"""Hypothesis strategies for parts of answers: date-times, texts, extra members, JSON formatting."""

from __future__ import annotations

import calendar
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from batch_conformance.contract import cached_by_contract, parse_date_time
from batch_conformance.contract.pointers import split
from batch_conformance.contract.statuses import error_body

#: The largest integer that every JSON implementation reads exactly (RFC 8259, 6).
LARGEST = 2**53 - 1


@cached_by_contract
def instants(*, latitude: bool = False) -> st.SearchStrategy[str]:
    """Generate RFC 3339 date-times from 1971 to 2099: offsets below 16 hours, 0 to 9 digits of fraction.

    With ``latitude``, also ``t`` and ``z`` in lower case, as RFC 3339, 5.6 allows.
    """
    return st.builds(
        _date_time,
        st.integers(1971, 2099),
        st.integers(1, 12),
        st.integers(1, 31),
        st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)),
        st.text("0123456789", max_size=9),
        st.one_of(
            st.sampled_from(["Z", "+00:00", "+05:30", "-08:00", "+14:00", "-12:00", "+05:45"]),
            st.builds("{}{:02d}:{:02d}".format, st.sampled_from("+-"), st.integers(0, 15), st.integers(0, 59)),
        ),
        st.sampled_from("Tt") if latitude else st.just("T"),
        st.booleans() if latitude else st.just(False),
    )


@cached_by_contract
def lower_case_instants() -> st.SearchStrategy[str]:
    """Generate RFC 3339 date-times with ``t``, ``z`` or both in lower case."""
    return instants(latitude=True).filter(lambda text: text != text.upper())


def _date_time(
    year: int,
    month: int,
    day: int,
    time: tuple[int, int, int],
    digits: str,
    offset: str,
    mark: str,
    lower: bool,
) -> str:
    day = min(day, calendar.monthrange(year, month)[1])
    fraction = f".{digits}" if digits else ""
    clock = ":".join(f"{part:02d}" for part in time)
    return f"{year:04d}-{month:02d}-{day:02d}{mark}{clock}{fraction}{offset.lower() if lower else offset}"


@cached_by_contract
def unicode_texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Generate text of every script, with emoji and characters that JSON escapes; no surrogates, no NUL."""
    return st.text(
        st.one_of(
            st.characters(codec="utf-8", exclude_characters="\x00"),
            st.sampled_from('äß€Ж中🎬\u2028"\\/\u00a0é'),
        ),
        max_size=max_size,
    )


@cached_by_contract
def urls(*, wide: bool = False) -> st.SearchStrategy[str]:
    """Generate absolute https URLs; with ``wide``, characters beyond ASCII in path and query."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
    part = st.text(letters + ("äéß中🎬ж" if wide else ""), min_size=1, max_size=12)
    return st.builds("https://hooks.example.com/{}/{}?token={}".format, part, part, part)


@cached_by_contract
def json_values(leaves: int = 8) -> st.SearchStrategy[Any]:
    """Generate nested JSON values."""
    scalars = st.one_of(st.none(), st.booleans(), st.integers(-LARGEST, LARGEST), unicode_texts(10), st.just(0.5))
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_extra_names(), inner, max_size=4)),
        max_leaves=leaves,
    )


@cached_by_contract
def _extra_names() -> st.SearchStrategy[str]:
    # No documented name in another case: some parsers match names without case. Optional members of errors
    # are included: they must not make a client take a batch for an error.
    errors = error_body("get")
    rows = [(split(place.pointer)[0], place.keyword) for place in (errors.places if errors else ()) if place.pointer]
    needed = {name for name, keyword in rows if keyword == "required"}
    known = [
        *sorted({name for name, _ in rows} - needed),
        "expiresAt",
        "links",
        "_id",
        "__v",
        "type",
        "self",
        "class",
        "items",
        "data",
        "x-trace",
        "größe",
    ]
    return st.one_of(st.sampled_from(known), st.text("abcxyz_", min_size=3, max_size=8).map(lambda text: f"x_{text}"))


@cached_by_contract
def extra_members() -> st.SearchStrategy[dict[str, Any]]:
    """Generate at least one undocumented member."""
    return st.dictionaries(_extra_names(), json_values(), min_size=1, max_size=4)


@dataclass(frozen=True)
class Style:
    """A formatting of JSON: white space, escapes, and the order of members.

    ``escape``: ``needed`` only what JSON requires, ``ascii`` also non-ASCII, ``all`` every character except
    in date-times, ``slash`` as ``needed`` and ``/``. ``turn`` rotates the members of every object,
    ``backwards`` reverses them.
    """

    gap: str = ""
    escape: str = "needed"
    upper: bool = False
    turn: int = 0
    backwards: bool = False
    around: str = ""


@cached_by_contract
def styles() -> st.SearchStrategy[Style]:
    """Generate formattings of JSON."""
    blank = st.sampled_from(["", " ", "\n", "\t", "\r\n  ", " \t\r\n "])
    escape = st.sampled_from(["needed", "ascii", "all", "slash"])
    return st.builds(Style, blank, escape, st.booleans(), st.integers(0, 6), st.booleans(), blank)


def written(value: object, style: Style = Style()) -> bytes:
    """Serialize a JSON value as UTF-8 bytes in a style."""
    return (style.around + _written(value, style) + style.around).encode("utf-8")


def _written(value: object, style: Style) -> str:
    gap = style.gap
    if isinstance(value, str):
        return _string(value, style)
    if isinstance(value, Mapping):
        members = list(value.items())
        turn = style.turn % len(members) if members else 0
        members = members[turn:] + members[:turn]
        if style.backwards:
            members.reverse()
        inner = f"{gap},{gap}".join(
            f"{_string(name, style)}{gap}:{gap}{_written(item, style)}" for name, item in members
        )
        return f"{{{gap}{inner}{gap}}}"
    if isinstance(value, list | tuple):
        return f"[{gap}" + f"{gap},{gap}".join(_written(item, style) for item in value) + f"{gap}]"
    return json.dumps(value, allow_nan=False)


def _string(text: str, style: Style) -> str:
    if style.escape == "needed":
        return json.dumps(text, ensure_ascii=False)
    if style.escape == "slash":
        return json.dumps(text, ensure_ascii=False).replace("/", "\\/")
    if style.escape == "ascii":
        return json.dumps(text, ensure_ascii=True)
    if not isinstance(parse_date_time(text), str):
        # Common date parsers, such as Go's, do not unescape (golang/go#47353; contracts/decisions.md, 19).
        return json.dumps(text)
    units = text.encode("utf-16-be")
    form = "\\u%04X" if style.upper else "\\u%04x"
    return '"' + "".join(form % int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)) + '"'
