"""Strict JSON parser (RFC 8259): no extensions of ``json.loads``, and repeated member names are recorded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass(frozen=True)
class NotJson:
    """Reason why bytes are not a JSON text, with the position where there is one."""

    message: str


@dataclass(frozen=True)
class Member:
    """Member name that occurs more than once in one object."""

    name: str
    times: int


@dataclass(frozen=True)
class Json:
    """Parsed value, or the error. Of repeated members, the last one wins, as in most parsers."""

    value: Any = None
    error: NotJson | None = None
    repeated: tuple[Member, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether the bytes are one well-formed JSON value."""
        return self.error is None


class _Refused(ValueError):
    """Raised for NaN and Infinity, which are not JSON."""


class _Lossless(float):
    """Float that keeps its source text."""

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
    # int() refuses numbers with thousands of digits, which are valid JSON.
    return int(text) if len(text) < 4000 else _Lossless(text)


_BOM = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"[ \t\r\n]*")
#: Maximum depth. Parsers may limit it (RFC 8259, 9); this one does, so that recursive code does not overflow
#: the stack.
DEEPEST = 200
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|[\]}]', re.DOTALL)


def read_json(data: bytes) -> Json:
    """Parse bytes as one JSON text in UTF-8. Errors are returned in the result, not raised.

    Refused: an empty text, a byte order mark (RFC 8259, 8.1), other encodings, NaN and Infinity, control
    characters in strings, anything after the value, and more than 200 levels.
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
