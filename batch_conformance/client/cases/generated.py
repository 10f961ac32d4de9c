"""Generated cases: what Hypothesis thinks of, one property a member or a clause, and the smallest that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from batch_conformance.client.cases.case import Ask, Case, Deck
from batch_conformance.client.cases.decode import counts_case, date_case, extra_case, transfer_case
from batch_conformance.client.cases.errors import odd_case
from batch_conformance.client.cases.reject import unfit_case
from batch_conformance.client.cases.requests import id_case
from batch_conformance.client.stub.answers import Answer, json_body
from batch_conformance.generate import batches
from batch_conformance.generate.client_ids import ids_of_every_kind
from batch_conformance.generate.errors import odd_error_bodies
from batch_conformance.judge.client.decode import ONE_BY_ONE
from batch_conformance.judge.client.material import Valid

#: How a body may be sent; each changes an answer.
_WAYS: tuple[Callable[[Answer], Answer], ...] = (
    lambda answer: answer,
    lambda answer: answer.chunked(),
    lambda answer: answer.chunked(3),
    lambda answer: answer.gzipped(),
    lambda answer: answer.closing(),
    lambda answer: answer.until_close(),
)


@dataclass(frozen=True)
class Property:
    """What to draw, with or without the profile's ``latitude``, and how to make a case of it.

    ``beside`` are clauses that have to be played as well for its result to mean something.
    """

    clause: str
    strategy: Callable[[bool], st.SearchStrategy[Any]]
    case: Callable[[Deck, Any], Case]
    beside: tuple[str, ...] = ()


def _transfer(deck: Deck, drawn: tuple[batches.Style, str, str, int]) -> Case:
    style, output, webhook, way = drawn
    batch = deck.batch(outputUrl=output, webhookUrl=webhook)
    answer = _WAYS[way](json_body(None).with_body(batches.written(batch, style)))
    return transfer_case(deck, f"as {style} in way {way + 1}", batch, style, answer)


def _everything(deck: Deck, drawn: tuple[dict[str, Any], batches.Style, int]) -> Case:
    batch, style, way = drawn
    named = {**batch, "id": deck.id()}
    answer = _WAYS[way](json_body(None).with_body(batches.written(named, style)))
    return Case("a batch with everything at once", ("client.decode.fields",), (Ask(named["id"], Valid(named), (answer,)),))


def _near_valid(deck: Deck, drawn: batches.NearValid) -> Case:
    batch = {**drawn.batch, "id": "{id}"} if isinstance(drawn.batch.get("id"), str) else drawn.batch
    return unfit_case(deck, drawn.what, "client.reject.wrong-types", json_body(batch))


_WAY = st.integers(0, len(_WAYS) - 1)
_ODD = st.sampled_from((404, 401, 403, 400, 422)).flatmap(
    lambda status: st.tuples(st.just(status), odd_error_bodies(status))
)
PROPERTIES = (
    Property("client.request.id-encoding", lambda _: ids_of_every_kind(), lambda deck, drawn: id_case(deck, drawn, "an id")),
    Property("client.decode.created_at", lambda latitude: batches.instants(latitude=latitude), date_case),
    Property("client.decode.counts", lambda _: batches.counts(unfinished=True), counts_case),
    Property(
        "client.decode.unknown-fields",
        lambda _: st.tuples(batches.extra_members(), batches.extra_members()),
        lambda deck, drawn: extra_case(deck, f"extra members {', '.join(drawn[0])}; in metrics {', '.join(drawn[1])}", *drawn),
    ),
    Property(
        "client.decode.transfer",
        lambda _: st.tuples(batches.styles(), batches.urls(wide=True), batches.urls(wide=True), _WAY),
        _transfer,
    ),
    Property(
        "client.decode.fields",
        lambda latitude: st.tuples(batches.valid_batches("batch_x", latitude=latitude), batches.styles(), _WAY),
        _everything,
        beside=ONE_BY_ONE,
    ),
    Property("client.reject.wrong-types", lambda _: batches.near_valid_batches(), _near_valid),
    Property("client.error.odd-body", lambda _: _ODD, lambda deck, drawn: odd_case(deck, *drawn)),
)  # fmt: skip


@cache
def examples(which: Property, count: int, seed: int, latitude: bool = False) -> tuple[Any, ...]:
    """At most ``count`` different examples, the same for the same seed."""
    drawn: dict[str, Any] = {}
    _run(which.strategy(latitude), count, seed, [Phase.generate], lambda example: drawn.setdefault(repr(example), example))
    return tuple(drawn.values())


class _Fails(Exception):
    """An example that fails, as Hypothesis wants to be told."""


def smallest(
    which: Property,
    count: int,
    seed: int,
    known: dict[str, bool],
    fails: Callable[[Any], bool],
    budget: int,
    latitude: bool = False,
) -> Any:
    """The smallest failing example that ``budget`` more plays lead to; None when none fails.

    ``known`` tells of examples already played, by their ``repr``, whether they fail.
    """
    found: list[Any] = []

    def check(example: Any) -> None:
        nonlocal budget
        key = repr(example)
        if key not in known:
            # Out of budget, nothing new fails any more: Hypothesis then settles for what it has.
            known[key] = budget > 0 and fails(example)
            budget -= 1
        if known[key]:
            found.append(example)
            raise _Fails

    try:
        _run(which.strategy(latitude), count, seed, [Phase.generate, Phase.shrink], check)
    except _Fails:
        return found[-1]
    except BaseExceptionGroup:
        return found[-1]
    return found[-1] if found else None


def _run(
    strategy: st.SearchStrategy[Any], count: int, seed: int, phases: Sequence[Phase], use: Callable[[Any], None]
) -> None:
    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(strategy)
    def each(example: Any) -> None:
        use(example)

    each()
