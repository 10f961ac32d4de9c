"""Client run from beginning to end: cases, results, checks, verdicts."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from batch_conformance.checks.by_operation import merged, of_clause, operations_of_run, unasked
from batch_conformance.checks.client import CLIENT_CHECKS, CaseResult, ClientRunRecord
from batch_conformance.checks.client.record import calls_of
from batch_conformance.checks.client.replies import blame_unclaimed_replies
from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.result import CouldNotRun, RunResult, Subject
from batch_conformance.checks.verdict import ClauseResult, clause_result, unselected
from batch_conformance.client_runner.call import ClientUnderTest
from batch_conformance.client_runner.cases import (
    PROFILES,
    CaseFactory,
    Profile,
    listed_cases,
    needed,
    shuffled,
)
from batch_conformance.client_runner.cases.case import possible
from batch_conformance.client_runner.cases.generated import (
    Property,
    examples,
    properties,
    remembered,
    smallest,
)
from batch_conformance.client_runner.player import settled
from batch_conformance.client_runner.runner import ClientRunner
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.parts import part_of
from batch_conformance.generate.database import shelf
from batch_conformance.http import Redactor

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

#: Reason for *not exercised*: an overlay removed what the clause is about.
NO_SUCH_MEMBER = "the contract has no such member, status or value"
_ALPHABET = string.ascii_letters + string.digits


def judge_client(
    client: ClientUnderTest,
    *,
    profile: str = "default",
    selected: Collection[str] | None = None,
    strict: bool = False,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
    expect: Callable[[int], None] | None = None,
    database: ExampleDatabase | None = None,
    operations: Sequence[str] | None = None,
) -> RunResult:
    """Check a client against the selected clauses (all when None). Never raises for what the client does.

    ``progress`` is called with the number of cases run so far, ``expect`` with their total; ``database`` keeps failing
    examples between runs. ``operations`` are those to check, None for all that the client offers. A client
    that cannot be run gives a result with ``error`` set, an interrupted run one marked ``incomplete``.
    """
    chosen = set(CLIENT_CHECKS.checks if selected is None else selected)
    keys = keys_of_run(seed)
    hello = client.hello
    result = RunResult(
        Subject("client", hello.name, hello.version, client.spec),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=profile,
        seed=seed,
        strict=strict,
        operations=operations_of_run(operations, hello.operations),
        redactor=Redactor(
            {spelled: name for key, name in keys.items() for spelled in (key, key.lower(), key.upper())}
        ),
        shell_secrets=dict.fromkeys(keys, "$SYNC_API_KEY"),
        recipes={key: {"key": name.strip("[]")} for key, name in keys.items()},
    )
    began = time.monotonic()
    stage = ClientRunner(client, list(keys), progress, expect)
    plays: Sequence[CaseResult] = ()
    sides = {clause.id: clause for clause in current_contract().of_side("client")}
    asked = {clause for clause in chosen & sides.keys() if of_clause(sides[clause], result.operations)}
    try:
        plays = _play(stage, PROFILES[profile], _with_needs(asked), result.operations, seed, keys, database)
    except CouldNotRun as error:
        result.error = str(error)
    except KeyboardInterrupt:
        result.incomplete = True
        plays = tuple(stage.plays.values())
    client.settle()
    result.requests = stage.requests
    result.exchanges = [
        exchange
        for play in stage.plays.values()
        for exchange in (*(one for turn in play.turns for one in turn.seen), *play.elsewhere)
    ]
    record = ClientRunRecord([settled(play) for play in plays], keys)
    result.results = _verdicts(record, chosen, result, stage.left_out, operations)
    result.seconds = round(time.monotonic() - began, 3)
    return result


def keys_of_run(seed: int) -> dict[str, str]:
    """Return the fake API keys of a run, each with the name that replaces it in output."""
    source = random.Random(f"keys:{seed}")

    def letters(count: int) -> str:
        return "".join(source.choices(_ALPHABET, k=count))

    usual = f"sk-{letters(30)}"
    # Differs in the case of the middle letters only: clients that compare or cache a part of the key mix them up.
    like = usual[:12] + usual[12:-4].swapcase() + usual[-4:]
    return {
        usual: "[api-key]",
        f"sk_{letters(9)}.{letters(9)}+/{letters(9)}==": "[other-api-key]",
        f"sk-{letters(70)}-{letters(70)}": "[long-api-key]",
        like: "[like-api-key]",
    }


def _play(
    stage: ClientRunner,
    profile: Profile,
    clauses: Collection[str],
    operations: Collection[str],
    seed: int,
    keys: Mapping[str, str],
    database: ExampleDatabase | None,
) -> Sequence[CaseResult]:
    """Run listed and generated cases in one shuffled order, and shrink failing generated ones."""
    factory = CaseFactory(seed)
    listed = [case for case in needed(listed_cases(factory, profile), clauses) if case.operation in operations]
    if not stage.trusted:
        listed = [case for case in listed if not case.secure]
    drawn_from = properties()
    shelves = {which: shelf(database, f"client:{which.clause}") for which in drawn_from}
    earlier = {
        which: remembered(which, profile.generated, shelves[which]) for which in drawn_from
    }
    generated = {
        which.clause: [
            (example, case)
            for example in _different(
                earlier[which], examples(which, profile.generated, seed)
            )
            for case in possible(partial(which.case, factory, example))
        ]
        for which in drawn_from
        if {which.clause, *which.beside} <= set(clauses) and which.operation in operations
    }
    more = [case for rows in generated.values() for _, case in rows]
    stage.play_all(shuffled([*listed, *more], factory))
    stage.check_arrivals()
    plays = [stage.plays[case.number] for case in listed if case.number in stage.plays]
    for which in drawn_from:
        drawn = [
            (example, stage.plays[case.number])
            for example, case in generated.get(which.clause, ())
            if case.number in stage.plays
        ]
        record = ClientRunRecord(tuple(plays), keys).of_operation(which.operation)
        plays += _shrunk(stage, which, profile, seed, drawn, record, shelves[which], bool(earlier[which]))
    return plays


def _different(*rows: Iterable[Any]) -> Iterable[Any]:
    """Return all examples in order, without duplicates."""
    return {repr(example): example for row in rows for example in row}.values()


def _shrunk(
    stage: ClientRunner,
    which: Property,
    profile: Profile,
    seed: int,
    drawn: Sequence[tuple[Any, CaseResult]],
    listed: ClientRunRecord,
    database: ExampleDatabase | None,
    had_failed: bool,
) -> list[CaseResult]:
    """Return the results of a property, or the smallest failing one if the listed cases did not break its clause."""
    played = [play for _, play in drawn]
    if not drawn or not profile.shrink or listed.is_broken(which.clause):
        return played

    # Checked all at once first: one by one would take quadratic time.
    together = ClientRunRecord((*listed.plays, *played), listed.keys)
    if not had_failed and not together.is_broken(which.clause):
        return played

    def breaks(play: CaseResult) -> bool:
        return ClientRunRecord((*listed.plays, play), listed.keys).is_broken(which.clause)

    known = {repr(example): breaks(play) for example, play in drawn}
    if not any(known.values()) and not had_failed:
        return played
    smaller: dict[str, CaseResult] = {repr(example): play for example, play in drawn}
    factory = CaseFactory(seed + 1)

    def fails(example: Any) -> bool:
        for case in possible(partial(which.case, factory, example)):
            smaller[repr(example)] = play = stage.play(case)
            return breaks(play)
        return False

    least = smallest(which, profile.generated, seed, known, fails, profile.shrink, database)
    return [smaller[repr(least)]] if least is not None else played


def _with_needs(clauses: Collection[str]) -> set[str]:
    """Return the clauses and, transitively, those whose cases their checks need."""
    wanted: set[str] = set()
    waiting = list(clauses)
    while waiting:
        clause = waiting.pop()
        if clause not in wanted:
            wanted.add(clause)
            waiting += CLIENT_CHECKS.checks[clause].needs
    return wanted


@cached_by_contract
def _with_cases(seed: int) -> frozenset[str]:
    """Return the clauses that have a case under the current contract."""
    cases = listed_cases(CaseFactory(seed), PROFILES["default"])
    return frozenset(clause for case in cases for clause in case.clauses)


def _verdicts(
    record: ClientRunRecord,
    chosen: Collection[str],
    result: RunResult,
    left_out: Mapping[str, int],
    told: Sequence[str] | None,
) -> list[ClauseResult]:
    clauses = {clause.id: clause for clause in current_contract().of_side("client")}
    judged = []
    parts: dict[str, dict[str, CheckResult]] = {}
    for operation in () if result.error else result.operations:
        about = record.of_operation(operation)
        asked = [name for name in clauses if name in chosen and of_clause(clauses[name], [operation])]
        own = part_of(operation, "client_record")
        with calls_of(operation):
            judgements = {name: CLIENT_CHECKS.checks[name](own.view(about, name) if own else about) for name in asked}
        if own is None:
            blame_unclaimed_replies(about, judgements)
        for name, part in judgements.items():
            parts.setdefault(name, {})[operation] = part
    for clause in clauses.values():
        if clause.id not in chosen:
            continue
        if not of_clause(clause, result.operations):
            judged.append(unasked(clause, told))
            continue
        if result.error:
            judged.append(ClauseResult(clause, "error", result.error))
            continue
        checked = merged(clause.id, parts[clause.id])
        unsaid = not (checked.observations or checked.explained or checked.reason)
        if unsaid and clause.id not in _with_cases(result.seed):
            checked.note(NO_SUCH_MEMBER)
        if left_out.get(clause.id):
            checked.note(f"{left_out[clause.id]} cases were not played any more after these breakdowns")
        weighed = clause_result(clause, checked, strict=result.strict)
        if result.incomplete and not weighed.findings:
            # Findings stand, but no clause passes before all cases were run.
            weighed = ClauseResult(clause, "not-exercised", "not reached: the run was interrupted")
        judged.append(weighed)
    order = list(clauses)
    return sorted([*judged, *unselected(clauses, chosen)], key=lambda item: order.index(item.clause.id))
