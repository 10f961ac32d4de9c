"""Comparison of an older and a newer report: newly broken, fixed, excused and no longer exercised clauses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from batch_conformance.contract.pointers import any_index
from batch_conformance.report.labels import Document, subject_name

Kind = Literal[
    "newly-broken",
    "new-warning",
    "excused",
    "mended",
    "no-longer-exercised",
    "newly-exercised",
    "no-longer-in-the-contract",
]
#: Kinds of change, the most urgent first, with their headings.
HEADINGS: Mapping[Kind, str] = {
    "newly-broken": "Newly broken",
    "new-warning": "New warnings",
    "excused": "Newly excused (known failures)",
    "no-longer-exercised": "No longer exercised",
    "no-longer-in-the-contract": "No longer in the contract",
    "mended": "Mended",
    "newly-exercised": "Newly exercised",
}
_BROKEN = frozenset({"fail", "warn", "known-failure"})
#: Finding codes about the run or its known-failures file, not about the subject.
_RUN_CODES = frozenset({"known-failure", "not-exercised"})
_UNKNOWN = frozenset({"not-exercised", "error"})


class NotComparable(ValueError):
    """Raised for two reports that cannot be compared. The message is one line for the user."""


class NoVerdict(NotComparable):
    """Raised when one of the two runs has the verdict ``error``."""


@dataclass(frozen=True)
class Change:
    """One clause whose verdict changed. ``operation`` is "" unless both reports have verdicts by operation.

    ``before`` and ``after`` are verdicts; None where a report does not have the clause.
    """

    kind: Kind
    clause: str
    operation: str
    level: str
    title: str
    before: str | None
    after: str | None
    reason: str = ""
    evidence: int = 0

    @property
    def name(self) -> str:
        """The clause id, followed by the operation if there is one."""
        return f"{self.clause} ({self.operation})" if self.operation else self.clause


@dataclass(frozen=True)
class Changes:
    """All changes between two reports. ``notes`` are lines about other differences between the runs."""

    old: Document
    new: Document
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    still_broken: tuple[str, ...]

    def of(self, kind: Kind) -> list[Change]:
        """Return the changes of one kind, in the order of the contract."""
        return [change for change in self.changes if change.kind == kind]

    @property
    def broke(self) -> bool:
        """Whether a clause is newly broken."""
        return bool(self.of("newly-broken"))

    def sentence(self) -> str:
        """Summarise the number of changes of each kind in one sentence."""
        parts = [
            f"{len(self.of(kind))} {heading[0].lower() + heading[1:]}"
            for kind, heading in HEADINGS.items()
            if self.of(kind)
        ]
        if self.still_broken:
            parts.append(f"{len(self.still_broken)} still broken")
        return (", ".join(parts) or "no verdict changed") + "."


def compare_reports(old: Document, new: Document) -> Changes:
    """Compare two reports.

    Raises :class:`NotComparable` for reports of different sides, :class:`NoVerdict` for a run without a verdict.
    """
    sides = [document["subject"]["side"] for document in (old, new)]
    if sides[0] != sides[1]:
        raise NotComparable(
            f"the old report is of a {sides[0]}, the new one of a {sides[1]}: there is nothing to compare"
        )
    for word, document in (("old", old), ("new", new)):
        if document["verdict"] == "error":
            why = document["run"].get("error") or "the run was interrupted"
            raise NoVerdict(f"the {word} report has no verdict ({why}): there is nothing to compare")
    before = {entry["id"]: entry for entry in old["clauses"]}
    after = {entry["id"]: entry for entry in new["clauses"]}
    ids = [*after, *(clause for clause in before if clause not in after)]
    asked = [frozenset(document["run"].get("operations", ())) for document in (old, new)]
    rows = ((before.get(clause), after.get(clause)) for clause in ids)
    changes = tuple(change for first, second in rows for change in _of_clause(first, second, asked))
    still = tuple(
        clause
        for clause in ids
        if clause in before
        and clause in after
        and before[clause]["verdict"] in _BROKEN
        and after[clause]["verdict"] in _BROKEN
        and not any(change.clause == clause and change.kind in ("newly-broken", "new-warning") for change in changes)
    )
    notes = [*_notes(old, new), *(note for one in still for note in _new_failures(before[one], after[one]))]
    return Changes(old, new, changes, tuple(notes), still)


def _new_failures(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield one note if a clause that is still broken has failures that the older report does not have."""
    if old.get("evidence_omitted") or not all("code" in item for item in (*old["evidence"], *new["evidence"])):
        return
    seen = {_failure_key(item) for item in old["evidence"]}
    keys = dict.fromkeys(map(_failure_key, new["evidence"]))
    new_keys = [key for key in keys if key not in seen and key[0] not in _RUN_CODES]
    if new_keys:
        ways = ", ".join(f"{code} at {pointer}" if pointer else code for code, pointer, _ in new_keys)
        yield f"{new['id']} is still broken, and with failures that it did not have before: {ways}"


