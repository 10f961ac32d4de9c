"""What a generated value is there to show. Labels are for people; code asks for the kind."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple


class Kind(Enum):
    """Why a value is worth a try."""

    EXAMPLE = auto()
    #: One of the forms of the whole: a branch, with all members or the required ones only.
    FORM = auto()
    #: One of the few values that its place has by the schema: of an enum, null, true or false, a branch of an object.
    LISTED = auto()
    #: An optional member left out, or put in.
    ABSENT = auto()
    PRESENT = auto()
    #: A member that the schema does not list.
    UNKNOWN = auto()
    #: Allowed, but seldom written, so that readers may well refuse it.
    RARE = auto()
    #: A bound, a length, a format, a usual value.
    PLAIN = auto()


class Variation(NamedTuple):
    """A value that is worth a try at one place."""

    label: str
    value: Any
    kind: Kind = Kind.PLAIN
