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

from batch_conformance.checks.client.members import ONE_BY_ONE
from batch_conformance.client_runner.cases.case import Case, CaseFactory
from batch_conformance.client_runner.cases.decode import (
    FRACTIONS,
    counts_case,
    date_case,
    extra_case,
    fraction_case,
    letters_case,
)
from batch_conformance.client_runner.cases.errors import odd_case
from batch_conformance.client_runner.cases.reject import unfit_case
from batch_conformance.client_runner.cases.requests import id_case
from batch_conformance.client_runner.cases.transfer import WAYS, sent_ask, transfer_case
from batch_conformance.client_runner.stub.answers import json_body
from batch_conformance.contract import cached_by_contract
from batch_conformance.generate import batches
from batch_conformance.generate.client_ids import ids_of_every_kind
from batch_conformance.generate.errors import odd_error_bodies

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


def _transfer(factory: CaseFactory, drawn: tuple[batches.Style, str, str, str]) -> Case:
    style, output, webhook, way = drawn
    return transfer_case(
        f"sent {way}, as {style}", factory.batch(outputUrl=output, webhookUrl=webhook), style, way
    )


def _everything(factory: CaseFactory, drawn: tuple[dict[str, Any], batches.Style, str]) -> Case:
    batch, style, way = drawn
    step = sent_ask({**batch, "id": factory.id()}, style, way)
    return Case("a batch with everything at once", ("client.decode.fields",), (step,))


def _extra(factory: CaseFactory, drawn: tuple[dict[str, Any], dict[str, Any]]) -> Case:
    top, inside = (", ".join(members) for members in drawn)
    return extra_case(factory, f"extra members {top}; in metrics {inside}", *drawn)


def _near_valid(factory: CaseFactory, drawn: batches.NearValid) -> Case:
    batch = {**drawn.batch, "id": "{id}"} if isinstance(drawn.batch.get("id"), str) else drawn.batch
    return unfit_case(factory, drawn.what, "client.reject.wrong-types", json_body(batch))


_WAY = st.sampled_from(list(WAYS))
_ODD = st.sampled_from((404, 401, 403, 400, 422)).flatmap(
    lambda status: st.tuples(st.just(status), odd_error_bodies(status))
)
PROPERTIES = (
    Property("client.request.id-encoding", lambda: ids_of_every_kind(), partial(id_case, title="an id")),
    Property("client.decode.created_at", batches.instants, date_case),
    Property("client.decode.created_at-letters", batches.lower_case_instants, letters_case),
    Property("client.decode.counts", lambda: batches.counts(unfinished=True), counts_case),
    Property(
        "client.decode.counts-fraction",
        lambda: st.tuples(batches.counts(unfinished=True), st.sampled_from(FRACTIONS)),
        lambda factory, drawn: fraction_case(factory, *drawn),
    ),
    Property(
        "client.decode.unknown-fields",
        lambda: st.tuples(batches.extra_members(), batches.extra_members()),
        _extra,
    ),
    Property(
        "client.decode.transfer",
        lambda: st.tuples(batches.styles(), batches.urls(wide=True), batches.urls(wide=True), _WAY),
        _transfer,
    ),
    Property(
        "client.decode.fields",
        lambda: st.tuples(batches.valid_batches("batch_x"), batches.styles(), _WAY),
        _everything,
        beside=ONE_BY_ONE,
    ),
    Property("client.reject.wrong-types", lambda: batches.near_valid_batches(), _near_valid),
    Property("client.error.odd-body", lambda: _ODD, lambda factory, drawn: odd_case(factory, *drawn)),
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
