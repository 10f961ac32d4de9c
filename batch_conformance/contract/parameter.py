"""Documented parameters, and how their values are serialized (OpenAPI 3.1, 4.8.12)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

Place = Literal["path", "query", "header", "cookie"]

#: How a filter compares a member with its value: equal, greater (later, for dates) or less.
FILTER_OPERATORS = ("eq", "gt", "lt")
#: Delimiters of arrays that are not exploded, by ``style``.
_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True)
class Filter:
    """Filter of a query parameter (``x-filter``): selects entries by comparing ``member`` with its value."""

    member: str
    operator: str


@dataclass(frozen=True)
class Parameter:
    """One documented parameter. ``example`` is a JSON value; ``has_example`` tells null from none.

    ``member`` is the pointer of the member in the answer that repeats the value (``x-member``), empty without
    one. ``filter_as_written`` is its raw ``x-filter``, None without one. ``style`` and ``explode`` define how
    arrays and objects are serialized (OpenAPI 3.1, 4.8.12.2).
    """

    name: str
    place: Place
    required: bool
    schema: Mapping[str, Any]
    example: Any = None
    has_example: bool = False
    member: str = ""
    filter_as_written: Any = None
    style: str = ""
    explode: bool | None = None
    #: The media type of its value where it has ``content`` in place of ``schema``.
    media_type: str = ""

    @property
    def filter(self) -> Filter | None:
        """Its filter; None for a parameter that is not one."""
        raw = self.filter_as_written
        known = isinstance(raw, Mapping) and raw.keys() >= {"member", "operator"}
        return Filter(str(raw["member"]), str(raw["operator"])) if known else None

    def example_text(self) -> str:
        """Return the example as it is sent: a string as it is, other values as JSON (``true``, ``5``)."""
        return json.dumps(self.example) if self.is_json else as_sent(self.example)

    def in_path(self) -> str:
        """Return the example as a raw segment of a path; the commas between items are not encoded (RFC 6570, 3.2.2)."""
        if isinstance(self.example, list) and not self.media_type:
            return ",".join(path_segment(as_sent(item)) for item in self.example)
        return path_segment(self.example_text())

    @property
    def is_json(self) -> bool:
        """Whether its value is sent as JSON, by its ``content``."""
        return "json" in self.media_type

    @property
    def _is_exploded(self) -> bool:
        """Whether items and members are sent as pairs of their own."""
        plain = self.style in ("", "form") and not self.media_type
        return self.place in ("query", "cookie") and self.explode is not False and plain

    def pairs(self) -> list[tuple[str, str]]:
        """Return the example as name-value pairs of the query, cookies or headers; several if exploded."""
        value = self.example
        if self.media_type:
            return [(self.name, self.example_text())]
        if self.style == "deepObject" and isinstance(value, dict):
            return [(f"{self.name}[{name}]", as_sent(inner)) for name, inner in value.items()]
        if isinstance(value, dict) and self._is_exploded:
            return [(name, as_sent(inner)) for name, inner in value.items()]
        if isinstance(value, list) and self._is_exploded:
            return [(self.name, as_sent(inner)) for inner in value]
        if isinstance(value, list) and self.style in _DELIMITERS:
            return [(self.name, _DELIMITERS[self.style].join(map(as_sent, value)))]
        return [(self.name, as_sent(value, explode=self.place == "header" and bool(self.explode)))]

    def repeats(self, pairs: Sequence[tuple[str, str]]) -> bool:
        """Whether pairs of the query or of cookies repeat the name, though the items belong into one value."""
        return self.place in ("query", "cookie") and not self._is_exploded and len(pairs) > 1

    def items_in(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """Return the items of an array that was sent as these pairs, as strings."""
        if self._is_exploded:
            return [value for _, value in pairs]
        text = pairs[0][1]
        return [part.strip() for part in text.split(_DELIMITERS.get(self.style, ","))] if text else []

    def members_in(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the members of an object that was sent as these pairs, as strings."""
        if self.style == "deepObject":
            return [(name.removeprefix(f"{self.name}[").removesuffix("]"), value) for name, value in pairs]
        if self._is_exploded:
            return list(pairs)
        return pairs_in(self.items_in(pairs), explode=bool(self.explode))

    def is_named(self, name: str) -> bool:
        """Whether a name in the query or cookies belongs to this parameter or a part of it."""
        if name == self.name or (self.style == "deepObject" and name.startswith(f"{self.name}[")):
            return True
        parts = self.example if isinstance(self.example, dict) else {}
        return self._is_exploded and name in {*parts, *self.schema.get("properties", {})}


def path_segment(value: str) -> str:
    """Percent-encode a value as a segment of a path (RFC 3986, 3.3)."""
    encoded = quote(value, safe="", errors="surrogateescape")
    # An unencoded dot segment would be removed by clients and proxies.
    return encoded.replace(".", "%2E") if value in (".", "..") else encoded


def pairs_in(cut: Sequence[str], *, explode: bool) -> list[tuple[str, str]]:
    """Return the members of an object from its parts: ``a=1`` if exploded, else ``a``, ``1``."""
    if explode:
        return [(name, value) for name, _, value in (part.partition("=") for part in cut)]
    return list(zip(cut[::2], cut[1::2], strict=False))


def as_sent(value: Any, *, explode: bool = False) -> str:
    """Serialize a parameter value: strings as they are, lists and objects with commas, others as JSON.

    With ``explode``, the members of an object are written ``name=value``.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(as_sent, value))
    if isinstance(value, dict):
        return ",".join(f"{name}{'=' if explode else ','}{as_sent(inner)}" for name, inner in value.items())
    return "" if value is None else str(value)
