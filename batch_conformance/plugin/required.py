"""``--batch-require``: clauses that a run must exercise, else they fail."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import NOT_TRIED, ClauseResult
from batch_conformance.contract import current_contract
from batch_conformance.plugin.options import Options, UsageProblem
from batch_conformance.plugin.subjects import Kind, side_of

_OPTION = "--batch-require"


def check(options: Options, kinds: Collection[Kind] = ()) -> None:
    """Check that each pattern matches a clause, on the command line one of a subject under test.

    Raises :class:`UsageProblem`.
    """
    clauses = current_contract().clauses
    for pattern in patterns(options):
        matched = [clause for clause in clauses if fnmatchcase(clause, pattern)]
        if not matched:
            hint = _hint(pattern, list(clauses))
            raise UsageProblem(f"{_OPTION} {pattern!r} matches no clause of the contract{hint}")
        # A pattern in the ini file may be meant for another run of the repository.
        sides = {clauses[clause].side for clause in matched}
        if options.require_told and kinds and sides.isdisjoint(side_of(kind) for kind in kinds):
            side, judged = sides.pop(), ", ".join(kinds)
            raise UsageProblem(f"{_OPTION} {pattern!r} names clauses of a {side}, and this run tests: {judged}")


def patterns(options: Options) -> Iterator[str]:
    """Split the option at commas. Raises :class:`UsageProblem` for an empty pattern."""
    for text in options.require:
        for pattern in text.split(","):
            if not pattern.strip():
                raise UsageProblem(f"{_OPTION} {text!r} has an empty pattern: separate patterns by one comma")
            yield pattern.strip()


def apply_required(run: RunResult, options: Options, selected: Collection[str]) -> RunResult:
    """Return the run with required clauses failed that were not exercised.

    Clauses that were not selected fail only if the command line requires them: the ini setting also holds for runs of
    a few clauses.
    """
    wanted = list(patterns(options))
    if not wanted or run.error or run.incomplete:
        return run
    results = [
        _failed(result)
        if result.verdict == "not-exercised"
        and any(fnmatchcase(result.clause.id, pattern) for pattern in wanted)
        and (options.require_told or result.clause.id in selected)
        else result
        for result in run.results
    ]
    return replace(run, results=results)


def _failed(result: ClauseResult) -> ClauseResult:
    finding = Finding(
        f"required by {_OPTION}, and not exercised",
        expected="exercised at least once",
        actual=f"not exercised: {result.reason or NOT_TRIED}",
        code="not-exercised",
    )
    return replace(result, verdict="fail", findings=(finding,))


def _hint(pattern: str, clauses: list[str]) -> str:
    stem = pattern.rstrip(".")
    if any(clause.startswith(f"{stem}.") for clause in clauses):
        return f"; did you mean '{stem}.*'?"
    themes = sorted({clause.rpartition(".")[0] + ".*" for clause in clauses})
    close = get_close_matches(pattern, [*clauses, *themes], n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""
