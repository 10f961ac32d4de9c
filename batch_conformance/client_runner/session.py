"""Client run from beginning to end: cases, results, checks, verdicts."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from batch_conformance.checks.by_operation import merged, of_clause, operations_of_run, unasked, untested_hints
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
from batch_conformance.client_runner.cases.derived import unmade_values
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
from batch_conformance.contract.pointers import split
from batch_conformance.generate.database import shelf
from batch_conformance.http import Redactor

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

#: Reason for *not exercised*: an overlay removed what the clause is about.
NO_SUCH_MEMBER = "the contract has no such member, status or value"
#: The clause that has the limits of the values that were sent.
_FIELDS = "client.decode.fields"
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
        hints=untested_hints(),
        redactor=Redactor({spelled: name for key, name in keys.items() for spelled in (key, key.lower(), key.upper())}),
        shell_secrets=dict.fromkeys(keys, "$SYNC_API_KEY"),
        recipes={key: {"key": name.strip("[]")} for key, name in keys.items()},
    )
    began = time.monotonic()
    runner = ClientRunner(client, list(keys), progress, expect)
    case_results: Sequence[CaseResult] = ()
    sides = {clause.id: clause for clause in current_contract().of_side("client")}
    asked = {clause for clause in chosen & sides.keys() if of_clause(sides[clause], result.operations)}
    try:
        case_results = _play(runner, PROFILES[profile], _with_needed(asked), result.operations, seed, keys, database)
    except CouldNotRun as error:
        result.error = str(error)
    except KeyboardInterrupt:
        result.incomplete = True
        case_results = tuple(runner.plays.values())
    client.settle()
    result.requests = runner.requests
    result.exchanges = [
        exchange
        for case_result in runner.plays.values()
        for exchange in (*(one for call in case_result.turns for one in call.seen), *case_result.elsewhere)
    ]
    record = ClientRunRecord([settled(case_result) for case_result in case_results], keys)
    result.results = _verdicts(record, chosen, result, runner.left_out, operations)
    result.seconds = round(time.monotonic() - began, 3)
    return result


def keys_of_run(seed: int) -> dict[str, str]:
    """Return the fake API keys of a run, each with the name that replaces it in output."""
    source = random.Random(f"keys:{seed}")

    def letters(count: int) -> str:
        return "".join(source.choices(_ALPHABET, k=count))

    ordinary = f"sk-{letters(30)}"
    # Differs in the case of the middle letters only: clients that compare or cache a part of the key mix them up.
    similar = ordinary[:12] + ordinary[12:-4].swapcase() + ordinary[-4:]
    return {
        ordinary: "[api-key]",
        f"sk_{letters(9)}.{letters(9)}+/{letters(9)}==": "[other-api-key]",
        f"sk-{letters(70)}-{letters(70)}": "[long-api-key]",
        similar: "[like-api-key]",
    }


def _play(
    runner: ClientRunner,
    profile: Profile,
    clauses: Collection[str],
    operations: Collection[str],
    seed: int,
    keys: Mapping[str, str],
    database: ExampleDatabase | None,
) -> Sequence[CaseResult]:
    """Run listed and generated cases in one shuffled order, and shrink failing generated ones."""
    factory = CaseFactory(seed)
    listed = [case for case in needed(listed_cases(factory, profile), clauses) if case.operations <= set(operations)]
    if not runner.trusted:
        listed = [case for case in listed if not case.secure]
    all_properties = properties()
    databases = {prop: shelf(database, f"client:{prop.clause}") for prop in all_properties}
    earlier = {prop: remembered(prop, profile.generated, databases[prop]) for prop in all_properties}
    generated = {
        prop.clause: [
            (example, case)
            for example in _unique(earlier[prop], examples(prop, profile.generated, seed))
            for case in possible(partial(prop.case, factory, example))
        ]
        for prop in all_properties
        if {prop.clause, *prop.beside} <= set(clauses) and prop.operation in operations
    }
    more = [case for rows in generated.values() for _, case in rows]
    runner.play_all(shuffled([*listed, *more], factory))
    runner.check_arrivals()
    case_results = [runner.plays[case.number] for case in listed if case.number in runner.plays]
    for prop in all_properties:
        examples_run = [
            (example, runner.plays[case.number])
            for example, case in generated.get(prop.clause, ())
            if case.number in runner.plays
        ]
        record = ClientRunRecord(tuple(case_results), keys).of_operation(prop.operation)
        case_results += _shrink(runner, prop, profile, seed, examples_run, record, databases[prop], bool(earlier[prop]))
    return case_results


def _unique(*rows: Iterable[Any]) -> Iterable[Any]:
    """Return all examples in order, without duplicates."""
    return {repr(example): example for row in rows for example in row}.values()


def _shrink(
    runner: ClientRunner,
    prop: Property,
    profile: Profile,
    seed: int,
    examples_run: Sequence[tuple[Any, CaseResult]],
    listed: ClientRunRecord,
    database: ExampleDatabase | None,
    had_failed: bool,
) -> list[CaseResult]:
    """Return the results of a property, or the smallest failing one if the listed cases did not break its clause."""
    played = [case_result for _, case_result in examples_run]
    if not examples_run or not profile.shrink or listed.is_broken(prop.clause):
        return played

    # Checked all at once first: one by one would take quadratic time.
    together = ClientRunRecord((*listed.plays, *played), listed.keys)
    if not had_failed and not together.is_broken(prop.clause):
        return played

    def breaks(case_result: CaseResult) -> bool:
        return ClientRunRecord((*listed.plays, case_result), listed.keys).is_broken(prop.clause)

    known = {repr(example): breaks(case_result) for example, case_result in examples_run}
    if not any(known.values()) and not had_failed:
        return played
    results_by_example: dict[str, CaseResult] = {repr(example): case_result for example, case_result in examples_run}
    factory = CaseFactory(seed + 1)

    def fails(example: Any) -> bool:
        for case in possible(partial(prop.case, factory, example)):
            results_by_example[repr(example)] = case_result = runner.play(case)
            return breaks(case_result)
        return False

    least = smallest(prop, profile.generated, seed, known, fails, profile.shrink, database)
    return [results_by_example[repr(least)]] if least is not None else played


def _with_needed(clauses: Collection[str]) -> set[str]:
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
def _with_cases(seed: int) -> frozenset[tuple[str, str]]:
    """Return the clauses, each with an operation, that have a case under the current contract."""
    cases = listed_cases(CaseFactory(seed), PROFILES["default"])
    return frozenset((clause, case.operation) for case in cases for clause in case.clauses)


def _verdicts(
    record: ClientRunRecord,
    chosen: Collection[str],
    result: RunResult,
    left_out: Mapping[str, int],
    requested: Sequence[str] | None,
) -> list[ClauseResult]:
    clauses = {clause.id: clause for clause in current_contract().of_side("client")}
    clause_results = []
    parts: dict[str, dict[str, CheckResult]] = {}
    for operation in () if result.error else result.operations:
        operation_record = record.of_operation(operation)
        applicable = [name for name in clauses if name in chosen and of_clause(clauses[name], [operation])]
        own = part_of(operation, "client_record")
        with calls_of(operation):
            check_results = {
                name: CLIENT_CHECKS.checks[name](own.view(operation_record, name) if own else operation_record)
                for name in applicable
            }
        if own is None:
            blame_unclaimed_replies(operation_record, check_results)
            for place, kind in unmade_values(operation).items() if _FIELDS in check_results else ():
                name = ".".join(split(place)) or "the whole"
                check_results[_FIELDS].limit(f"{name}: no valid value with {kind} was found to send")
        for name, part in check_results.items():
            parts.setdefault(name, {})[operation] = part
    for clause in clauses.values():
        if clause.id not in chosen:
            continue
        if not of_clause(clause, result.operations):
            clause_results.append(unasked(clause, requested))
            continue
        if result.error:
            clause_results.append(ClauseResult(clause, "error", result.error))
            continue
        checked = merged(clause.id, parts[clause.id])
        unsaid = not (checked.observations or checked.explained or checked.reason)
        if unsaid and not any((clause.id, name) in _with_cases(result.seed) for name in result.operations):
            checked.note(NO_SUCH_MEMBER)
        if left_out.get(clause.id):
            checked.note(f"{left_out[clause.id]} cases were not played any more after these breakdowns")
        weighed = clause_result(clause, checked, strict=result.strict)
        if result.incomplete and not weighed.findings:
            # Findings stand, but no clause passes before all cases were run.
            weighed = ClauseResult(clause, "not-exercised", "not reached: the run was interrupted")
        clause_results.append(weighed)
    order = list(clauses)
    return sorted([*clause_results, *unselected(clauses, chosen)], key=lambda item: order.index(item.clause.id))
