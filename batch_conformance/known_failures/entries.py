"""Reader of the known-failures file: valid entries, or an error of one line."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from batch_conformance.checks.codes import known_codes
from batch_conformance.contract import SchemaViolation, current_contract, schema_violations
from batch_conformance.http.text import cut, visible
from batch_conformance.known_failures.patterns import Evidence, Expected, Sentence
from batch_conformance.known_failures.sentences import ANYTHING

ARRAY = "known_failure"
DRAFT = "TODO"


class MalformedKnownFailures(ValueError):
    """Raised for an invalid file. The message is one line: the file, the entry, the problem, what to do."""


@dataclass(frozen=True)
class KnownFailure:
    """One entry of the file; ``number`` is its position, from 1."""

    number: int
    clause: str
    evidence: tuple[Evidence, ...]
    reason: str
    issue: str
    expires: date

    @property
    def draft(self) -> bool:
        """Whether reason or issue are still placeholders: such an entry excuses nothing."""
        return self.reason.lstrip().startswith(DRAFT) or self.issue.startswith(DRAFT)

    @property
    def outdated(self) -> bool:
        """Whether the entry names evidence by patterns for messages, as in files of version 0.1.0."""
        return any(isinstance(item, Sentence) for item in self.evidence)

    def expired(self, today: date) -> bool:
        """Whether the last day of the entry is over."""
        return today > self.expires


@dataclass(frozen=True)
class KnownFailures:
    """The entries of one file, in their order; ``file`` is its name in messages."""

    file: str
    entries: tuple[KnownFailure, ...] = ()

    def of(self, clause: str) -> list[KnownFailure]:
        """Return the entries for one clause."""
        return [entry for entry in self.entries if entry.clause == clause]

    def place(self, entry: KnownFailure) -> str:
        """Return file and number of an entry, for messages."""
        return f"{self.file}, entry {entry.number}"


def read_known_failures(path: Path, shown: str = "") -> KnownFailures:
    """Read the file; ``shown`` is its name in messages (default: the path).

    Raises :class:`MalformedKnownFailures`, also if the file does not exist.
    """
    name = _short(shown or str(path))
    return parse_known_failures(read_text(path, name), name)


def read_text(path: Path, name: str) -> str:
    """Return the text of the file, with its line breaks unchanged. Raises :class:`MalformedKnownFailures`."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        advice = "correct the path, or let --batch-known-failures-update write the file"
        raise MalformedKnownFailures(f"{name}: no such file; {advice}") from None
    except UnicodeDecodeError as error:
        raise MalformedKnownFailures(f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise MalformedKnownFailures(f"{name}: {reason}; make it a file that can be read") from None


def parse_known_failures(text: str, name: str) -> KnownFailures:
    """Parse the entries in a text. Raises :class:`MalformedKnownFailures`."""
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MalformedKnownFailures(f"{name} is not TOML: {_short(str(error))}; correct it there") from None
    except RecursionError:
        raise MalformedKnownFailures(f"{name} is nested too deeply; write [[{ARRAY}]] entries") from None
    violations = list(schema_violations("known-failures", _as_json(value)))
    if violations:
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        raise MalformedKnownFailures(f"{name}{_describe(violations[0])}{more}")
    rows: list[dict[str, Any]] = value.get(ARRAY, [])
    return KnownFailures(name, tuple(_entry(name, number, row) for number, row in enumerate(rows, 1)))


def _entry(name: str, number: int, row: dict[str, Any]) -> KnownFailure:
    place = f"{name}, entry {number}"
    expires = row["expires"]
    if not isinstance(expires, date):
        raise MalformedKnownFailures(f"{place}: expires is a text; {_ADVICE['expires']}")
    known = current_contract().clauses
    if row["clause"] not in known:
        near = get_close_matches(row["clause"], known, 1)
        advice = f"is it {near[0]}? Else remove the entry" if near else "correct or remove the entry"
        raise MalformedKnownFailures(f"{place}: the contract has no clause {_short(row['clause'])}; {advice}")
    evidence = tuple(_evidence(place, index, item) for index, item in enumerate(row["evidence"], 1))
    return KnownFailure(number, row["clause"], evidence, row["reason"], row["issue"], expires)


def _evidence(place: str, index: int, item: dict[str, str]) -> Evidence:
    if "message" in item:
        return Sentence(item["message"], item.get("actual", ANYTHING))
    for member, known in (("code", known_codes()), ("operation", current_contract().operations)):
        value = item.get(member)
        if value is not None and value not in known:
            near = get_close_matches(value, known, 1)
            hint = f"is it {near[0]}? " if near else ""
            raise MalformedKnownFailures(
                f"{place}: no finding has the {member} {_short(value)} (item {index} of evidence); "
                f"{hint}{_ADVICE[member]}"
            )
    return Expected(item["code"], item.get("pointer", ""), item.get("operation", ""))


#: Advice by invalid member.
_ADVICE = {
    ARRAY: f"write each entry under a line [[{ARRAY}]]",
    "clause": "write the id of a clause, such as server.body.id",
    "evidence": 'write a list such as [{ code = "type", pointer = "/id", operation = "get" }]',
    "code": "write the code of the finding as the report's evidence has it",
    "pointer": "write the pointer as the report's evidence has it, such as /id, or leave it out if that is empty",
    "operation": "write the operation as the report's evidence has it, such as get, or leave it out for any",
    "message": "write the finding's message as the report shows it; only * would excuse any failure",
    "actual": "write what came as the report shows it, or leave actual out",
    "reason": "say why the clause may fail for now",
    "issue": "write a link that begins with http:// or https://",
    "expires": "write a date without quotes, such as 2027-01-31",
}
_WHOLE = (
    "an entry has clause, evidence (a list of code, pointer and operation), reason, issue and expires, and nothing else"
)


def _describe(violation: SchemaViolation) -> str:
    path = list(violation.path)
    entry = f", entry {path[1] + 1}" if len(path) > 1 and isinstance(path[1], int) else ""
    names = [str(part) for part in path if isinstance(part, str)]
    if violation.expected.startswith(("required", "additionalProperties")):
        advice = _WHOLE if entry else _ADVICE[ARRAY]
        return f"{entry}: {_short(violation.message)}; {advice}"
    member = names[-1] if names and (entry or names == [ARRAY]) else ARRAY
    item = f" (item {path[3] + 1} of evidence)" if len(path) > 3 and isinstance(path[3], int) else ""
    if member == ARRAY and entry:
        return f"{entry}: {_value(violation.actual)} is not an entry; {_WHOLE}"
    return f"{entry}: {member}{item} cannot be {_value(violation.actual)}; {_ADVICE.get(member, _WHOLE)}"


def _value(value: object) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list" if value else "an empty list"
    return _short(repr(value) if isinstance(value, str) else str(value))


def _short(text: str) -> str:
    return cut(visible(text, lines=False), 200)


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list) else value
