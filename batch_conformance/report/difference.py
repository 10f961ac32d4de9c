"""Word-by-word difference of two short texts, for highlighting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

#: A piece of text and whether it differs from the other side.
Piece = tuple[str, bool]
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
#: Longer texts are not compared: that takes quadratic time.
_WORD_LIMIT = 600
#: Words up to this length are marked as a whole: a single marked character is hard to see.
_SHORT = 6
#: Below this similarity nearly everything would be marked.
_ALIKE = 0.5


def distinguishing_features(expected: str, actual: str) -> tuple[list[Piece], list[Piece]]:
    """Split both texts into pieces and mark those that differ. Texts with little in common are not marked."""
    plain: tuple[list[Piece], list[Piece]] = [(expected, False)], [(actual, False)]
    first, second = _WORDS.findall(expected), _WORDS.findall(actual)
    if expected == actual or not first or not second or max(len(first), len(second)) > _WORD_LIMIT:
        return plain
    if len(first) == len(second) == 1:
        first_pieces, second_pieces = _trimmed(expected, actual)
        alike = any(piece and not marked for piece, marked in first_pieces)
        return (list(_joined(first_pieces)), list(_joined(second_pieces))) if alike else plain
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return plain
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        old, new = "".join(first[a:b]), "".join(second[c:d])
        if kind == "equal":
            left.append((old, False))
            right.append((new, False))
        else:
            for pieces, more in zip((left, right), _trimmed(old, new), strict=True):
                pieces.extend(more)
    return list(_joined(left)), list(_joined(right))


def _trimmed(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Mark two differing texts, except for their common beginning and end."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    first, second = old[start : len(old) - end], new[start : len(new) - end]
    if first and second and max(len(old), len(new)) <= _SHORT:
        return [(old, True)], [(new, True)]
    return (
        [(old[:start], False), (first, True), (old[len(old) - end :], False)],
        [(new[:start], False), (second, True), (new[len(new) - end :], False)],
    )


def _common(old: str, new: str) -> int:
    """Return the length of the common beginning of two texts."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(old), len(new)))


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Merge adjacent pieces that are both marked or both unmarked; drop empty ones."""
    text, marked = "", False
    for piece, mark in pieces:
        if not piece:
            continue
        if mark != marked and text:
            yield text, marked
            text = ""
        text, marked = text + piece, mark
    if text:
        yield text, marked
