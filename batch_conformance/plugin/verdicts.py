"""Verdicts of a pytest run: each subject is tested once, when the first test of it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from batch_conformance.plugin import baseline, judging, known_failures, required
from batch_conformance.plugin.hosts import obstacle, unfit
from batch_conformance.plugin.options import Options, UsageProblem, read_options, unused_options
from batch_conformance.plugin.progress import progress_line
from batch_conformance.plugin.sharing import (
    is_worker,
    note_reached,
    note_selection,
    note_wrong_usage,
    reached,
    selection,
    shared_folder,
    typed_options,
    wrong_usage,
)
from batch_conformance.plugin.subjects import KINDS, Kind, kind_of
from batch_conformance.plugin.usage import unnamed_subject_problem, unused_options_problem
from batch_conformance.report.changes_text import changes_markdown
from batch_conformance.report.document import check_document, report_document
from batch_conformance.report.files import ReportNotWritten, prepare_folder, write_document, write_whole
from batch_conformance.report.partial import is_partial, without_unreached

if TYPE_CHECKING:
    from batch_conformance.report.changes import Changes
    from batch_conformance.report.labels import Document

PASSED, FAILED, INTERRUPTED, COULD_NOT_RUN, WRONG_USAGE = 0, 1, 2, 3, 4
_NO_TESTS = 5


class Verdicts:
    """Tests subjects on demand and caches their reports as redacted documents."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._folder = shared_folder(config)
        self._documents: dict[Kind, Document] = {}
        self.selected: dict[Kind, set[str]] = {}
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.written: dict[Kind, list[Path]] = {}
        self.changes: dict[Kind, Changes] = {}

    @cached_property
    def options(self) -> Options:
        """The options of the run. Raises :class:`UsageProblem`."""
        return read_options(self._config)

    @property
    def place(self) -> str:
        """The folder of the reports, relative to the folder that pytest was started in."""
        return Path(os.path.relpath(self.options.report, self.options.start)).as_posix()

    def check_usage(self) -> None:
        """Check all options that need no selection. Raises ``pytest.UsageError``: exit status 4, one line."""
        try:
            judging.check(self.options)
            known_failures.check(self.options)
            required.check(self.options)
            baseline.check(self.options)
            prepare_folder(self.options.report)
            if self.options.trace is not None:
                prepare_folder(self.options.trace.parent)
        except (UsageProblem, ReportNotWritten) as problem:
            raise pytest.UsageError(str(problem)) from None

    def select(self, session: pytest.Session, ours: Collection[tuple[pytest.Item, pytest.Mark]]) -> None:
        """Record the clauses of the collected tests, and check that their subjects can be tested."""
        kinds = [(item, kind_of(mark.args[0], mark)) for item, mark in ours]
        for (_, mark), (_, kind) in zip(ours, kinds, strict=True):
            self.selected.setdefault(kind, set()).add(mark.args[0])
        note_selection(self._config, self.selected)
        if self._config.option.collectonly:
            return
        problem = unused_options_problem(typed_options(self._config), self.selected)
        problem = problem or unnamed_subject_problem(self._config, kinds)
        if problem:
            self.refuse(session, problem)
        try:
            judging.check_values(self.selected, self.options)
        except UsageProblem as error:
            self.refuse(session, str(error))
        if not is_worker(self._config):
            if reason := unfit(self._config):
                pytest.exit(reason, COULD_NOT_RUN)
            self.check_usage()
            try:
                for kind in self.selected:
                    judging.check_kind(kind, self.options)
                judging.check_mutant(self.selected, self.options)
                known_failures.check(self.options, self.selected)
                required.check(self.options, self.selected)
                baseline.check(self.options, self.selected)
            except UsageProblem as error:
                raise pytest.UsageError(str(error)) from None

    def refuse(self, session: pytest.Session, problem: str) -> None:
        """End the run for wrong usage, before anything is tested. Raises ``pytest.UsageError``."""
        if not is_worker(self._config):
            raise pytest.UsageError(problem)
        # A worker cannot report it: it runs nothing, and the controller reports the problem.
        note_wrong_usage(self._config, problem)
        session.items.clear()

    def clause(self, kind: Kind, clause: str) -> dict[str, Any]:
        """Return the report's entry on a clause for its test; tests the subject first if needed."""
        document = self.document(kind)
        note_reached(self._config, kind, clause)
        return next(entry for entry in document["clauses"] if entry["id"] == clause)

    def document(self, kind: Kind) -> Document:
        """Return the report on a subject; tests it first if no process has done so."""
        if kind not in self._documents:
            cached = self._folder / f"{kind}.json"
            with FileLock(f"{cached}.lock"):
                if cached.exists():
                    self._documents[kind] = json.loads(cached.read_text("utf-8"))
                else:
                    self._documents[kind] = self._judge(kind, cached)
        return self._documents[kind]

    def _judge(self, kind: Kind, cached: Path) -> Document:
        interrupted: KeyboardInterrupt | None = None
        progress = progress_line(self._config, kind)
        try:
            reason = obstacle(self._config, kind, self.options)
            run = (
                judging.could_not_run(kind, self.options, self.selected[kind], reason)
                if reason
                else judging.judge(kind, self.options, self.selected[kind], progress)
            )
        except judging.Interrupted as stop:
            run, interrupted = stop.run, KeyboardInterrupt()
        finally:
            if progress is not None:
                progress.close()
        run = known_failures.apply(run, self.options, self.selected[kind], self._observed(kind))
        if self.options.trace is not None:
            # Imported here: few runs are traced.
            from batch_conformance.report.har import har_page

            cached.with_name(f"{kind}-trace.json").write_text(json.dumps(har_page(run, kind)), "utf-8")
        run = required.apply_required(run, self.options, self.selected[kind])
        document = report_document(run)
        check_document(document)
        cached.write_text(json.dumps(document), "utf-8")
        if interrupted is not None:
            raise interrupted
        return document

    def _observed(self, kind: Kind) -> Path:
        """Return the path of the observations for an update of the known failures."""
        return self._folder / f"{kind}-observed.json"

    def judged(self) -> dict[Kind, Document]:
        """Return all reports, including those of workers."""
        for kind in KINDS:
            cached = self._folder / f"{kind}.json"
            if kind not in self._documents and cached.exists():
                self._documents[kind] = json.loads(cached.read_text("utf-8"))
        return {kind: self._documents[kind] for kind in KINDS if kind in self._documents}

    def finish(self, status: int) -> int:
        """Write the reports; return the exit status, which agrees with them."""
        if status == WRONG_USAGE:
            return status
        wrong = wrong_usage(self._config)
        if wrong:
            self.problems.append(wrong)
            return WRONG_USAGE
        selected = selection(self._config)
        documents = self.judged()
        for kind, document in documents.items():
            # The run may have been stopped early: only clauses whose tests ran count as selected.
            unreached = selected.get(kind, set()) - reached(self._config, kind)
            self._documents[kind] = documents[kind] = without_unreached(document, unreached)
        for option in unused_options(self._config, documents) if documents else ():
            self.notes.append(f"{option} was unused in this run, which tested: {', '.join(documents)}")
        try:
            # Before the reports are written: one of them may overwrite the baseline.
            if documents:
                # Under xdist the controller learns only now which subjects were tested.
                required.check(self.options, list(documents))
                baseline.check(self.options, list(documents))
            self.changes, notes = baseline.compare(self.options, documents)
            self.notes += notes
        except UsageProblem as problem:
            self.problems.append(str(problem))
        for document in documents.values():
            self.notes += document["run"].get("hints", ())
        self._write(documents, several=len(documents | selected) > 1)
        for kind, changes in self.changes.items():
            for path in self.written.get(kind, ()):
                if path.suffix == ".md":
                    baseline.add_to_markdown(path, list(changes_markdown(changes, level=2)))
        try:
            self._write_trace(documents)
            self.notes += known_failures.update(self.options, map(self._observed, documents))
        except (UsageProblem, ReportNotWritten) as problem:
            self.problems.append(str(problem))
        if self.problems:
            return WRONG_USAGE
        return self._status(status, documents, selected)

    def _write(self, documents: Mapping[Kind, Document], *, several: bool) -> None:
        for kind, document in documents.items():
            # A partial run must not overwrite the last full report.
            folder = self.options.report / "partial" if is_partial(document) else self.options.report
            try:
                self.written[kind] = write_document(document, folder / kind if several else folder)
            except ReportNotWritten as problem:
                self.problems.append(str(problem))

    def _status(self, status: int, documents: Mapping[Kind, Document], selected: Mapping[Kind, Collection[str]]) -> int:
        verdicts = {document["verdict"] for document in documents.values()}
        if status == INTERRUPTED and "fail" in verdicts and "error" not in verdicts:
            # Not interrupted by the user: pytest-xdist and --stepwise end a run like this after a failure.
            return FAILED
        if status not in (PASSED, FAILED, _NO_TESTS):
            return status
        if "error" in verdicts:
            return COULD_NOT_RUN
        if "fail" in verdicts:
            return FAILED
        if selected and not documents:
            self.problems.append("no clause was tested, so there is no verdict")
            return COULD_NOT_RUN
        return status

    def _write_trace(self, documents: Collection[Kind]) -> None:
        """Write the exchanges of all subjects into one file. Raises ``ReportNotWritten``."""
        if self.options.trace is None:
            return
        from batch_conformance.report.har import har_text

        traces = [self._folder / f"{kind}-trace.json" for kind in documents]
        parts = [json.loads(path.read_text("utf-8")) for path in traces if path.exists()]
        write_whole(self.options.trace, har_text(parts))
