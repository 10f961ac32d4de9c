"""Update of the known-failures file to agree with a run, with its comments and order kept."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from batch_conformance.known_failures.entries import (
    ARRAY,
    DRAFT,
    KnownFailures,
    MalformedKnownFailures,
    parse_known_failures,
    read_text,
)
from batch_conformance.known_failures.patterns import Expected
from batch_conformance.known_failures.plan import Observation, Plan, plan_update
from batch_conformance.known_failures.toml_text import (
    Edit,
    UnknownForm,
    edited,
    element_edits,
    newline_of,
    removal,
    tables_of,
)

#: Days until a drafted entry expires.
DRAFT_DAYS = 90
DRAFT_REASON = f"{DRAFT}: why this may fail for now"
DRAFT_ISSUE = f"{DRAFT}: link to the issue"
_HEAD = """\
# Known failures: what may fail for now, why, and until when (--batch-known-failures).
# Evidence is named by code, pointer and operation, as in the report. An entry with a TODO excuses nothing.
"""


class KnownFailuresNotWritten(OSError):
    """Raised if the file cannot be updated; it is unchanged. The message is one line: file, reason, what to do."""


def update_known_failures(
    path: Path, observations: Mapping[str, Observation], *, today: date, shown: str = ""
) -> list[str]:
    """Update the file to agree with a run, or create it. Return one line for each change.

    Entries whose failure was not found are removed, changed evidence is replaced, message patterns of version 0.1.0
    are rewritten to codes. New failures get a draft, which excuses nothing until a person writes a reason and an issue.
    Reasons, issues and dates are never changed. The file is written atomically, and only if something changes.

    Raises :class:`KnownFailuresNotWritten` and :class:`MalformedKnownFailures`.
    """
    name = shown or str(path)
    before = read_text(path, name) if path.exists() else ""
    known = parse_known_failures(before, name)
    plan = plan_update(known, observations)
    expired = [
        f"{name}: entry {entry.number} ({entry.clause}) expired on {entry.expires}: only a person can renew it"
        for entry in known.entries
        if entry.expired(today) and entry.clause in observations and entry.number not in plan.removed
    ]
    if not plan:
        return [*expired, f"{name}: nothing to change"]
    after = updated_text(before, known, plan, today)
    _write(path, after, name)
    return [*_change_lines(known, plan), *expired]


def updated_text(text: str, known: KnownFailures, plan: Plan, today: date) -> str:
    """Apply the plan to the text of the file. Raises :class:`KnownFailuresNotWritten`."""
    try:
        after = edited(text, _edits(text, known, plan))
        after += _appended(after, plan, today)
        right = tomllib.loads(after) == _intended(text, plan, today)
    except (UnknownForm, tomllib.TOMLDecodeError) as problem:
        raise _not_written(known.file, f"has a form that the update does not know ({problem})") from None
    if not right:
        raise _not_written(known.file, "has a form that the update does not know")
    return after


def _not_written(name: str, why: str) -> KnownFailuresNotWritten:
    advice = f"write entries under [[{ARRAY}]] with evidence = [{{ code = … }}], or edit it by hand"
    return KnownFailuresNotWritten(f"{name} is left as it was: it {why}; {advice}")


def _edits(text: str, known: KnownFailures, plan: Plan) -> Iterable[Edit]:
    tables = tables_of(text, ARRAY)
    if len(tables) != len(known.entries):
        raise UnknownForm(f"entries that are not written under a line [[{ARRAY}]]")
    for number, table in enumerate(tables, 1):
        if number in plan.removed:
            yield removal(text, table)
        elif number in plan.dropped or number in plan.rewritten:
            array = table.arrays.get("evidence")
            if array is None:
                raise UnknownForm(f"entry {number} without a list evidence = […]")
            gained = map(_element, plan.gained.get(number, ()))
            rewritten = {index: [*map(_element, made)] for index, made in plan.rewritten.get(number, {}).items()}
            yield from element_edits(text, array, plan.dropped.get(number, ()), gained, rewritten)


def _appended(text: str, plan: Plan, today: date) -> str:
    parts = []
    if not text.strip():
        parts.append(_HEAD)
    elif not text.endswith("\n"):
        parts.append("\n")
    for clause, evidence in plan.added.items():
        items = "".join(f"  {_element(item)},\n" for item in evidence)
        parts.append(
            f"\n[[{ARRAY}]]\n"
            f"clause = {toml_string(clause)}\n"
            f"evidence = [\n{items}]\n"
            f"reason = {toml_string(DRAFT_REASON)}\n"
            f"issue = {toml_string(DRAFT_ISSUE)}\n"
            f"expires = {_draft_expiry(today)}  # {DRAFT_DAYS} days from the draft: agree on a date\n"
        )
    return "".join(parts).replace("\n", newline_of(text)) if plan.added else ""


def _element(item: Expected) -> str:
    members = ", ".join(f"{name} = {toml_string(value)}" for name, value in item.members.items())
    return f"{{ {members} }}"


def toml_string(text: str) -> str:
    """Quote a text as a TOML basic string in one line; characters of markup and workflow commands are escaped."""
    return '"' + re.sub(r'["\\]|<|(?<=#)#|[^ -~]', _escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    char, code = match.group(), ord(match.group())
    if char in '"\\':
        return "\\" + char
    if char.isprintable() and code > 0x7F:
        return char
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _draft_expiry(today: date) -> date:
    return today + timedelta(days=DRAFT_DAYS)


def _intended(text: str, plan: Plan, today: date) -> dict[str, Any]:
    """Return the value that the updated file must parse to."""
    value = tomllib.loads(text)
    rows = []
    for number, row in enumerate(value.get(ARRAY, []), 1):
        if number in plan.removed:
            continue
        dropped, rewritten = plan.dropped.get(number, ()), plan.rewritten.get(number, {})
        remaining = [
            now
            for index, item in enumerate(row["evidence"])
            if index not in dropped
            for now in ([made.members for made in rewritten[index]] if index in rewritten else [item])
        ]
        row["evidence"] = remaining + [item.members for item in plan.gained.get(number, ())]
        rows.append(row)
    for clause, evidence in plan.added.items():
        rows.append(
            {
                "clause": clause,
                "evidence": [item.members for item in evidence],
                "reason": DRAFT_REASON,
                "issue": DRAFT_ISSUE,
                "expires": _draft_expiry(today),
            }
        )
    return {ARRAY: rows} if rows else {}


def _change_lines(known: KnownFailures, plan: Plan) -> Iterable[str]:
    number = 0
    for entry in known.entries:
        which = f"entry {entry.number} ({entry.clause})"
        if entry.number in plan.removed:
            why = plan.removed[entry.number]
            yield f"{known.file}: removed {which}, {entry.issue}: {why}"
            continue
        number += 1
        if entry.number in plan.gained:
            yield f"{known.file}: changed the evidence of {which}: check that {entry.issue} is still about it"
            continue
        if entry.number in plan.rewritten:
            yield (
                f"{known.file}: rewrote the evidence of {which} from sentences to codes: "
                f"check that {entry.issue} is about all of it"
            )
        if entry.number in plan.dropped:
            why = " or that another piece names as well" if entry.outdated else ""
            yield f"{known.file}: removed evidence of {which} that no longer shows{why}"
    for clause in plan.added:
        number += 1
        yield f"{known.file}: added entry {number} ({clause}) as a draft: give it a reason and an issue"


def _write(path: Path, text: str, name: str) -> None:
    # A symbolic link is followed, and the file keeps its mode.
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            temporary.write_text(text, "utf-8", newline="")
            if path.exists():
                shutil.copymode(path, temporary)
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        raise KnownFailuresNotWritten(f"{name} is left as it was: {reason}; make it writable") from None


__all__ = ["KnownFailuresNotWritten", "MalformedKnownFailures", "toml_string", "update_known_failures"]
