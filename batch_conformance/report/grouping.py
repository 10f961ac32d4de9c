"""Groups equal findings: one entry with the number of times, and of batches."""

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
    """Equal findings, represented by the first. ``ids`` are the known batches that they are about."""

    finding: Finding
    times: int = 0
    ids: set[str] = field(default_factory=set)

    @property
    def labelled(self) -> bool:
        """Whether the request was special in some way."""
        return bool(self.finding.exchange and self.finding.exchange.intent.label)

    @property
    def batches(self) -> int:
        """The number of known batches concerned; 0 if findings are not about known batches."""
        return len(self.ids)


def grouped(findings: Iterable[Finding], redactor: Redactor, side: Side) -> list[Group]:
    """Group findings that differ only in ids, times and states, in their order.

    What a known-failures file tells apart stays apart: code, place and operation are parts of the key. Different
    variants of a key or of an id stay apart. A client is asked for another batch each time: it has no number of them.
    """
    groups: dict[tuple[str, ...], Group] = {}
    kinds: dict[tuple[str, str, bool], tuple[str, str]] = {}
    for finding in findings:
        intent = finding.exchange.intent if finding.exchange else None
        # For an id that the suite made up, the id is what the finding is about.
        known = intent is None or intent.id_kind == "known"
        text = (finding.message, finding.actual, known)
        if text not in kinds:
            seen = seen_of(finding, redactor)
            kinds[text] = _kind_of(seen, quoted=side == "server") if known else (seen.message, seen.actual)
        # Variants of keys and ids are what a finding is about; how a valid read was sent, or a case is called, is not.
        variant = intent is not None and not (known and intent.key_kind == "valid")
        named = finding.code, general(finding.pointer), finding.operation
        label = intent.label if intent and variant else ""
        group = groups.setdefault((*named, *kinds[text], label), Group(finding))
        if intent and not intent.label and group.labelled:
            # The plainest request shows it best.
            group.finding = finding
        group.times += 1
        if intent and intent.id and known and side == "server":
            group.ids.add(intent.id)
    return list(groups.values())


def _kind_of(seen: Seen, *, quoted: bool = True) -> tuple[str, str]:
    """The evidence without the ids, times and states that vary from one batch or read to the next.

    What is long, an object or a small number stays: that may be what differs. Ids in quotes are left out only if
    ``quoted``, those that are opaque always.
    """
    message = _state().sub("of a * batch", seen.message)
    message = _QUOTED.sub(_quoted, message) if quoted else message
    return _TOKEN.sub(_without_id, message), _TOKEN.sub(_without_id, seen.actual)


@cached_by_contract
def _state() -> re.Pattern[str]:
    """Which states turn up depends on the batches that a server happens to have."""
    statuses = "|".join(map(re.escape, current_contract().lifecycle.values))
    return re.compile(rf"\bof a (?:{statuses}) batch\b")


def _without_id(match: re.Match[str]) -> str:
    token = match.group()
    return token if token.isdigit() and len(token) < _OPAQUE else _token(match)


_ANYTHING = "*"
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
