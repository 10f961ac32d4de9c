"""How a secret is written on its way to a log: in URLs, JSON, HTML, base64, and mixtures of them."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator

#: What is left of a secret in base64 must have this many characters to be told from other text.
_TELLING = 8


def encoded_in_base64(text: str) -> str:
    """The text in base64, as bytes in UTF-8."""
    return base64.b64encode(_bytes(text)).decode("ascii")


def secret_patterns(secret: str) -> Iterator[tuple[int, str]]:
    """Regular expressions for the ways a secret may be written, each with the length of what it matches at least."""
    yield len(secret), "".join(map(_spellings, secret))
    raw = _bytes(secret)
    forms = {raw.hex()}
    # In the middle of other text (user:key), base64 looks different at each of three places.
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw).decode("ascii")
        inner = whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    for form in sorted(forms):
        if len(form) >= _TELLING:
            # What surrounds the secret shares a character with its end, and padding may follow.
            yield len(form), re.escape(form) + "[A-Za-z0-9+/_-]?=*"


def _spellings(char: str) -> str:
    """A pattern for one character: as it is, percent-encoded (twice, too), escaped as in JSON or C, as in HTML."""
    if char.isascii() and char.isalnum():
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    escaped = "".join(f"{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    forms = [
        "".join(f"%(?:25)?{_hex(f'{byte:02x}')}" for byte in _bytes(char)),
        r"\\{1,2}u" + r"\\{1,2}u".join(_hex(escaped[at : at + 4]) for at in range(0, len(escaped), 4)),
        "".join(rf"\\x{_hex(f'{byte:02x}')}" for byte in _bytes(char)),
        f"&#(?:{ord(char)}|[xX]0*{_hex(f'{ord(char):x}')});",
        *(re.escape(name) for name in {html.escape(char)} - {char}),
        rf"\\{{0,3}}{re.escape(char)}",
    ]
    if char == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
