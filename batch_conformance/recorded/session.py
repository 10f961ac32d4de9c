"""Runs the checks on recorded traffic: from files to verdicts."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from batch_conformance import __version__
from batch_conformance.checks.by_operation import known_operations, untested_hints
from batch_conformance.checks.result import RunResult, Subject
from batch_conformance.checks.verdict import ClauseResult, clause_result, not_selected
from batch_conformance.checks.words import counted
from batch_conformance.contract import Clause, current_contract
from batch_conformance.recorded.clauses import LIVE, recorded_needs
from batch_conformance.recorded.files import find_files, format_name, sample_folder
from batch_conformance.recorded.formats import drafts_of
from batch_conformance.recorded.judging import judge_clause
from batch_conformance.recorded.reading import FILE_LIMIT, Unreadable
from batch_conformance.recorded.recording import BASE, Recording, SetAside, recording_of
from batch_conformance.recorded.redaction import keys_hidden

#: The most files or places named in one sentence.
_NAMED = 12


@dataclass
class RecordedFiles:
    """The contents of all files: exchanges to check, exchanges that cannot be checked, files without any."""

    files: list[str] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    unrelated: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def remarks(self) -> Iterator[str]:
        """Yield the exchanges and files that were not checked, and why."""
        if self.unrelated:
            files = counted(len(self.unrelated), "file")
            yield f"{files} without an exchange of the API: {_listed(self.unrelated)}"
        if self.aside:
            yield f"set aside: {_listed([f'{row.place} ({row.why})' for row in self.aside])}"


def read_files(files: Sequence[Path], folder: Path) -> RecordedFiles:
    """Read recordings; never raises for their contents. Names are relative to ``folder``."""
    contents = RecordedFiles()
    for file in files:
        name = format_name(file, folder)
        contents.files.append(name)
        try:
            drafts = list(drafts_of(_bytes(file), name, file.suffix.lower()))
        except Unreadable as error:
            text = str(error)
            contents.unreadable.append(text if text.startswith(name) else f"{name}: {text}")
            continue
        found = [row for draft in drafts if (row := recording_of(draft))]
        if not found:
            contents.unrelated.append(name)
        contents.recordings += [row for row in found if isinstance(row, Recording)]
        contents.aside += [row for row in found if isinstance(row, SetAside)]
    return contents


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(FILE_LIMIT + 1)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from None


def judge_recorded(
    patterns: Sequence[str] = (),
    *,
    folder: Path,
    selected: Collection[str] | None = None,
    strict: bool = False,
) -> RunResult:
    """Check the recordings that match ``patterns``, relative to ``folder``; without patterns, the samples.

    ``selected`` are the clauses to check; None means all that recordings can exercise. The result has
    ``error`` set if a file cannot be read, or if there is no exchange to check. Raises :class:`NoSuchFiles`.
    """
    began = time.monotonic()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    base = folder if patterns else sample_folder()
    contents = read_files(find_files(patterns or ["."], base), base)
    count = len(contents.recordings)
    run = RunResult(
        _subject(patterns, contents),
        started=started,
        requests=count,
        strict=strict,
        operations=_recorded_operations(contents),
        hints=untested_hints(),
        redactor=keys_hidden(row.exchange.request for row in contents.recordings),
        shell_secrets={"[api-key]": "${SYNC_API_KEY}", BASE: BASE},
    )
    run.error = _error_of(contents)
    chosen = set(recorded_needs()) if selected is None else set(selected)
    run.results = [_result(clause, contents, run, chosen) for clause in current_contract().of_side("server")]
    run.seconds = round(time.monotonic() - began, 3)
    return run


def _recorded_operations(contents: RecordedFiles) -> tuple[str, ...]:
    found = {row.exchange.intent.operation for row in contents.recordings}
    return tuple(name for name in known_operations() if name in found)


def _subject(patterns: Sequence[str], contents: RecordedFiles) -> Subject:
    within = len(contents.files) - len(contents.unrelated) - len(contents.unreadable)
    found = f"({counted(len(contents.recordings), 'exchange')} in {within} of {counted(len(contents.files), 'file')})"
    if not patterns:
        return Subject("server", "the suite's own samples", __version__, f"suites/recorded/samples {found}")
    return Subject("server", "recorded traffic", "", f"{' '.join(patterns)} {found}")


def _error_of(contents: RecordedFiles) -> str:
    if contents.unreadable:
        count = len(contents.unreadable)
        files = "a file cannot be read" if count == 1 else f"{count} files cannot be read"
        return f"{files}: {_listed(contents.unreadable)}; repair, or leave out with --batch-recorded '!FILE'"
    if not contents.recordings:
        remarks = "; ".join(contents.remarks())
        named = " or ".join(f"{row.method} {row.path}" for row in current_contract().operations.values())
        return f"there is nothing to judge: {remarks}; name files with answers of {named} (--batch-recorded)"
    return ""


def _result(clause: Clause, contents: RecordedFiles, run: RunResult, chosen: Collection[str]) -> ClauseResult:
    remarks = "".join(f"; {remark}" for remark in contents.remarks())
    if clause.id not in recorded_needs():
        if run.error and clause.id in chosen:
            return ClauseResult(clause, "error", run.error)
        return ClauseResult(clause, "not-exercised", LIVE + ("" if run.error else remarks))
    if clause.id not in chosen:
        return not_selected(clause)
    result = judge_clause(clause.id, contents.recordings)
    # Failures count, but nothing passes if a file could not be read.
    if run.error and not result.findings:
        return ClauseResult(clause, "error", run.error)
    if clause.id == "server.body.object":
        for remark in contents.remarks():
            result.note(remark)
    return clause_result(clause, result, strict=run.strict)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
