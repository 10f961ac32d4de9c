"""The result of a run against one subject, as the reports read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batch_conformance.checks.verdict import ClauseResult, RunVerdict, run_verdict
from batch_conformance.contract import Side
from batch_conformance.http import Exchange, Redactor
from batch_conformance.http.recipe import Piece


@dataclass(frozen=True)
class Subject:
    """What was tested: its name and version, and how it was reached (a URL or a client specification)."""

    side: Side
    name: str
    version: str
    target: str


class CouldNotRun(Exception):
    """The subject could not be judged: exit status 3. The message is the one line that the user sees."""


@dataclass
class RunResult:
    """Everything a report is made from.

    ``started`` is an RFC 3339 time, ``seconds`` a duration. ``error`` says why the subject could not be
    judged, if so. ``budget`` caps the requests (None: no cap); ``rate_limited`` counts the 429s that were
    waited out. ``left_behind`` describes in one line what a client in this process did not close.
    ``shell_secrets`` maps a secret to the shell expression that yields it, for curl lines; it is never shown.
    ``recipes`` maps a secret to the steps that yield it in a replay. ``exchanges`` are all of the run,
    unredacted. ``hints`` are lines for the user that change no verdict. ``api_key_env`` names the variable of
    the key, ``ca`` is the file of ``--batch-ca``, ``mutant`` the variant of the embedded server or client.
    ``operations`` are those that were tested.
    """

    subject: Subject
    results: list[ClauseResult] = field(default_factory=list)
    started: str = ""
    seconds: float = 0.0
    requests: int = 0
    profile: str = "default"
    seed: int = 0
    strict: bool = False
    budget: int | None = None
    rate_limited: int = 0
    hints: list[str] = field(default_factory=list)
    error: str = ""
    incomplete: bool = False
    left_behind: str = ""
    redactor: Redactor = field(default_factory=Redactor)
    shell_secrets: Mapping[str, str] = field(default_factory=dict)
    recipes: Mapping[str, Piece] = field(default_factory=dict)
    exchanges: Sequence[Exchange] = ()
    api_key_env: str = ""
    ca: Path | None = None
    mutant: str = ""
    operations: tuple[str, ...] = ()

    @property
    def verdict(self) -> RunVerdict:
        """``error`` if the subject could not be judged or the run was interrupted, else by clauses."""
        if self.error or self.incomplete:
            return "error"
        partial = any(not result.selected for result in self.results)
        return run_verdict((result.verdict for result in self.results), partial=partial)
