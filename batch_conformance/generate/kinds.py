"""Kinds of generated values. Code uses the kind; labels are for messages."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple


class Kind(Enum):
    """The aspect that a generated value tests."""

    EXAMPLE = auto()
    #: A form of the whole value: a branch, with all members or only the required ones.
    FORM = auto()
    #: One of few possible values: of an enum, null, true or false, a branch of an object.
    LISTED = auto()
    #: An optional member that is absent or present.
    ABSENT = auto()
    PRESENT = auto()
    #: An undocumented member.
    UNKNOWN = auto()
    #: Valid but seldom used, so that parsers may refuse it.
    RARE = auto()
    #: A bound, a length, a format, a usual value.
    PLAIN = auto()


class Variation(NamedTuple):
    """A value to try at one place."""

    label: str
    value: Any
    kind: Kind = Kind.PLAIN
