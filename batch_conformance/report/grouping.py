"""Grouping of equal findings into one entry with the number of occurrences and of batches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from batch_conformance.checks.finding import Finding
from batch_conformance.contract import Side, cached_by_contract, current_contract
from batch_conformance.http import Redactor
from batch_conformance.known_failures.patterns import Seen, general, seen_of


@dataclass
class Group:
    """Equal findings, represented by one of them. ``ids`` are the known batches that they are about."""

    finding: Finding
    times: int = 0
    ids: set[str] = field(default_factory=set)

    @property
    def labelled(self) -> bool:
        """Whether the representative finding is about a request with a label."""
        return bool(self.finding.exchange and self.finding.exchange.intent.label)

    @property
    def batches(self) -> int:
        """The number of known batches concerned; 0 if findings are not about known batches."""
        return len(self.ids)


def grouped(findings: Iterable[Finding], redactor: Redactor, side: Side) -> list[Group]:
    """Group findings that differ only in ids, times and states, in order of first occurrence.

    Findings with different codes, pointers or operations, which a known-failures file distinguishes, are not grouped;
    nor are those about different variants of a key or id. Batches are counted for servers only: each call of a client
    has an id of its own.
    """
    groups: dict[tuple[str, ...], Group] = {}
    kinds: dict[tuple[str, str, bool], tuple[str, str]] = {}
    for finding in findings:
        intent = finding.exchange.intent if finding.exchange else None
        # A finding about a made-up id is about that id, so the id is kept.
        known = intent is None or intent.id_kind == "known"
        text = (finding.message, finding.actual, known)
        if text not in kinds:
            seen = seen_of(finding, redactor)
            kinds[text] = _kind_of(seen, quoted=side == "server") if known else (seen.message, seen.actual)
        # The label is part of the key for variants of keys and ids, not for valid reads and for the names of cases.
        variant = intent is not None and not (known and intent.key_kind == "valid")
        named = finding.code, general(finding.pointer), finding.operation
        label = intent.label if intent and variant else ""
        group = groups.setdefault((*named, *kinds[text], label), Group(finding))
        if intent and not intent.label and group.labelled:
            # A request without a label is the simplest one, so it represents the group.
            group.finding = finding
        group.times += 1
        if intent and intent.id and known and side == "server":
            group.ids.add(intent.id)
    return list(groups.values())


def _kind_of(seen: Seen, *, quoted: bool = True) -> tuple[str, str]:
    """Return message and actual value with placeholders for ids, times and states, which vary between reads.

    Small numbers are kept: they may be the difference. Quoted ids are replaced only if ``quoted``, opaque ones always.
    """
    message = _state().sub("of a * batch", seen.message)
    message = _QUOTED.sub(_quoted, message) if quoted else message
    return _TOKEN.sub(_without_id, message), _TOKEN.sub(_without_id, seen.actual)


@cached_by_contract
def _state() -> re.Pattern[str]:
    """Return the pattern for "of a <status> batch" with the statuses of the contract in use."""
    statuses = "|".join(map(re.escape, current_contract().lifecycle.values))
    return re.compile(rf"\bof a (?:{statuses}) batch\b")


def _without_id(match: re.Match[str]) -> str:
    token = match.group()
    return token if token.isdigit() and len(token) < _OPAQUE else _token(match)


_ANYTHING = "*"
#: A quoted id in the messages of checks: after one of these words, or any quoted text that is not a plain name.
_QUOTED = re.compile(r"""(\b(?:of|for|id|batch) )?(?<!\w)(["'])((?:\\.|(?!\2)[^\\\n])*)\2(?!\w)""")
_NAME = re.compile(r"[A-Za-z][A-Za-z_.-]*")
_OBJECT = re.compile(r"\{.*(\})|\{.*", re.DOTALL)
_LOOPBACK = r"127\.0\.0\.1(?![\w-])"
_TOKEN = re.compile(rf"{_LOOPBACK}|[A-Za-z0-9_-]+")
_TIME = re.compile(r"-?[0-9][0-9TtZz-]*")
#: A token of at least this length with letters and digits is taken for an id, without a prefix such as ``batch_``.
_OPAQUE = 8
_PREFIX = re.compile(r"(?:[a-z]{2,7}|[A-Z]{2,7})[_-]")
_CODES = frozenset(str(status.value) for status in HTTPStatus)
_NOT_A_CODE_BEFORE = re.compile(r"(?:[.:/=+-]|[=+,] )\Z")
_NOT_A_CODE_AFTER = re.compile(r"[.:,/][0-9]| (?:ms|s|bytes|characters|requests|times|of|\+|=)(?!\w)")


def _quoted(match: re.Match[str]) -> str:
    word, content = match.group(1) or "", match.group(3)
    if not word and _NAME.fullmatch(content):
        return match.group()
    # The quotes are kept, so that the text after them is matched as before.
    return f"{word}{match.group(2)}{_ANYTHING}{match.group(2)}"


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
    return f"{prefix.group() if prefix else ''}{_ANYTHING}"


def _stands_as_code(match: re.Match[str]) -> bool:
    before, after = match.string[max(0, match.start() - 2) : match.start()], match.string[match.end() :]
    return not _NOT_A_CODE_BEFORE.search(before) and not _NOT_A_CODE_AFTER.match(after)
