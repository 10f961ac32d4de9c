"""The verdicts of a pytest run: each side is judged once, when its first clause is asked for."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from batch_conformance.contract import Side, load_contract
from batch_conformance.plugin import judging
from batch_conformance.plugin.options import Options, UsageProblem, read_options
from batch_conformance.plugin.sharing import is_worker, shared_folder
from batch_conformance.report.document import check_document, report_document
from batch_conformance.report.files import ReportNotWritten, prepare_folder, write_document

if TYPE_CHECKING:
    from batch_conformance.report.words import Document

SIDES: tuple[Side, ...] = ("server", "client")
PASSED, FAILED, COULD_NOT_RUN, WRONG_USAGE = 0, 1, 3, 4
_NO_TESTS = 5


class Verdicts:
    """Judges sides on demand and keeps their reports (as documents, redacted: no key is in them)."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._folder = shared_folder(config)
        self._documents: dict[Side, Document] = {}
        self.selected: dict[Side, set[str]] = {}
        self.problems: list[str] = []
        self.written: dict[Side, list[Path]] = {}

    @cached_property
    def options(self) -> Options:
        """The options in force. Raises :class:`UsageProblem`."""
        return read_options(self._config)

    def check_usage(self) -> None:
        """Turn wrong usage into pytest's exit status 4, with one line."""
        try:
            judging.check(self.options)
            prepare_folder(self.options.report)
        except (UsageProblem, ReportNotWritten) as problem:
            raise pytest.UsageError(str(problem)) from None

    def select(self, clauses: Collection[str]) -> None:
        """Note which clauses the collected tests are about, and check that they can be judged at all."""
        known = load_contract().clauses
        for clause in clauses:
            self.selected.setdefault(known[clause].side, set()).add(clause)
        if not is_worker(self._config) and not self._config.option.collectonly:
            self.check_usage()
            try:
                for side in self.selected:
                    judging.check_side(side, self.options)
                judging.check_mutant(self.selected, self.options)
            except UsageProblem as problem:
                raise pytest.UsageError(str(problem)) from None

    def clause(self, clause: str) -> dict[str, Any]:
        """The report's entry on a clause; judges its side if that has not been done."""
        document = self.document(load_contract().clauses[clause].side)
        return next(entry for entry in document["clauses"] if entry["id"] == clause)

    def document(self, side: Side) -> Document:
        """The report on a side."""
        if side not in self._documents:
            kept = self._folder / f"{side}.json"
            with FileLock(f"{kept}.lock"):
                if kept.exists():
                    self._documents[side] = json.loads(kept.read_text("utf-8"))
                else:
                    self._documents[side] = self._judge(side, kept)
        return self._documents[side]

    def _judge(self, side: Side, kept: Path) -> Document:
        interrupted: KeyboardInterrupt | None = None
        try:
            run = judging.judge(side, self.options, self.selected[side])
        except judging.Interrupted as stop:
            run, interrupted = stop.run, KeyboardInterrupt()
        document = report_document(run)
        check_document(document)
        kept.write_text(json.dumps(document), "utf-8")
        if interrupted is not None:
            raise interrupted
        return document

    def judged(self) -> dict[Side, Document]:
        """The reports there are, also those that workers made."""
        for side in SIDES:
            kept = self._folder / f"{side}.json"
            if side not in self._documents and kept.exists():
                self._documents[side] = json.loads(kept.read_text("utf-8"))
        return {side: self._documents[side] for side in SIDES if side in self._documents}

    def finish(self, status: int) -> int:
        """Write the reports; returns the exit status of the run."""
        documents = self.judged()
        for side, document in documents.items():
            folder = self.options.report / side if len(documents) > 1 else self.options.report
            try:
                self.written[side] = write_document(document, folder)
            except ReportNotWritten as problem:
                self.problems.append(str(problem))
        if self.problems:
            return WRONG_USAGE
        if status not in (PASSED, FAILED, _NO_TESTS):
            return status
        verdicts = {document["verdict"] for document in documents.values()}
        if "error" in verdicts:
            return COULD_NOT_RUN
        if "fail" in verdicts:
            return FAILED
        if self.selected and not documents:
            self.problems.append("no clause was judged: nothing ran, so nothing conforms")
            return COULD_NOT_RUN
        return status
