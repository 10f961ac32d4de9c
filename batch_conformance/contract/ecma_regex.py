r"""Translation of the regular expressions of JSON Schema (ECMA-262, unicode mode, search) to ``re``.

Translated: ``$`` does not match before a trailing line feed; ``\d``, ``\w`` and ``\b`` are ASCII only; ``\s``
is all white space of ECMA-262; ``.`` matches no line terminator; ``\u{1F600}``, ``\cJ``, named groups,
``[]``, ``[^]``. Refused as unsupported: ``\p{…}``, and what ``re`` cannot express (lookbehind of variable
width). Within a class, ``\S`` also matches white space beyond ASCII.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_SAME = frozenset("dDwWbBnrtfv0123456789^$\\.*+?()[]{}|/-")
_GROUP = re.compile(r"\(\?(?::|=|!|<=|<!|<([A-Za-z_$][\w$]*)>)")
_QUANTIFIER = re.compile(r"\{\d+(,\d*)?\}")


class UnsupportedPattern(ValueError):
    """A pattern that is invalid in ECMA-262, or that Python cannot run. The message is one line."""


@lru_cache(maxsize=512)
def compile_pattern(source: str) -> re.Pattern[str]:
    """Compile a pattern for :func:`re.search`. Raises :class:`UnsupportedPattern`."""
    try:
        return re.compile(_translated(source), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsupportedPattern(f"pattern {source!r}: {error}") from None


def _translated(source: str) -> str:
    out: list[str] = []
    at = 0
    in_class = False
    while at < len(source):
        char = source[at]
        if char == "\\":
            text, at = _escape(source, at, in_class)
            out.append(text)
            continue
        if in_class:
            in_class = char != "]"
            # Escaped, since Python warns of possible set operations.
            out.append("\\" + char if char in "[&~|" else char)
        elif char == "[":
            rest = source[at + 1 :]
            if rest.startswith(("]", "^]")):
                out.append("(?!)" if rest.startswith("]") else r"[\s\S]")
                at += 2 if rest.startswith("]") else 3
                continue
            in_class = True
            out.append(char)
            if rest.startswith("^"):
                out.append("^")
                at += 1
        elif source.startswith("(?", at):
            group = _GROUP.match(source, at)
            if group is None:
                raise UnsupportedPattern(f"pattern {source!r}: unknown group at {at}")
            out.append(f"(?P<{group[1]}>" if group[1] else group.group())
            at = group.end()
            continue
        elif char in "*+?}" and source[at + 1 : at + 2] == "+":
            raise UnsupportedPattern(f"pattern {source!r}: nothing to repeat at {at + 1}")
        elif char == "]":
            raise UnsupportedPattern(
                f"pattern {source!r}: lone bracket at {at} (classes such as [:alpha:] are not known)"
            )
        elif char == "{" and not _QUANTIFIER.match(source, at):
            raise UnsupportedPattern(f"pattern {source!r}: lone brace at {at}")
        else:
            out.append({"$": r"\Z", ".": r"[^\n\r\u2028\u2029]"}.get(char, char))
        at += 1
    return "".join(out)


def _escape(source: str, at: int, in_class: bool) -> tuple[str, int]:
    """Translate the escape at an index; return its text for ``re`` and the index after it."""
    char = source[at + 1 : at + 2]
    if char in ("s", "S"):
        if in_class:
            return (_SPACE if char == "s" else r"\S"), at + 2
        return f"[{'^' if char == 'S' else ''}{_SPACE}]", at + 2
    if char == "u":
        match = re.compile(r"\\u(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{4}))").match(source, at)
        if match is None or int(match[1] or match[2], 16) > 0x10FFFF:
            raise UnsupportedPattern(f"pattern {source!r}: malformed escape at {at}")
        return re.escape(chr(int(match[1] or match[2], 16))), match.end()
    if char == "x" and re.fullmatch(r"[0-9A-Fa-f]{2}", source[at + 2 : at + 4]):
        return source[at : at + 4], at + 4
    if char == "c" and source[at + 2 : at + 3].isalpha() and source[at + 2 : at + 3].isascii():
        return rf"\x{ord(source[at + 2]) % 32:02x}", at + 3
    if char == "k":
        match = re.compile(r"\\k<(\w+)>").match(source, at)
        if match:
            return f"(?P={match[1]})", match.end()
    if char == "0":
        return r"\x00", at + 2
    if char in ("p", "P"):
        raise UnsupportedPattern(
            f"pattern {source!r}: Unicode classes (\\p{{…}}) are not supported; list the ranges of characters"
        )
    if not char or char not in _SAME:
        raise UnsupportedPattern(f"pattern {source!r}: unknown escape at {at}")
    return "\\" + char, at + 2
