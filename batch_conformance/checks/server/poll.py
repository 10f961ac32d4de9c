"""Clauses ``server.poll.*``: what may and may not change from one read of a batch to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.checks.server.body import shown
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.contract import current_contract, parse_date_time
from batch_conformance.contract.load import COUNTS, FINAL_STATUSES, STATUSES
from batch_conformance.http import Exchange

_NEEDS = ["reads", "late-reads", "auth-per-request", "burst"]

Pair = tuple[dict[str, Any], dict[str, Any]]


def _pairs(
    record: Record,
    result: CheckResult,
    counts: Callable[[Pair], bool] = bool,
    none: str = "no batch was read twice",
) -> Iterator[tuple[tuple[Exchange, Exchange], Pair]]:
    """Successive reads of one batch that ``counts`` says can show something; ``none`` says so where none does."""
    result.set_aside("server.body.id", len(record.mixed_up))
    for first, before, second, after in record.successive():
        if counts((before, after)):
            result.observe()
            yield (first, second), (before, after)
    if not result.observations:
        result.note(none)


def _unless_moved(result: CheckResult, moved: bool, limit: str) -> None:
    """Say what a pass on reads that are all alike is not about."""
    if result.observations and not moved:
        result.limit(limit)


@SERVER_CHECKS.check("server.poll.identity", needs=_NEEDS)
def identity(record: Record, result: CheckResult) -> None:
    """The same batch stays the same batch."""
    moved = False
    for reads, (before, after) in _pairs(record, result):
        moved = moved or before.get("status") != after.get("status")
        for name, same in (("id", _equal), ("created_at", _same_instant)):
            first, second = before.get(name, MISSING), after.get(name, MISSING)
            if not same(first, second):
                _blame_change(result, reads, name, first, second)
    _unless_moved(result, moved, "no batch changed its status between two reads")


def _equal(first: object, second: object) -> bool:
    return first == second


def _same_instant(first: object, second: object) -> bool:
    if isinstance(first, str) and isinstance(second, str):
        one, other = parse_date_time(first), parse_date_time(second)
        if not isinstance(one, str) and not isinstance(other, str):
            return one == other
    return first == second


@SERVER_CHECKS.check("server.poll.forward-only", needs=_NEEDS)
def forward_only(record: Record, result: CheckResult) -> None:
    """Progress has one direction."""
    moved = False
    lifecycle = current_contract().lifecycle
    strange = sum(_status(batch) is None for _, batch in record.batches)
    result.set_aside("server.body.status", strange)
    for reads, (before, after) in _pairs(record, result, lambda pair: all(map(_status, pair))):
        first, second = before["status"], after["status"]
        moved = moved or first != second
        before_rank, after_rank = lifecycle.rank(first), lifecycle.rank(second)
        if before_rank is not None and after_rank is not None and after_rank < before_rank:
            result.fail(
                reads[1],
                "status from one read to the next",
                expected=f"{first} or later",
                actual=f"{second}, after {first}",
                prelude=reads[:1],
            )
    _unless_moved(result, moved, "no batch changed its status between two reads")


@SERVER_CHECKS.check("server.poll.final", needs=_NEEDS)
def final(record: Record, result: CheckResult) -> None:
    """What is final stays as it is."""
    seen = set()
    for reads, (before, after) in _pairs(
        record,
        result,
        lambda pair: _status(pair[0]) in FINAL_STATUSES,
        none="no batch was read again after it was COMPLETED or FAILED",
    ):
        seen.add(before["status"])
        if before["status"] != after.get("status", MISSING):
            _blame_change(result, reads, "the final status", before["status"], after.get("status", MISSING))
        for name in COUNTS:
            first, second = _count(before, name), _count(after, name)
            if first is not None and second is not None and first != second:
                _blame_change(result, reads, f"{name} of a {before['status']} batch", first, second)
    for name in sorted(FINAL_STATUSES):
        if name not in seen:
            _unless_moved(result, False, f"no {name} batch was read again")


@SERVER_CHECKS.check("server.poll.counts-grow", needs=_NEEDS)
def counts_grow(record: Record, result: CheckResult) -> None:
    """What has ended does not un-end."""
    moved = False
    names = ("success_count", "failed_count")
    uncounted = sum(all(_count(batch, name) is None for name in names) for _, batch in record.batches)
    result.set_aside("server.body.metrics", uncounted)
    for reads, (before, after) in _pairs(
        record,
        result,
        lambda pair: any(None not in (_count(pair[0], name), _count(pair[1], name)) for name in names),
        none="no batch was read twice with its counts",
    ):
        for name in names:
            first, second = _count(before, name), _count(after, name)
            if first is None or second is None:
                continue
            moved = moved or first != second
            if second < first:
                result.fail(
                    reads[1],
                    f"{name} from one read to the next",
                    expected=f"at least {first}",
                    actual=str(second),
                    prelude=reads[:1],
                )
    _unless_moved(result, moved, "no count changed between two reads")


@SERVER_CHECKS.check("server.poll.webhook-stable", needs=_NEEDS)
def webhook_stable(record: Record, result: CheckResult) -> None:
    """Nobody changed the webhook meanwhile."""
    there = False
    for reads, (before, after) in _pairs(record, result):
        there = there or after.get("webhookUrl") is not None
        if before.get("webhookUrl") != after.get("webhookUrl"):
            _blame_change(result, reads, "webhookUrl", before.get("webhookUrl"), after.get("webhookUrl"))
    _unless_moved(result, there, "no batch had a webhookUrl")


def _blame_change(
    result: CheckResult, reads: tuple[Exchange, Exchange], name: str, first: object, second: object
) -> None:
    result.fail(
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
