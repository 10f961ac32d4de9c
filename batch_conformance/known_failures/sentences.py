"""Evidence as sentences, as files of version 0.1.0 have it: read for one more version, never written.

In a pattern ``*`` stands for any text and ``#`` for a whole number; everything else stands for itself.
"""

from __future__ import annotations

import re
from functools import cache

ANYTHING = "*"


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern says."""
    return pattern == ANYTHING or _compiled(pattern).match(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    first, *rest = (_piece(piece) for piece in pattern.split(ANYTHING))
    # What stands between two stars is taken where it comes first, for good: no pattern can be slow to match.
    middle = "".join(rf"(?>.*?{piece})" for piece in rest[:-1])
    last = rf".*{rest[-1]}" if rest else ""
    return re.compile(rf"(?s:{first}{middle}{last})\Z")


def _piece(text: str) -> str:
    return r"(?:(?<![0-9])(?>[0-9]+)|\#)".join(re.escape(part) for part in text.split("#"))
