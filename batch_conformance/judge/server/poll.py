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
    record: Record,
    judgement: Judgement,
    counts: Callable[[Pair], bool] = bool,
    none: str = "no batch was read twice",
) -> Iterator[tuple[tuple[Exchange, Exchange], Pair]]:
    """Successive reads of one batch that ``counts`` says can show something; ``none`` says so where none does."""
    judgement.set_aside("server.body.id", len(record.mixed_up))
    for first, before, second, after in record.successive():
        if counts((before, after)):
            judgement.look()
            yield (first, second), (before, after)
    if not judgement.looked_at:
        judgement.remark(none)


def _unless_moved(judgement: Judgement, moved: bool, limit: str) -> None:
    """Say what a pass on reads that are all alike is not about."""
    if judgement.looked_at and not moved:
        judgement.limit(limit)


@SERVER_BENCH.judges_clause("server.poll.identity", needs=_NEEDS)
def identity(record: Record, judgement: Judgement) -> None:
    """The same batch stays the same batch."""
    moved = False
    for reads, (before, after) in _pairs(record, judgement):
        moved = moved or before.get("status") != after.get("status")
        for name, same in (("id", _equal), ("created_at", _same_instant)):
            first, second = before.get(name, ABSENT), after.get(name, ABSENT)
            if not same(first, second):
                _blame_change(judgement, reads, name, first, second)
    _unless_moved(judgement, moved, "no batch changed its status between two reads")


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
    moved = False
    lifecycle = current_contract().lifecycle
    strange = sum(_status(batch) is None for _, batch in record.batches)
    judgement.set_aside("server.body.status", strange)
    for reads, (before, after) in _pairs(record, judgement, lambda pair: all(map(_status, pair))):
        first, second = before["status"], after["status"]
        moved = moved or first != second
        before_rank, after_rank = lifecycle.rank(first), lifecycle.rank(second)
        if before_rank is not None and after_rank is not None and after_rank < before_rank:
            judgement.blame(
                reads[1],
                "status from one read to the next",
                expected=f"{first} or later",
                actual=f"{second}, after {first}",
                prelude=reads[:1],
            )
    _unless_moved(judgement, moved, "no batch changed its status between two reads")


@SERVER_BENCH.judges_clause("server.poll.final", needs=_NEEDS)
def final(record: Record, judgement: Judgement) -> None:
    """What is final stays as it is."""
    seen = set()
    for reads, (before, after) in _pairs(
        record,
        judgement,
        lambda pair: _status(pair[0]) in FINAL_STATUSES,
        none="no batch was read again after it was COMPLETED or FAILED",
    ):
        seen.add(before["status"])
        if before["status"] != after.get("status", ABSENT):
            _blame_change(judgement, reads, "the final status", before["status"], after.get("status", ABSENT))
        for name in COUNTS:
            first, second = _count(before, name), _count(after, name)
            if first is not None and second is not None and first != second:
                _blame_change(judgement, reads, f"{name} of a {before['status']} batch", first, second)
    for name in sorted(FINAL_STATUSES):
        if name not in seen:
            _unless_moved(judgement, False, f"no {name} batch was read again")


@SERVER_BENCH.judges_clause("server.poll.counts-grow", needs=_NEEDS)
def counts_grow(record: Record, judgement: Judgement) -> None:
    """What has ended does not un-end."""
    moved = False
    names = ("success_count", "failed_count")
    uncounted = sum(all(_count(batch, name) is None for name in names) for _, batch in record.batches)
    judgement.set_aside("server.body.metrics", uncounted)
    for reads, (before, after) in _pairs(
        record,
        judgement,
        lambda pair: any(None not in (_count(pair[0], name), _count(pair[1], name)) for name in names),
        none="no batch was read twice with its counts",
    ):
        for name in names:
            first, second = _count(before, name), _count(after, name)
            if first is None or second is None:
                continue
            moved = moved or first != second
            if second < first:
                judgement.blame(
                    reads[1],
                    f"{name} from one read to the next",
                    expected=f"at least {first}",
                    actual=str(second),
                    prelude=reads[:1],
                )
    _unless_moved(judgement, moved, "no count changed between two reads")


@SERVER_BENCH.judges_clause("server.poll.webhook-stable", needs=_NEEDS)
def webhook_stable(record: Record, judgement: Judgement) -> None:
    """Nobody changed the webhook meanwhile."""
    there = False
    for reads, (before, after) in _pairs(record, judgement):
        there = there or after.get("webhookUrl") is not None
        if before.get("webhookUrl") != after.get("webhookUrl"):
            _blame_change(judgement, reads, "webhookUrl", before.get("webhookUrl"), after.get("webhookUrl"))
    _unless_moved(judgement, there, "no batch had a webhookUrl")


def _blame_change(
    judgement: Judgement, reads: tuple[Exchange, Exchange], name: str, first: object, second: object
) -> None:
    judgement.blame(
        reads[1],
        f"{name} changed between two reads",
        expected=f"{shown(first)}, as before",
        actual=shown(second),
        prelude=reads[:1],
    )


def _status(batch: dict[str, Any]) -> str | None:
    value = batch.get("status")
    return value if isinstance(value, str) and value in STATUSES else None


def _count(batch: dict[str, Any], name: str) -> float | None:
    metrics = batch.get("metrics")
    value = metrics.get(name) if isinstance(metrics, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
