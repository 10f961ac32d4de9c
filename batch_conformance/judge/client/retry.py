"""Clauses ``client.retry.*``: asking again is allowed, within reason."""

from __future__ import annotations

from collections.abc import Iterator

from batch_conformance.exchange import Exchange
from batch_conformance.judge.client.material import (
    CLIENT_BENCH,
    MOST_REQUESTS,
    TARGET,
    ClientRecord,
    Play,
    Refusal,
    Turn,
    blame_broken,
    may_be_retried,
)
from batch_conformance.judge.finding import Judgement

#: A retry sooner than this has not waited. Seconds; what a client needs to ask again at once stays well below.
BURST_SECONDS = 0.04
#: How much before the end of Retry-After a retry may come, for clocks that differ. Seconds.
TOLERANCE = 0.05
_NO_RETRIES = "the client does not retry"


@CLIENT_BENCH.judges_clause("client.retry.never-401-404", needs=["client.request.single"])
def never_401_404(record: ClientRecord, judgement: Judgement) -> None:
    """One request, whatever the client does on other statuses."""
    for play in record.plays:
        for turn in play.turns:
            if not isinstance(turn.told, Refusal) or turn.told.status not in (401, 404):
                continue
            if turn.unasked:
                judgement.set_aside(TARGET)
                continue
            judgement.look()
            if record.retried(turn):
                judgement.blame(
                    turn.gets[1],
                    f"a {turn.told.status} is retried: {play.title}",
                    expected="1 request",
                    actual=f"{turn.requests} requests",
                )


@CLIENT_BENCH.judges_clause("client.retry.bounded")
def bounded(record: ClientRecord, judgement: Judgement) -> None:
    """At most ten requests, and an end within the deadline and its grace."""
    most = 0
    for play, turn in _retryable(record, judgement):
        if turn.reply.broken is not None and not record.retries_without_end(turn):
            cause = record.explained(turn, judgement.clause)
            if cause or play.clauses[0] != judgement.clause:
                # Otherwise a breakdown counts against the clause that the case is for.
                judgement.set_aside(cause or play.clauses[0])
                continue
        judgement.look()
        most = max(most, turn.requests)
        if turn.requests > MOST_REQUESTS:
            judgement.blame(
                turn.gets[MOST_REQUESTS] if len(turn.gets) > MOST_REQUESTS else turn.last,
                f"retried too often: {play.title}",
                expected=f"at most {MOST_REQUESTS} requests a call",
                actual=f"{turn.requests} requests or more in {turn.reply.seconds:.1f} s",
            )
        elif turn.reply.broken is not None:
            judgement.blame(
                turn.last,
                f"no end by the deadline and its grace: {play.title}",
                expected="an answer to the caller, within the deadline plus its grace",
                actual=f"{turn.said()}, after {turn.requests} requests",
            )
    if judgement.looked_at:
        judgement.remark(f"at most {most} request{'s' if most != 1 else ''} were seen for one call")
    if most == 1:
        judgement.limit(_NO_RETRIES)


@CLIENT_BENCH.judges_clause("client.retry.waits", needs=["client.retry.bounded", "client.request.single"])
def waits(record: ClientRecord, judgement: Judgement) -> None:
    """Retries leave time between, and as much as Retry-After says.

    One short wait may be chance (a client may well draw its waits at random): a burst is when most are short.
    """
    gaps: dict[str, list[tuple[float, Play, Exchange]]] = {"4xx": [], "5xx": []}
    for play, turn in _retryable(record, judgement):
        if turn.reply.broken is not None and not record.retries_without_end(turn):
            cause = record.explained(turn, judgement.clause)
            if not cause and record.is_broken("client.retry.bounded"):
                cause = "client.retry.bounded"
            if cause:
                judgement.set_aside(cause)
            else:
                blame_broken(play, turn, judgement)
            continue
        judgement.look()
        told = turn.told
        assert isinstance(told, Refusal)
        for before, after in zip(turn.gets, turn.gets[1:], strict=False):
            if not record.retried(turn) or before.status != told.status:
                continue
            gap = after.started - before.ended
            if told.retry_after is None:
                gaps["4xx" if told.status < 500 else "5xx"].append((gap, play, after))
            elif gap < told.retry_after - TOLERANCE:
                judgement.blame(
                    after,
                    f"the retry came before Retry-After was over: {play.title}",
                    expected=f"a wait of at least {told.retry_after:g} s",
                    actual=f"{gap:.3f} s",
                )
    for statuses, rows in gaps.items():
        short = [row for row in rows if row[0] < BURST_SECONDS]
        if len(short) * 2 > len(rows):
            gap, play, after = short[0]
            judgement.blame(
                after,
                f"retries on {statuses} come in a burst: {play.title}",
                expected=f"a wait of at least {BURST_SECONDS * 1000:g} ms before asking again",
                actual=f"{gap * 1000:.0f} ms; {len(short)} of {len(rows)} retries waited less",
            )
    if judgement.looked_at and not any(
        record.retried(turn) for play in record.plays for turn in play.turns if _is_retryable(turn)
    ):
        judgement.limit(_NO_RETRIES)


def _retryable(record: ClientRecord, judgement: Judgement) -> Iterator[tuple[Play, Turn]]:
    for play in record.plays:
        for turn in play.turns:
            if not _is_retryable(turn):
                continue
            if turn.unasked:
                judgement.set_aside(TARGET)
            else:
                yield play, turn


def _is_retryable(turn: Turn) -> bool:
    return isinstance(turn.told, Refusal) and may_be_retried(turn.told.status)
