"""Message patterns of known-failures files of version 0.1.0: read for one more version, never written.

In a pattern ``*`` stands for any text and ``#`` for a whole number; everything else stands for itself.
"""

from __future__ import annotations

import re
from functools import cache

ANYTHING = "*"


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text."""
    return pattern == ANYTHING or _compiled(pattern).match(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    first, *rest = (_piece(piece) for piece in pattern.split(ANYTHING))
    # Atomic groups: each part between two stars matches at its first position, without backtracking.
    middle = "".join(rf"(?>.*?{piece})" for piece in rest[:-1])
    last = rf".*{rest[-1]}" if rest else ""
    return re.compile(rf"(?s:{first}{middle}{last})\Z")


def _piece(text: str) -> str:
    return r"(?:(?<![0-9])(?>[0-9]+)|\#)".join(re.escape(part) for part in text.split("#"))
