"""Undo escaping (percent, backslash, HTML entities) and map every byte of the result to its source."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

#: Levels of escaping that are undone.
_MAX_LEVELS = 5
_ESCAPED = re.compile(
    r"\\{1,16}u\{0*(?P<braced>[0-9A-Fa-f]{1,6})\}"
    r"|\\{1,16}U(?P<long>[0-9A-Fa-f]{8})"
    r"|(?:\\{1,16}|%(?:25)*)[uU](?P<short>[0-9A-Fa-f]{4})"
    r"|(?:\\{1,16}[xX]|%(?:25)*)(?P<byte>[0-9A-Fa-f]{2})"
    r"|\\{1,16}(?P<octal>[0-3][0-7]{2})"
    r"|&(?:amp;)*\#(?:(?P<decimal>[0-9]{1,8})|[xX](?P<hexadecimal>[0-9A-Fa-f]{1,8}));?"
    r"|&(?:amp;)*(?P<named>[A-Za-z]{2,8});"
    r"|\\{1,16}(?P<itself>[^A-Za-z0-9\s\\])"
)
_RUNS = re.compile(r"(?P<ascii>[\x00-\x7f]+)|[^\x00-\x7f]+")
_MARKS = ("\\", "%", "&")


@dataclass(frozen=True)
class Unescaped:
    """Unescaped text as bytes, one character each, with the position of each in the original text."""

    text: str
    spans: list[tuple[int, int]]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the position in the original text of the characters from ``start`` to ``end``."""
        return self.spans[start][0], self.spans[end - 1][1]


def as_bytes(text: str) -> str:
    """Return the UTF-8 bytes of a text, one character each."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def unescaped(text: str) -> list[Unescaped]:
    """Return the text as bytes, followed by the text with 1, 2, … levels of escaping undone."""
    levels = [_encoded(text)]
    if not any(mark in text for mark in _MARKS):
        return levels
    for _ in range(_MAX_LEVELS):
        deeper = _one_level(levels[-1])
        if deeper is None:
            break
        levels.append(deeper)
    return levels


def _encoded(text: str) -> Unescaped:
    spans: list[tuple[int, int]] = []
    for run in _RUNS.finditer(text):
        each = zip(range(run.start(), run.end()), range(run.start() + 1, run.end() + 1), strict=True)
        if run["ascii"]:
            spans += each
        else:
            spans += (span for span in each for _ in as_bytes(text[span[0]]))
    return Unescaped(as_bytes(text), spans)


def _one_level(level: Unescaped) -> Unescaped | None:
    pieces: list[str] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for match in _ESCAPED.finditer(level.text):
        decoded = _decoded(match)
        if decoded is None:
            continue
        pieces += [level.text[at : match.start()], decoded]
        spans += level.spans[at : match.start()]
        spans += [level.span(match.start(), match.end())] * len(decoded)
        at = match.end()
    if not at:
        return None
    return Unescaped("".join([*pieces, level.text[at:]]), spans + level.spans[at:])


def _decoded(match: re.Match[str]) -> str | None:
    """Return the bytes that an escape represents, or None."""
    kind = match.lastgroup or ""
    digits = match[kind]
    if kind in ("byte", "octal"):
        return chr(int(digits, 16 if kind == "byte" else 8))
    if kind == "itself":
        return digits
    if kind == "named":
        text = html.unescape(f"&{digits};")
        return None if len(text) > 2 else as_bytes(text)
    code = int(digits, 10 if kind == "decimal" else 16)
    return as_bytes(chr(code)) if code <= 0x10FFFF else None
