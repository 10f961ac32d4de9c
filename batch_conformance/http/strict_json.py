"""Strict JSON reader (RFC 8259): refuses the extensions of ``json.loads``, records repeated member names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass(frozen=True)
class NotJson:
    """Why bytes are not a JSON text, and from which byte or character on."""

    message: str


@dataclass(frozen=True)
class Member:
    """A member name that stands more than once in one object."""

    name: str
    times: int


@dataclass(frozen=True)
class Json:
    """The value read (the last of repeated members wins, as in most readers) or the reason why there is none."""

    value: Any = None
    error: NotJson | None = None
    repeated: tuple[Member, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether the bytes were one well-formed JSON value."""
        return self.error is None


class _Refused(ValueError):
    """A constant that JSON does not have."""


class _Lossless(float):
    """A number with a fraction or exponent that keeps how it was written."""

    text: str

    def __new__(cls, text: str) -> _Lossless:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for match in _BRACKET.finditer(text):
        if match[1]:
            depth += 1
            if depth > DEEPEST:
                return True
        elif match.group() in "]}":
            depth -= 1
    return False


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON (RFC 8259, 6)")


def _read_int(text: str) -> int | float:
    # int() refuses thousands of digits; such a number is still JSON.
    return int(text) if len(text) < 4000 else _Lossless(text)


_BOM = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"[ \t\r\n]*")
#: Readers may limit depth (RFC 8259, 9). This one does, so that code that walks the value has stack enough.
DEEPEST = 200
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|[\]}]', re.DOTALL)


def read_json(data: bytes) -> Json:
    """Read bytes as one JSON text in UTF-8.

    Refused: nothing at all, a byte order mark (RFC 8259, 8.1), other encodings, NaN and Infinity, control characters
    in strings, anything after the value, and more than 200 levels.
    """
    if data.startswith(_BOM):
        return Json(error=NotJson("it begins with a byte order mark (RFC 8259, 8.1)"))
    if _BLANK.fullmatch(data):
        return Json(error=NotJson("it is empty"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Json(error=NotJson(f"it is not UTF-8 at byte {error.start}"))
    if _is_too_deep(text):
        return Json(error=NotJson(f"it is nested too deeply to be read: more than {DEEPEST} levels"))
    repeated: list[Member] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(members)
        if len(value) != len(members):
            names = [name for name, _ in members]
            repeated.extend(Member(name, names.count(name)) for name in value if names.count(name) > 1)
        return value

    try:
        value = json.loads(
            text,
            object_pairs_hook=pairs,
            parse_constant=_refuse_constant,
            parse_int=_read_int,
            parse_float=_Lossless,
        )
    except _Refused as error:
        return Json(error=NotJson(str(error)))
    except json.JSONDecodeError as error:
        return Json(error=NotJson(f"{error.msg} at line {error.lineno}, column {error.colno}"))
    return Json(value=value, repeated=tuple(repeated))
