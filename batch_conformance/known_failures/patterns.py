"""Evidence as a pattern: the same failure matches in every run, another one does not.

In a pattern ``*`` stands for any text and ``#`` for a whole number; everything else stands for itself. There is no
escape, and none is needed: a ``*`` or ``#`` in the evidence is matched by its own sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import NamedTuple

from batch_conformance.checks.finding import Finding
from batch_conformance.contract.load import STATUSES
from batch_conformance.http import Redactor
from batch_conformance.http.redact import met_in
from batch_conformance.http.text import Chained, cut, shown_text

ANYTHING = "*"
#: Longer evidence goes into a pattern by its beginning, in characters.
MESSAGE_LIMIT = 200
ACTUAL_LIMIT = 160
_SHOWN_LIMIT = 300


class ReceivedRequest(NamedTuple):
    """The evidence of one finding, as a report shows it."""

    message: str
    actual: str

    def __str__(self) -> str:
        """The evidence in one line, for readers."""
        return cut(f"{self.message}: {self.actual}" if self.actual else self.message, _SHOWN_LIMIT)


def seen_of(finding: Finding, redactor: Redactor) -> ReceivedRequest:
    """The finding's evidence, redacted and made visible just as in the report."""
    both = Chained((redactor, met_in(finding.exchange)))
    message, actual = (
        shown_text(both, text) for text in (finding.message, finding.actual)
    )
    return ReceivedRequest(message or "(no message)", actual)


@dataclass(frozen=True)
class Expected:
    """What a known failure's evidence looks like: patterns for the message and for what came."""

    message: str
    actual: str = ANYTHING

    def matches(self, seen: ReceivedRequest) -> bool:
        """Whether this is the evidence that was expected."""
        return _compiled(self.message).match(seen.message) is not None and (
            self.actual == ANYTHING or _compiled(self.actual).match(seen.actual) is not None
        )

    @property
    def vague(self) -> bool:
        """Whether it would excuse any failure at all."""
        return not self.message.replace(ANYTHING, "").strip()

    def __str__(self) -> str:
        """The pattern in one line, for readers."""
        return cut(
            self.message if self.actual == ANYTHING else f"{self.message}: {self.actual}", _SHOWN_LIMIT
        )


def describe(patterns: Iterable[Expected]) -> str:
    """A few patterns for readers, one a line."""
    listed = list(patterns)
    more = [f"(and {len(listed) - 3} more)"] if len(listed) > 3 else []
    return "\n".join([*map(str, listed[:3]), *more])


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    first, *rest = (_piece(piece) for piece in pattern.split(ANYTHING))
    # What stands between two stars is taken where it comes first, for good: no pattern can be slow to match.
    middle = "".join(rf"(?>.*?{piece})" for piece in rest[:-1])
    last = rf".*{rest[-1]}" if rest else ""
    return re.compile(rf"(?s:{first}{middle}{last})\Z")


def _piece(text: str) -> str:
    return r"(?:(?<![0-9])(?>[0-9]+)|\#)".join(re.escape(part) for part in text.split("#"))


def pattern_of(seen: ReceivedRequest) -> Expected:
    """A pattern for the evidence that leaves out what varies from run to run.

    Ids, keys' names, ports, numbers, times and the content of objects vary; words and HTTP statuses do not.
    """
    message = _general(_QUOTED.sub(_quoted, _STATE.sub("of a * batch", seen.message)), MESSAGE_LIMIT)
    found = Expected(message, _general(_OBJECT.sub(r"{*\1", seen.actual), ACTUAL_LIMIT))
    # Without a word of its own the text itself is the better pattern.
    return Expected(_first_line(seen.message, MESSAGE_LIMIT), found.actual) if found.vague else found


