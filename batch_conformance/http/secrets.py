"""Secrets in texts: find them, and match their encodings in URLs, JSON, HTML, base64 and mixtures."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator

from batch_conformance.http.sensitive import TELLING

#: Shortest piece of a truncated secret, in characters, that is distinguished from other text.
_PIECE = 9
_BASE64_WORD = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")


def split_at_secrets(text: str, secrets: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Split a text at the secrets in it, the longest first: (piece, whether it is a secret)."""
    known = sorted(filter(None, secrets), key=len, reverse=True)
    if not known:
        yield text, False
        return
    for index, piece in enumerate(re.split("(" + "|".join(map(re.escape, known)) + ")", text)):
        if piece:
            yield piece, index % 2 == 1


def base64_with_secrets(text: str, secrets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the base64 words in a text that hold a secret (e.g. ``user:key``), each with the text it encodes."""
    known = tuple(filter(None, secrets))
    for word in _BASE64_WORD.findall(text):
        try:
            plain = base64.b64decode(word, validate=True).decode("utf-8")
        except ValueError:
            continue
        if any(secret in plain for secret in known):
            yield word, plain


def secret_patterns(secret: str) -> Iterator[tuple[int, str]]:
    """Yield (minimum length of a match, regular expression) for the ways to write a secret."""
    yield len(secret), "".join(map(_spellings, secret))
    raw = _bytes(secret)
    forms = {raw.hex()}
    # Within other text (user:key), base64 depends on the offset modulo 3.
    for before in range(3):
        inner = _inner_base64(raw, before)
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    for form in sorted(forms):
        if len(form) >= TELLING:
            # The last character may be shared with the text that follows, and padding may come after it.
            yield len(form), re.escape(form) + "[A-Za-z0-9+/_-]?=*"


def pieces_of(secret: str) -> Iterator[str]:
    """Yield the shortest recognisable substrings of a secret: plain, in hexadecimal and in base64."""
    raw = _bytes(secret)
    whole = raw.decode("latin-1")
    yield from _parts(whole, _PIECE)
    for hexadecimal in (raw.hex(), raw.hex().upper()):
        yield from _parts(hexadecimal, 2 * _PIECE)
    for before in range(3):
        inner = _inner_base64(raw, before)
        for form in {inner, inner.replace("+", "-").replace("/", "_")}:
            yield from _parts(form, 2 * TELLING)


def _parts(text: str, length: int) -> Iterator[str]:
    for at in range(len(text) - length + 1):
        yield text[at : at + length]


def _spellings(char: str) -> str:
    """Return a pattern for one character: plain, percent-encoded, escaped as in JSON, C or HTML."""
    if char.isascii() and char.isalnum():
        return char
    # Text is escaped again when it is embedded in other text: backslashes double each time.
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
    """Return bytes in base64 at offset ``before`` (0 to 2), without the characters that neighbours affect."""
    whole = base64.b64encode(b"\0" * before + raw).decode("ascii")
    return whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
