"""Generated cases: what Hypothesis thinks of, one property a member or a clause, and the smallest that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import SkipTest

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.database import ExampleDatabase, ReadOnlyDatabase

from batch_conformance.client_runner.cases.case import Case, CaseFactory
from batch_conformance.client_runner.cases.plugged import operation_cases
from batch_conformance.client_runner.cases.requests import id_case
from batch_conformance.contract import cached_by_contract
from batch_conformance.generate.client_ids import ids_of_every_kind

#: A client that breaks down each time takes a while for each play; a small example is not worth that.
SHRINK_SECONDS = 3.0


@dataclass(frozen=True)
class Property:
    """What to draw, and how to make a case of it.

    ``beside`` are clauses that have to be played as well for its result to mean something.
    """

    clause: str
    strategy: Callable[[], st.SearchStrategy[Any]]
    case: Callable[[CaseFactory, Any], Case]
    beside: tuple[str, ...] = ()
    operation: str = "get"


def properties(operation: str = "get") -> Sequence[Property]:
    """The properties of an operation, and that of the ids that are asked for."""
    return (_ANY_ID, *operation_cases(operation).PROPERTIES)


_ANY_ID = Property(
    "client.request.id-encoding", lambda: ids_of_every_kind(), partial(id_case, title="an id")
)


@cached_by_contract
def examples(which: Property, count: int, seed: int) -> tuple[Any, ...]:
    """At most ``count`` different examples, the same for the same seed."""
    drawn: dict[str, Any] = {}
    if not count:
        return ()
    _run(
        which.strategy(),
        count,
        seed,
        [Phase.generate],
        lambda example: drawn.setdefault(repr(example), example),
    )
    return tuple(drawn.values())


def remembered(which: Property, count: int, database: ExampleDatabase | None) -> list[Any]:
    """Examples that failed in earlier runs, here or on another machine; the database stays as it is."""
    drawn: dict[str, Any] = {}

    def keep(example: Any) -> None:
        drawn.setdefault(repr(example), example)

    if database is not None:
        # Without anything to reuse, Hypothesis wants to skip the test.
        with suppress(SkipTest):
            _run(which.strategy(), count, 0, [Phase.reuse], keep, ReadOnlyDatabase(database))
    return list(drawn.values())


class _Fails(Exception):
    """An example that fails, as Hypothesis wants to be told."""


class _Enough(BaseException):
    """Stops Hypothesis on the spot: not an exception that it would take for a failing example."""


def smallest(
    which: Property,
    count: int,
    seed: int,
    known: dict[str, bool],
    fails: Callable[[Any], bool],
    budget: int,
    database: ExampleDatabase | None = None,
) -> Any:
    """The smallest failing example that ``budget`` more plays lead to, in a few seconds; None when none fails.

    ``known`` tells of examples already played, by their ``repr``, whether they fail. ``database`` keeps
    what is found, and lets go of what fails no more.
    """
    found: list[Any] = []
    draws = count + 10 * budget
    until = time.monotonic() + SHRINK_SECONDS

    def check(example: Any) -> None:
        nonlocal budget, draws
        draws -= 1
        key = repr(example)
        if key not in known:
            if budget <= 0 or draws <= 0 or time.monotonic() > until:
                raise _Enough
            budget -= 1
            known[key] = fails(example)
        if known[key]:
            found.append(example)
            raise _Fails

    phases = [Phase.reuse, Phase.generate, Phase.shrink]
    with suppress(_Fails, _Enough):
        _run(which.strategy(), count, seed, phases, check, database)
    return found[-1] if found else None


def _run(
    strategy: st.SearchStrategy[Any],
    count: int,
    seed: int,
    phases: Sequence[Phase],
    use: Callable[[Any], None],
    database: ExampleDatabase | None = None,
) -> None:
    # In this order: below a seed, settings lose their database.
    @settings(
        max_examples=count,
        database=database,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @seeded(seed)
    @given(strategy)
    def each(example: Any) -> None:
        use(example)

    each()
