"""Patterns for the spellings of a secret: in URLs, JSON, HTML, base64, and mixtures of them."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator

#: A part of a secret in base64 needs this many characters to be distinguished from other text.
_TELLING = 8
#: A piece of a secret, as truncation leaves it, needs this many characters to be distinguished from other text.
_PIECE = 9


def secret_patterns(secret: str) -> Iterator[tuple[int, str]]:
    """Regular expressions for the ways a secret may be written, each with the length of what it matches at least."""
    yield len(secret), "".join(map(_spellings, secret))
    raw = _bytes(secret)
    forms = {raw.hex()}
    # In the middle of other text (user:key), base64 looks different at each of three places.
    for before in range(3):
        inner = _inner_base64(raw, before)
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    for form in sorted(forms):
        if len(form) >= _TELLING:
            # What surrounds the secret shares a character with its end, and padding may follow.
            yield len(form), re.escape(form) + "[A-Za-z0-9+/_-]?=*"


def pieces_of(secret: str) -> Iterator[str]:
    """The shortest recognisable parts of a secret, from anywhere in it: plain, in hexadecimal and in base64."""
    raw = _bytes(secret)
    whole = raw.decode("latin-1")
    yield from _parts(whole, _PIECE)
    for hexadecimal in (raw.hex(), raw.hex().upper()):
        yield from _parts(hexadecimal, 2 * _PIECE)
    for before in range(3):
        inner = _inner_base64(raw, before)
        for form in {inner, inner.replace("+", "-").replace("/", "_")}:
            yield from _parts(form, 2 * _TELLING)


def _parts(text: str, length: int) -> Iterator[str]:
    for at in range(len(text) - length + 1):
        yield text[at : at + length]


def _spellings(char: str) -> str:
    """A pattern for one character: as it is, percent-encoded (twice, too), escaped as in JSON or C, as in HTML."""
    if char.isascii() and char.isalnum():
        return char
    # Texts are escaped again when they are put into others: every time, backslashes double.
    units = char.encode("utf-16-be", "surrogatepass")
    escaped = "".join(f"{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    forms = [
        "".join(f"%(?:25)?{_hex(f'{byte:02x}')}" for byte in _bytes(char)),
        "".join(rf"\\{{1,4}}u{_hex(escaped[at : at + 4])}" for at in range(0, len(escaped), 4)),
        "".join(rf"\\{{1,4}}x{_hex(f'{byte:02x}')}" for byte in _bytes(char)),
        f"&#(?:{ord(char)}|[xX]0*{_hex(f'{ord(char):x}')});",
        *(re.escape(name) for name in {html.escape(char)} - {char}),
        rf"\\{{0,7}}{re.escape(char)}",
    ]
    if char == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _inner_base64(raw: bytes, before: int) -> str:
    """The bytes in base64 after ``before`` others (of three), without the characters that neighbours change."""
    whole = base64.b64encode(b"\0" * before + raw).decode("ascii")
    return whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