def _failure_key(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the key by which two pieces of evidence are the same failure, whatever their messages say."""
    return item["code"], any_index(item["pointer"]), item["operation"]


def _of_clause(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, asked: Sequence[Collection[str]]
) -> Iterator[Change]:
    """Yield the changes of one clause. ``asked`` are the operations of the two runs."""
    entry = new or old
    assert entry is not None
    rows: dict[str, tuple[str | None, str | None]] = {}
    whole = not (old and new and old.get("operations") and new.get("operations"))
    if old and new and not whole:
        # Compared by operation: a clause broken for one operation may be newly broken for another.
        for name in {**old["operations"], **new["operations"]}:
            verdicts = (old["operations"].get(name), new["operations"].get(name))
            left_out = [bool(run) and name not in run for run in asked]
            before, after = ("not-exercised" if out else one for out, one in zip(left_out, verdicts, strict=True))
            # That a run did not ask for an operation is in the notes; here, only what was or is broken.
            if not any(left_out) or not _BROKEN.isdisjoint((before, after)):
                rows[name] = before, after
        whole = asked[0] == asked[1] and not any(kind_of_change(*row) for row in rows.values())
    if whole:
        rows = {"": (old["verdict"] if old else None, new["verdict"] if new else None)}
    for operation, (before, after) in rows.items():
        kind = kind_of_change(before, after)
        if kind:
            reason, evidence = _summary(entry, operation)
            yield Change(kind, entry["id"], operation, entry["level"], entry["title"], before, after, reason, evidence)


def _summary(entry: Mapping[str, Any], operation: str) -> tuple[str, int]:
    """Return the message of the first evidence on a clause and its number from 1, else the reason and 0."""
    for number, item in enumerate(entry["evidence"], 1):
        if not operation or item.get("operation") in (operation, None):
            return item["message"], number
    return entry["reason"], 0


def kind_of_change(before: str | None, after: str | None) -> Kind | None:
    """Return the kind of a change of verdict; None if there is nothing to report."""
    if before == after:
        return None
    if after is None:
        return None if before in _UNKNOWN else "no-longer-in-the-contract"
    if after in _UNKNOWN:
        return None if before is None or before in _UNKNOWN else "no-longer-exercised"
    if after == "known-failure":
        return "excused"
    if after == "fail":
        # A broken "should" that only --batch-strict turns into a failure is not newly broken.
        return None if before == "warn" else "newly-broken"
    if after == "warn":
        return None if before == "fail" else "new-warning"
    return "mended" if before in _BROKEN else "newly-exercised"


def _notes(old: Document, new: Document) -> Iterator[str]:
    first, second = subject_name(old), subject_name(new)
    if old["subject"]["name"] != new["subject"]["name"]:
        yield f"the subjects have different names: {first}, then {second}"
    elif first != second:
        yield f"{first}, then {second}"
    if old["contract"]["sha256"] != new["contract"]["sha256"]:
        versions = [
            f"{document['contract']['version']} ({document['contract']['sha256'][:8]})" for document in (old, new)
        ]
        yield f"the contracts differ: {versions[0]}, then {versions[1]}; a clause may promise something else"
    for name in ("profile", "strict", "operations"):
        values = [document["run"].get(name) for document in (old, new)]
        if values[0] != values[1]:
            yield f"the runs differ in {name}: {_formatted(values[0])}, then {_formatted(values[1])}"
    for word, document in (("old", old), ("new", new)):
        if document["verdict"] == "partial":
            yield f"the {word} run tested only some clauses"


def _formatted(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
