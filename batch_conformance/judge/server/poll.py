"""Clauses ``server.poll.*``: what may and may not change from one read of a batch to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from batch_conformance.contract import current_contract, parse_date_time
from batch_conformance.contract.load import COUNTS, FINAL_STATUSES, STATUSES
from batch_conformance.exchange import Exchange
from batch_conformance.judge.finding import ABSENT, Judgement
from batch_conformance.judge.server.body import shown
from batch_conformance.judge.server.record import SERVER_BENCH, Record

_NEEDS = ["reads", "late-reads", "every-request", "burst"]

Pair = tuple[dict[str, Any], dict[str, Any]]


def _pairs(
    record: Record, judgement: Judgement, counts: Callable[[Pair], bool] = bool
) -> Iterator[tuple[Exchange, Pair]]:
    """Successive reads of one batch that ``counts`` says can show something."""
    for _, before, second, after in record.successive():
        if counts((before, after)):
            judgement.look()
            yield second, (before, after)
    if not judgement.looked_at:
        judgement.remark("no batch was read twice in a state that this clause is about")


@SERVER_BENCH.judges_clause("server.poll.identity", needs=_NEEDS)
def identity(record: Record, judgement: Judgement) -> None:
    """The same batch stays the same batch."""
    for exchange, (before, after) in _pairs(record, judgement):
        for name, same in (("id", _equal), ("created_at", _same_instant)):
            first, second = before.get(name, ABSENT), after.get(name, ABSENT)
            if not same(first, second):
                _blame_change(judgement, exchange, name, first, second)


def _equal(first: object, second: object) -> bool:
    return first == second


def _same_instant(first: object, second: object) -> bool:
    if isinstance(first, str) and isinstance(second, str):
        one, other = parse_date_time(first), parse_date_time(second)
        if not isinstance(one, str) and not isinstance(other, str):
            return one == other
    return first == second


@SERVER_BENCH.judges_clause("server.poll.forward-only", needs=_NEEDS)
def forward_only(record: Record, judgement: Judgement) -> None:
    """Progress has one direction."""
    lifecycle = current_contract().lifecycle
    for exchange, (before, after) in _pairs(record, judgement, lambda pair: all(map(_status, pair))):
        first, second = before["status"], after["status"]
        before_rank, after_rank = lifecycle.rank(first), lifecycle.rank(second)
        if before_rank is not None and after_rank is not None and after_rank < before_rank:
            judgement.blame(
                exchange,
                "status from one read to the next",
                expected=f"{first} or later",
                actual=f"{second}, after {first}",
            )


@SERVER_BENCH.judges_clause("server.poll.final", needs=_NEEDS)
def final(record: Record, judgement: Judgement) -> None:
    """What is final stays as it is."""
    for exchange, (before, after) in _pairs(
        record, judgement, lambda pair: _status(pair[0]) in FINAL_STATUSES
    ):
        if before["status"] != after.get("status", ABSENT):
            _blame_change(
                judgement, exchange, "the final status", before["status"], after.get("status", ABSENT)
            )
        for name in COUNTS:
            first, second = _count(before, name), _count(after, name)
            if first is not None and second is not None and first != second:
                _blame_change(judgement, exchange, f"{name} of a {before['status']} batch", first, second)
    if judgement.note.startswith("no batch was read twice"):
        judgement.note = "no batch was read again after it was COMPLETED or FAILED"


@SERVER_BENCH.judges_clause("server.poll.counts-grow", needs=_NEEDS)
def counts_grow(record: Record, judgement: Judgement) -> None:
    """What has ended does not un-end."""
    for exchange, (before, after) in _pairs(record, judgement):
        for name in ("success_count", "failed_count"):
            first, second = _count(before, name), _count(after, name)
            if first is not None and second is not None and second < first:
                judgement.blame(
                    exchange,
                    f"{name} from one read to the next",
                    expected=f"at least {first}",
                    actual=str(second),
                )


@SERVER_BENCH.judges_clause("server.poll.webhook-stable", needs=_NEEDS)
def webhook_stable(record: Record, judgement: Judgement) -> None:
    """Nobody changed the webhook meanwhile."""
    for exchange, (before, after) in _pairs(record, judgement):
        if before.get("webhookUrl") != after.get("webhookUrl"):
            _blame_change(
                judgement, exchange, "webhookUrl", before.get("webhookUrl"), after.get("webhookUrl")
            )


def _blame_change(judgement: Judgement, exchange: Exchange, name: str, first: object, second: object) -> None:
    judgement.blame(
        exchange,
        f"{name} changed between two reads",
        expected=f"{shown(first)}, as before",
        actual=shown(second),
    )


def _status(batch: dict[str, Any]) -> str | None:
    value = batch.get("status")
    return value if isinstance(value, str) and value in STATUSES else None


def _count(batch: dict[str, Any], name: str) -> float | None:
    metrics = batch.get("metrics")
    value = metrics.get(name) if isinstance(metrics, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
