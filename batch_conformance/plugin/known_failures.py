"""``--batch-known-failures`` and ``--batch-known-failures-update``: connect the options to ``known_failures``."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from batch_conformance.checks.result import RunResult
from batch_conformance.http.text import log_safe
from batch_conformance.known_failures import (
    KnownFailures,
    KnownFailuresNotWritten,
    MalformedKnownFailures,
    Observations,
    apply_known_failures,
    observe,
    read_known_failures,
    update_known_failures,
)
from batch_conformance.plugin.options import Options, UsageProblem
from batch_conformance.plugin.subjects import Kind

_SHARED_CLAUSES = "cannot be used for a server and recorded traffic in one run: test them separately, a file each"


def check(options: Options, kinds: Collection[Kind] = ()) -> None:
    """Check the file before the run. Raises :class:`UsageProblem`."""
    path = options.known_failures
    if path is None:
        if options.known_failures_update:
            raise UsageProblem("--batch-known-failures-update needs --batch-known-failures FILE")
        return
    known = _read(options, path)
    if options.known_failures_update and not os.access(path.resolve().parent, os.W_OK | os.X_OK):
        raise UsageProblem(f"--batch-known-failures-update: the folder of {known.file} cannot be written to")
    shared = options.known_failures_update or any(entry.clause.startswith("server.") for entry in known.entries)
    if shared and {"server", "recorded"} <= set(kinds):
        raise UsageProblem(f"--batch-known-failures {_SHARED_CLAUSES}")


def apply(run: RunResult, options: Options, selected: Collection[str], note: Path) -> RunResult:
    """Apply the known failures to a run; write the observations for an update to the file ``note``."""
    path = options.known_failures
    if path is None:
        return run
    if options.known_failures_update:
        note.write_text(json.dumps(observe(run, selected)), "utf-8")
    try:
        known = _read(options, path)
    except UsageProblem as problem:
        # The file was valid when the run began.
        return replace(run, error=str(problem))
    warning = "" if options.known_failures_update else _outdated(known, run.subject.side)
    run = replace(run, hints=[*run.hints, warning]) if warning else run
    return apply_known_failures(run, known, today=_today(), selected=selected)


def _outdated(known: KnownFailures, side: str) -> str:
    """Return a warning about entries of a side in the form of version 0.1.0; empty if there are none."""
    numbers = [str(one.number) for one in known.entries if one.outdated and one.clause.startswith(f"{side}.")]
    if not numbers:
        return ""
    which = f"entry {numbers[0]} names its" if len(numbers) == 1 else f"entries {', '.join(numbers)} name their"
    return (
        f"{known.file}: {which} evidence by sentences (message, actual), which the next version does not read: "
        "run with --batch-known-failures-update, which rewrites them"
    )


def update(options: Options, notes: Iterable[Path]) -> list[str]:
    """Update the file to agree with the run; return lines on the changes. Raises :class:`UsageProblem`."""
    path = options.known_failures
    if path is None or not options.known_failures_update:
        return []
    observations: Observations = {}
    for note in notes:
        if note.exists():
            observations |= json.loads(note.read_text("utf-8"))
    try:
        done = update_known_failures(path, observations, today=_today(), shown=_display_name(options, path))
    except (MalformedKnownFailures, KnownFailuresNotWritten) as problem:
        raise UsageProblem(log_safe(str(problem), lines=False)) from None
    return [*done, "the verdict above used the file as it was before"]


def _read(options: Options, path: Path) -> KnownFailures:
    name = _display_name(options, path)
    if options.known_failures_update and not path.exists():
        return KnownFailures(name)
    try:
        return read_known_failures(path, name)
    except MalformedKnownFailures as problem:
        raise UsageProblem(log_safe(f"--batch-known-failures {problem}", lines=False)) from None


def _display_name(options: Options, path: Path) -> str:
    """Return the path relative to the start folder, else the name: reports must not hold absolute paths."""
    return path.relative_to(options.start).as_posix() if path.is_relative_to(options.start) else path.name


def _today() -> date:
    return datetime.now(UTC).date()
