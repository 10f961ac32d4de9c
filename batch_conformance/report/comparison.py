"""Comparison of many reports: implementations side by side, and changes from version to version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from batch_conformance.contract import current_contract
from batch_conformance.report.files import HTML_NAME, JSON_NAME, read_report
from batch_conformance.report.labels import Document, subject_name, theme_of

#: How a verdict compares with that of the previous version; ``other`` is a change without a rank.
Change = Literal["better", "worse", "other"]

#: Rank of a verdict: the higher, the worse.
_WEIGHT = {"pass": 0, "not-exercised": 0, "warn": 1, "fail": 3, "error": 3}


@dataclass(frozen=True)
class Column:
    """One report: a column of the matrix. ``place`` is its folder, ``link`` the relative URL of its page or empty."""

    document: Document
    place: str
    link: str

    @property
    def side(self) -> str:
        """The side: ``server`` or ``client``."""
        return str(self.document["subject"]["side"])

    @property
    def name(self) -> str:
        """The name of the implementation, without its version."""
        return str(self.document["subject"]["name"]) or subject_name(self.document)

    @property
    def version(self) -> str:
        """The version as the implementation reports it."""
        return str(self.document["subject"]["version"])

    def rank(self) -> tuple[object, ...]:
        """Return the sort key of a column: by name, then from the oldest version to the newest."""
        return self.name.casefold(), self.name, version_key(self.version), self.place

    def verdict(self, clause: str) -> str | None:
        """Return the verdict on a clause; None if the report's contract does not have it.

        A failure caused only by an outdated entry of a known-failures file is not counted.
        """
        entry = self._entry(clause)
        if entry is None:
            return None
        if not entry.get("file_at_fault"):
            return str(entry["verdict"])
        return "known-failure" if entry["subject_verdict"] in ("fail", "warn") else str(entry["subject_verdict"])

    def subject_verdict(self, clause: str) -> str | None:
        """Return the verdict on a clause before the known-failures file was applied; None without the clause."""
        entry = self._entry(clause)
        return str(entry.get("subject_verdict", entry["verdict"])) if entry else None

    def _entry(self, clause: str) -> dict[str, Any] | None:
        return next((one for one in self.document["clauses"] if one["id"] == clause), None)

    def change_from(self, before: Column, clause: str) -> Change | None:
        """Compare the verdict on a clause with an earlier report; changes of the known-failures file are ``other``."""
        if before.verdict(clause) == self.verdict(clause):
            return None
        how = change(before.subject_verdict(clause), self.subject_verdict(clause))
        both = before.verdict(clause) is not None and self.verdict(clause) is not None
        return how or ("other" if both else None)


@dataclass(frozen=True)
class Step:
    """Changes between two consecutive versions of an implementation: the clauses whose verdict changed."""

    before: Column
    after: Column
    changes: dict[str, Change]

    def of(self, change: Change) -> list[str]:
        """Return the clauses with this kind of change."""
        return [clause for clause, how in self.changes.items() if how == change]


@dataclass(frozen=True)
class Comparison:
    """All reports of one side, sorted by name and version. ``clauses`` maps clause ids to promises."""

    side: str
    columns: list[Column]
    clauses: dict[str, str]

    @classmethod
    def of(cls, side: str, columns: Iterable[Column]) -> Comparison:
        """Build a comparison from the reports of one side, in any order."""
        ordered = sorted(columns, key=Column.rank)
        clauses = current_contract().clauses.values()
        titles = {clause.id: clause.promise for clause in clauses if clause.side == side}
        for column in ordered:
            for clause in column.document["clauses"]:
                titles.setdefault(clause["id"], clause["title"])
        return cls(side, ordered, titles)

    def names(self) -> dict[str, list[Column]]:
        """Return the columns by name of the implementation."""
        names: dict[str, list[Column]] = {}
        for column in self.columns:
            names.setdefault(column.name, []).append(column)
        return names

    def themes(self) -> dict[str, list[str]]:
        """Return the clause ids by theme."""
        themes: dict[str, list[str]] = {}
        for clause in self.clauses:
            themes.setdefault(theme_of(clause), []).append(clause)
        return themes

    def before(self, column: Column) -> Column | None:
        """Return the report of the previous version of the implementation; None for the oldest version."""
        versions = self.names()[column.name]
        index = next(number for number, one in enumerate(versions) if one is column)
        earlier = [one for one in versions[:index] if one.version != column.version]
        return earlier[-1] if earlier else None

    def steps(self) -> Iterator[Step]:
        """Yield the changes of each version, compared with the previous one."""
        for column in self.columns:
            before = self.before(column)
            if before:
                pairs = ((clause, column.change_from(before, clause)) for clause in self.clauses)
                yield Step(before, column, {clause: how for clause, how in pairs if how})


def change(before: str | None, after: str | None) -> Change | None:
    """Compare two verdicts; None if they are equal or one of them is missing."""
    if before == after or before is None or after is None:
        return None
    # A known failure is still a failure.
    first, second = (_WEIGHT.get(one) for one in (before, after))
    if first is None or second is None:
        return "other" if first != 0 and second != 0 else "worse" if first == 0 else "better"
    if first == second:
        return "other"
    return "better" if second < first else "worse"


def version_key(version: str) -> tuple[tuple[int, ...], bool, list[tuple[int, int, str]]]:
    """Return the sort key of a version: 0.9 before 0.10, and 1.0-rc1 before 1.0."""
    match = re.match(r"v?(\d{1,9}(?:\.\d{1,9})*)", version, re.ASCII | re.IGNORECASE)
    numbers = tuple(int(part) for part in match.group(1).split(".")) if match else ()
    rest = version[match.end() :] if match else version
    parts = [part for part in re.split(r"(\d{1,9})", rest, flags=re.ASCII) if part]
    natural = [(1, int(part), "") if part.isascii() and part.isdigit() else (0, 0, part) for part in parts]
    return numbers, not rest, natural


def read_columns(folder: Path) -> list[Column]:
    """Read every report below ``folder``. Raises ``MalformedReport`` for a file that is not a report."""
    columns = []
    for path in sorted(folder.rglob(JSON_NAME)):
        place = path.parent.relative_to(folder).as_posix()
        link = quote(f"{place}/{HTML_NAME}") if path.with_name(HTML_NAME).exists() else ""
        columns.append(Column(read_report(path), place, link))
    return columns
