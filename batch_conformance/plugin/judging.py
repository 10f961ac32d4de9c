"""Test of one subject by the options: opens the target or client, runs the checks, closes it."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from batch_conformance import __version__
from batch_conformance.checks.result import CouldNotRun, RunResult, Subject
from batch_conformance.checks.verdict import ClauseResult, unselected
from batch_conformance.contract import current_contract
from batch_conformance.plugin.hosts import blocker
from batch_conformance.plugin.options import Options, UsageProblem
from batch_conformance.plugin.subjects import Kind, side_of
from batch_conformance.report.command import extra_line

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

    from batch_conformance.client_runner.call import ClientUnderTest
    from batch_conformance.server_runner.target import Target


class Progress(Protocol):
    """Callback with the number of requests (or cases) that are done, and once with the expected total."""

    def __call__(self, done: int, /) -> None:
        """Report the number that is done."""

    def expect(self, total: int) -> None:
        """Report the expected total, as soon as it is known."""


class Interrupted(Exception):
    """Raised if the user stopped the run; ``run`` is the result so far, marked incomplete."""

    def __init__(self, run: RunResult) -> None:
        super().__init__("interrupted")
        self.run = run


def check(options: Options) -> None:
    """Check the options that need no server or client. Raises :class:`UsageProblem`."""
    from batch_conformance.server_runner.target import UsageError, parse_rate

    try:
        if options.rate is not None:
            parse_rate(options.rate)
        if options.target != "embedded":
            _resolved(options)
    except UsageError as error:
        raise UsageProblem(str(error)) from None


def check_kind(kind: Kind, options: Options) -> None:
    """Check the options for a kind of subject. Raises :class:`UsageProblem`."""
    if kind == "server":
        check(options)
        if options.target == "embedded" and options.batch_ids:
            raise UsageProblem("--batch-id needs a --batch-target; the embedded server has its own batches")
    if kind == "client":
        from batch_conformance.client_runner.open import check_spec

        try:
            check_spec(options.client, options.transport)
        except ValueError as error:
            raise UsageProblem(f"{error} (--batch-client)") from None
    if kind == "recorded" and options.recorded:
        from batch_conformance.recorded import NoSuchFiles, find_files

        try:
            find_files(options.recorded, options.start)
        except NoSuchFiles as error:
            raise UsageProblem(str(error)) from None


def check_values(kinds: Collection[Kind], options: Options) -> None:
    """Check that values for the edited contract can be generated, if needed. Raises :class:`UsageProblem`."""
    needed = "client" in kinds or ("server" in kinds and options.target == "embedded")
    if not needed or not current_contract().overlays:
        return
    from batch_conformance.generate.satisfiable import NoValidValue, require_values

    try:
        require_values(current_contract())
        if "server" in kinds and options.target == "embedded":
            from batch_conformance.reference.edited import edited_batches

            edited_batches()
    except NoValidValue as error:
        raise UsageProblem(f"{error} (--batch-overlay)") from None


def check_mutant(kinds: Collection[Kind], options: Options) -> None:
    """Check that one of the subjects under test has the mutant. Raises :class:`UsageProblem`."""
    if options.mutant is None:
        return
    from batch_conformance.mutants import variants

    names: set[str] = set()
    for kind in kinds:
        if kind == "recorded":
            continue
        chosen = options.target if kind == "server" else options.client
        if chosen != "embedded":
            raise UsageProblem(f"--batch-mutant applies only to the embedded {kind}, not to {chosen!r}")
        names |= variants(kind, options.mutant).keys()
    if not names:
        raise UsageProblem("--batch-mutant applies only to the embedded server or client, not to recorded traffic")
    if options.mutant not in names:
        close = sorted(names, key=lambda name: -_similarity(name, options.mutant or ""))[:3]
        raise UsageProblem(
            f"unknown mutant {options.mutant!r}; near names: {', '.join(close)}; `batch-conformance mutants` lists all "
            "(--batch-mutant)"
        )


def _similarity(one: str, other: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, one, other).ratio()


def judge(kind: Kind, options: Options, selected: Collection[str], progress: Progress | None = None) -> RunResult:
    """Test a subject by the selected clauses. A failure of the suite or of the set-up becomes a result with an error.

    Raises :class:`Interrupted` with the result so far if the user stops the run.
    """
    try:
        check_kind(kind, options)
        run = _RUNNERS[kind](options, selected, progress)
    except (CouldNotRun, UsageProblem) as error:
        return could_not_run(kind, options, selected, str(error))
    except ImportError as error:
        return could_not_run(kind, options, selected, f"testing a {kind} needs an extra: {extra_line(kind)} ({error})")
    except Exception as error:
        return could_not_run(kind, options, selected, blocker(error) or _internal_error(error))
    finally:
        _freeze_objects()
    if run.incomplete:
        raise Interrupted(run)
    return run


def _freeze_objects() -> None:
    """Exempt all current objects from garbage collection: pytest collects several times at its end."""
    gc.collect(1)
    gc.freeze()


def _internal_error(error: Exception) -> str:
    """Describe an error by its place; its message is left out, since it may hold received text."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}, line {frame.lineno}, in {frame.name}"
    return f"the suite itself failed with {type(error).__name__} ({place}): a bug of the suite, please report it"