def kind_of(seen: ReceivedRequest, *, quoted: bool = True) -> tuple[str, str]:
    """The evidence without the ids, times and states that vary from one batch or read to the next.

    Unlike in a pattern, what is long, an object or a small number stays: there, that may be what differs. Nor are
    ids in quotes left out unless ``quoted``; those that are opaque always are.
    """
    message = _STATE.sub("of a * batch", seen.message)
    message = _QUOTED.sub(_quoted, message) if quoted else message
    return _TOKEN.sub(_without_id, message), _TOKEN.sub(_without_id, seen.actual)


def _without_id(match: re.Match[str]) -> str:
    token = match.group()
    return token if token.isdigit() and len(token) < _OPAQUE else _token(match)


def patterns_of(evidence: Iterable[ReceivedRequest]) -> list[Expected]:
    """Patterns that cover all of the evidence, in its order, each once."""
    found: list[Expected] = []
    for seen in evidence:
        if not any(pattern.matches(seen) for pattern in found):
            found.append(pattern_of(seen))
    return found


#: Which states turn up depends on the batches that a server happens to have.
_STATE = re.compile(rf"\bof a (?:{'|'.join(STATUSES)}) batch\b")
#: An id, as judges quote it: behind one of these words, or anything that is not a plain name.
_QUOTED = re.compile(r"""(\b(?:of|for|id|batch) )?(?<!\w)(["'])((?:\\.|(?!\2)[^\\\n])*)\2(?!\w)""")
_NAME = re.compile(r"[A-Za-z][A-Za-z_.-]*")
_OBJECT = re.compile(r"\{.*(\})|\{.*", re.DOTALL)
_LOOPBACK = r"127\.0\.0\.1(?![\w-])"
_TOKEN = re.compile(rf"{_LOOPBACK}|[A-Za-z0-9_-]+")
_TIME = re.compile(r"-?[0-9][0-9TtZz-]*")
#: Letters and digits of this length or more are taken for an id; a prefix like ``batch_`` is not part of it.
_OPAQUE = 8
_PREFIX = re.compile(r"(?:[a-z]{2,7}|[A-Z]{2,7})[_-]")
_CODES = frozenset(str(status.value) for status in HTTPStatus)
_NOT_A_CODE_BEFORE = re.compile(r"(?:[.:/=+-]|[=+,] )\Z")
_NOT_A_CODE_AFTER = re.compile(r"[.:,/][0-9]| (?:ms|s|bytes|characters|requests|times|of|\+|=)(?!\w)")


def _quoted(match: re.Match[str]) -> str:
    word, content = match.group(1) or "", match.group(3)
    if not word and _NAME.fullmatch(content):
        return match.group()
    # With its quotes, so that what follows it still counts.
    return f"{word}{match.group(2)}{ANYTHING}{match.group(2)}"


def _general(text: str, limit: int) -> str:
    line = _first_line(text, limit * 4)
    return _cut(re.sub(r"\*[*]+", ANYTHING, _TOKEN.sub(_token, line)), limit)


def _token(match: re.Match[str]) -> str:
    token = match.group()
    if "." in token or not any(char.isdigit() for char in token):
        return token
    if token in _CODES and _stands_as_code(match):
        return token
    if _TIME.fullmatch(token):
        return re.sub(r"[0-9]+", "#", token)
    if len(token) < _OPAQUE or not any(char.isalpha() for char in token):
        return token
    prefix = _PREFIX.match(token)
    return f"{prefix.group() if prefix else ''}{ANYTHING}"


def _stands_as_code(match: re.Match[str]) -> bool:
    before, after = match.string[max(0, match.start() - 2) : match.start()], match.string[match.end() :]
    return not _NOT_A_CODE_BEFORE.search(before) and not _NOT_A_CODE_AFTER.match(after)


def _first_line(text: str, limit: int) -> str:
    line, broken, _ = text.partition("\n")
    return _cut(line + (ANYTHING if broken else ""), limit)


def _cut(pattern: str, limit: int) -> str:
    return pattern if len(pattern) <= limit else pattern[: limit - 1].rstrip(ANYTHING) + ANYTHING
