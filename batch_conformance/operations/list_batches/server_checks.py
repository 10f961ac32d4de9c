"""Clauses ``server.list.*``: the array, its order, that it is whole, and that it agrees with Get Batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from batch_conformance.checks.finding import MISSING, CheckResult
from batch_conformance.checks.server.record import Record
from batch_conformance.checks.words import shown
from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import split
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches import server_filters
from batch_conformance.operations.list_batches.lists import (
    ARRAY,
    CREATED,
    JSON,
    OBJECT,
    OPERATION,
    READS,
    STATUS,
    Batch,
    created,
    identified,
    list_check,
    lists,
    nameless,
)
from batch_conformance.operations.list_batches.steadiness import Unsteady, unsteady

__all__ = ["OPERATION", "server_filters"]

_FILTERS = [*READS, "list-filters"]


@list_check(ARRAY, needs=[*_FILTERS, "list-offsets", "list-empty", "usual-variants"])
def array(record: Record, result: CheckResult) -> None:
    """The list itself, with nothing around it."""
    for exchange in record.good:
        assert exchange.response is not None
        read = exchange.response.json
        if not read.ok or exchange.failure is not None:
            result.set_aside(JSON)
            continue
        result.observe()
        if not isinstance(read.value, list):
            result.fail(
                exchange,
                "the list of batches is no array",
                expected="an array of batches, and nothing around it",
                actual=shown(read.value),
                code="shape",
            )
    if not record.good:
        result.set_aside(STATUS, len(record.reads))


@list_check("server.list.newest-first", needs=_FILTERS)
def newest_first(record: Record, result: CheckResult) -> None:
    """By created_at, the later first; the order of equal dates is open."""
    changing = unsteady(record)
    for exchange, every in lists(record, result, "reads", "late-reads", "list-filters"):
        rows = list(_steady(every, record, "created_at", changing, result))
        dated = [(row, moment) for row in rows if (moment := created(row)) is not None]
        result.set_aside(CREATED, len(rows) - len(dated))
        for (first, one), (second, other) in pairwise(dated):
            result.observe()
            if other > one:
                result.fail(
                    exchange,
                    f"the batch {shown(second.get('id'))} stands behind an older one",
                    expected=f"none created later than {shown(first.get('created_at'))} behind it",
                    actual=f"created_at: {shown(second.get('created_at'))}",
                    code="order",
                )
                break
    if not result.observations and not result.explained:
        result.note("no list held two batches with dates")


def _steady(
    rows: Sequence[Any], record: Record, member: str, changing: Unsteady, result: CheckResult
) -> Iterator[Any]:
    """The batches whose member does not change by itself; the others are left to the clause that reports it."""
    for row in rows:
        clause = OBJECT if not record.holds(row) else changing.get(str(row.get("id")), {}).get(member)
        if clause:
            result.set_aside(clause)
        else:
            yield row


@list_check("server.list.once", needs=_FILTERS)
def once(record: Record, result: CheckResult) -> None:
    """No batch stands in one list twice."""
    for exchange, rows in lists(record, result, "reads", "late-reads", "list-filters"):
        seen: set[str] = set()
        for value, _ in identified(rows, record, result):
            result.observe()
            if value in seen:
                result.fail(
                    exchange,
                    "a batch stands in the list twice",
                    expected=f"{shown(value)} once",
                    actual="twice",
                    code="twice",
                )
                break
            seen.add(value)
    if not result.observations and not result.explained:
        result.note("no list held a batch")


_SELECTED = ("list-filters", "list-offsets", "list-empty")


@list_check("server.list.complete", needs=[*READS, *_SELECTED])
def complete(record: Record, result: CheckResult) -> None:
    """Every batch that Get answers stands in the list, and each that an earlier list held, with filters or without."""
    gets = _gets(record)
    before: dict[str, Exchange] = {}
    selected = [
        (str(row["id"]), exchange)
        for exchange, rows in lists(record, CheckResult(""), *_SELECTED)
        for row in rows
        if not nameless(row, record)
    ]
    for exchange, rows in lists(record, result, *READS):
        there = {row["id"] for row in rows if not nameless(row, record)}
        # An entry without an id may be any batch.
        hidden = next(filter(None, (nameless(row, record) for row in rows)), "")
        known = {
            asked: read
            for asked, reads in gets.items()
            for read, _ in reads
            if read.ended <= exchange.started
        }
        if hidden:
            result.set_aside(hidden)
        filtered = {asked: answer for asked, answer in selected if answer.ended <= exchange.started}
        for asked, read in {**filtered, **before, **known}.items():
            if asked not in there and hidden:
                continue
            result.observe()
            if asked not in there:
                result.fail(
                    exchange,
                    f"the batch {shown(asked)}, which exists, is not in the list",
                    expected="all batches of the organisation",
                    actual=f"{len(rows)} others",
                    prelude=(read,),
                    code="left-out",
                )
        before |= {str(value): exchange for value in there if value not in before}
    if not result.observations and not result.explained:
        result.note("no batch was known to exist before a list was read")
    elif not selected and not _known_otherwise(record, gets):
        result.limit("no batch was looked for but those that the list itself had named")


def _known_otherwise(record: Record, gets: Mapping[str, Sequence[tuple[Exchange, Batch]]]) -> bool:
    """Whether a batch was known before a list named it."""
    named = [row.ended for row in record.exchanges if row.intent.operation == OPERATION and row.status == 200]
    first = min(named, default=0.0)
    return any(read.started < first for reads in gets.values() for read, _ in reads)


@list_check("server.list.agrees", needs=READS)
def agrees(record: Record, result: CheckResult) -> None:
    """An entry is the batch as Get answers it, in the state of that moment."""
    gets, changing = _gets(record), unsteady(record)
    for exchange, rows in lists(record, result, *READS):
        for own, row in identified(rows, record, result):
            reads = gets.get(own, [])
            elsewhere = changing.get(own, {})
            if "created_at" in elsewhere:
                # Which batch it is cannot be told for certain.
                result.set_aside(elsewhere["created_at"])
                continue
            earlier = [one for one in reads if one[0].ended <= exchange.started]
            later = [one for one in reads if one[0].started >= exchange.ended]
            if not earlier and not later:
                continue
            result.observe()
            for clause in dict.fromkeys(elsewhere.values()):
                result.set_aside(clause)
            first, last = earlier[-1:], later[:1]
            for name, ours, theirs, read in _differences(row, first, last, elsewhere):
                result.fail(exchange, f"{name} of the batch {shown(row['id'])} is another one in the list",
                            expected=f"{name}: {shown(theirs)}, as Get Batch answers", actual=f"{name}: {shown(ours)}",
                            prelude=(read,), code="differs")  # fmt: skip
                break
    if not result.observations and not result.explained:
        both = record.whole is not None and record.whole.of_operation("get").reads
        why = "" if both else ": that takes Get Batch (--batch-operations get,list)"
        result.note(f"no batch was read both ways{why}")


def _differences(
    row: Batch,
    earlier: Sequence[tuple[Exchange, Batch]],
    later: Sequence[tuple[Exchange, Batch]],
    elsewhere: Mapping[str, str],
) -> Iterator[tuple[str, Any, Any, Exchange]]:
    """What an entry says otherwise than the reads before and after it: (member, in the list, by Get, the read).

    What may move is held against both: it must lie between them. URLs may be signed anew with every answer. Members
    ``elsewhere`` change as they must not, and another clause reports that.
    """
    lifecycle = current_contract().lifecycle
    broken = {name for _, batch in (*earlier, *later) for name in _faulty(batch)} | _faulty(row) | {*elsewhere}
    # Other members may come one way only, or be others each time.
    documented = [name for name in entity_of(OPERATION).members if name not in broken]
    for read, batch in (*earlier, *later):
        if "created_at" not in broken and _comparable_date(row) != _comparable_date(batch):
            yield "created_at", row.get("created_at", MISSING), batch.get("created_at", MISSING), read
        for name in documented:
            # A member that comes one way only: null and nothing are the same.
            if (batch.get(name) is None) != (row.get(name) is None) and batch.get("status") == row.get(
                "status"
            ):
                yield name, row.get(name, MISSING), batch.get(name, MISSING), read
    ours = lifecycle.rank(row["status"]) if isinstance(row.get("status"), str) else None
    for rows, ahead in ((earlier, False), (later, True)):
        for read, batch in rows:
            theirs = lifecycle.rank(batch["status"]) if isinstance(batch.get("status"), str) else None
            if ours is None or theirs is None or "status" in broken:
                continue
            order = (row["status"], batch["status"]) if ahead else (batch["status"], row["status"])
            if not lifecycle.allowed(*order):
                yield "status", row["status"], batch["status"], read
    still = all(batch.get("status") == row.get("status") for _, batch in (*earlier, *later))
    if len(earlier) == len(later) == 1 and still:
        for name in (name for name in documented if name != "created_at"):
            before, after = earlier[0][1].get(name), later[0][1].get(name)
            if before == after != row.get(name):
                yield name, row.get(name, MISSING), before, earlier[0][0]


def _faulty(batch: Batch) -> set[str]:
    """Members that break their schema: server.body.* has the blame, and a difference shows nothing more."""
    faults = entity_of(OPERATION).judge.violations(dict(batch))
    return {split(fault.pointer)[0] for fault in faults if fault.pointer}


def _comparable_date(row: Batch) -> Any:
    moment = created(row)
    # No date, but an object perhaps: as text, since it is put into sets.
    return json.dumps(row.get("created_at")) if moment is None else moment


@list_check("server.list.other-org", needs=[*READS, "list-other-org"])
def other_org(record: Record, result: CheckResult) -> None:
    """None of this organisation's batches in the list of another."""
    ours = {
        own: exchange
        for exchange, rows in lists(record, CheckResult(""), *READS)
        for own, _ in identified(rows, record, CheckResult(""))
    }
    asked = record.of("list-other-org")
    for exchange, rows in lists(record, result, "list-other-org"):
        theirs = [own for own, _ in identified(rows, record, result)]
        if theirs or not rows:
            result.observe()
        strays = [own for own in theirs if own in ours]
        if strays:
            result.fail(
                exchange,
                "the list of another organisation holds batches of this one",
                expected="its own batches only",
                actual=", ".join(map(shown, strays[:3])),
                prelude=(ours[strays[0]],),
                code="disclosed",
            )
    if not asked:
        result.note("no second organisation's key was given (--batch-other-key-env)")
    elif result.observations and not ours:
        result.limit("there was no batch that could have come")


def _gets(record: Record) -> dict[str, list[tuple[Exchange, dict[str, Any]]]]:
    """The batches that Get answered, by the id asked for, in order of time."""
    if record.whole is None:
        return {}
    rows = record.whole.of_operation("get").by_id
    # An answer that is mixed up with another batch's is for server.body.id to judge; one that changes by itself, for
    # server.poll.identity.
    own = {asked: [one for one in reads if one[1].get("id") == asked] for asked, reads in rows.items()}
    return {
        asked: reads
        for asked, reads in own.items()
        if len({_comparable_date(batch) for _, batch in reads}) == 1
    }