def could_not_run(kind: Kind, options: Options, selected: Collection[str], reason: str) -> RunResult:
    """Return the result of a subject that cannot be tested, with the reason in one line."""
    side = side_of(kind)
    target = {"server": options.target, "client": options.client, "recorded": "recorded traffic"}[kind]
    clauses = {clause.id: clause for clause in current_contract().of_side(side)}
    results = [ClauseResult(clauses[clause], "error", reason) for clause in clauses if clause in selected]
    results += unselected(clauses, selected)
    return RunResult(
        Subject(side, target, "", target),
        results,
        profile=options.profile,
        strict=options.strict,
        error=reason,
    )


def _judge_server(options: Options, selected: Collection[str], progress: Progress | None) -> RunResult:
    from batch_conformance.server_runner.session import judge_server

    with opened_target(options) as target:
        run = judge_server(
            target,
            profile=options.profile,
            selected=selected,
            strict=options.strict,
            seed=options.seed,
            timeout=options.timeout,
            progress=progress,
            expect=progress.expect if progress else None,
            database=_database(options),
            operations=options.operations,
        )
    run.ca = options.ca
    if options.target == "embedded":
        run.mutant = options.mutant or ""
        run.subject = Subject("server", f"reference server{_suffix(options)}", __version__, "embedded")
    return run


def _database(options: Options) -> ExampleDatabase | None:
    """Open the database of failing examples, which only the profile ``thorough`` uses."""
    if options.profile != "thorough":
        return None
    from batch_conformance.generate.database import DatabaseProblem, open_database

    try:
        return open_database(options.database, options.start)
    except DatabaseProblem as problem:
        raise UsageProblem(str(problem)) from None


def _suffix(options: Options) -> str:
    return f", mutant {options.mutant}" if options.mutant else ""


def _resolved(options: Options) -> Target:
    from batch_conformance.server_runner.target import resolve_target

    return resolve_target(
        options.target,
        start=options.start,
        batch_ids=options.batch_ids,
        api_key_env=options.api_key_env,
        rate=options.rate,
        allow_production=options.allow_production,
        stage=options.stage,
        other_key_env=options.other_key_env,
        revoked_key_env=options.revoked_key_env,
        ca=options.ca,
    )


@contextmanager
def opened_target(options: Options) -> Iterator[Target]:
    """Return the server under test; the embedded one runs inside the context."""
    from batch_conformance.server_runner.target import parse_rate

    if options.target != "embedded":
        yield _resolved(options)
        return
    from batch_conformance.mutants import variants
    from batch_conformance.reference.server import ReferenceServer
    from batch_conformance.reference.target import embedded_target

    variant = variants("server", options.mutant).get(options.mutant) if options.mutant else None
    app = variant.build() if variant else ReferenceServer()
    with embedded_target(app, parse_rate(options.rate) if options.rate else None) as target:
        yield target


def _judge_client(options: Options, selected: Collection[str], progress: Progress | None) -> RunResult:
    from batch_conformance.client_runner.leftovers import counted_leftovers
    from batch_conformance.client_runner.session import judge_client

    with counted_leftovers() as left:
        client = _client(options)
        try:
            run = judge_client(
                client,
                profile=options.profile,
                selected=selected,
                strict=options.strict,
                seed=options.seed,
                progress=progress,
                expect=progress.expect if progress else None,
                database=_database(options),
                operations=options.operations,
            )
        finally:
            client.close()
            del client
    run.left_behind = left.line()
    if options.client == "embedded":
        run.subject = Subject("client", f"reference client{_suffix(options)}", __version__, "embedded")
    return run


def _client(options: Options) -> ClientUnderTest:
    from batch_conformance.client_runner.open import open_adapter, open_client

    if options.client == "embedded" and options.mutant:
        from batch_conformance.mutants import variants

        variant = variants("client", options.mutant).get(options.mutant)
        if variant is not None:
            return open_adapter(variant.adapter(), spec="embedded", transport=options.transport)  # type: ignore[arg-type]
    return open_client(options.client, transport=options.transport)  # type: ignore[arg-type]


def _judge_recorded(options: Options, selected: Collection[str], progress: Progress | None) -> RunResult:
    from batch_conformance.recorded import judge_recorded

    del progress  # reading files takes no time worth showing
    return judge_recorded(options.recorded, folder=options.start, selected=selected, strict=options.strict)


_RUNNERS: Mapping[Kind, Callable[[Options, Collection[str], Progress | None], RunResult]] = {
    "server": _judge_server,
    "client": _judge_client,
    "recorded": _judge_recorded,
}
