"""Probes of Get Batch that read known batches over time."""

from __future__ import annotations

from contextlib import suppress

from batch_conformance.contract import current_contract
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import Probe, ProbeContext


def reads(context: ProbeContext) -> Probe:
    """Interleaved rounds of reads over all known batches; batches that change are read on until final."""
    return _in_turn(reads_by_batch(context))


def reads_by_batch(context: ProbeContext) -> list[Probe]:
    """Return one chain of reads per batch; the chains do not depend on each other."""
    batch_ids = context.ids[: context.profile.batches]
    return [_reads_of(context, value, len(batch_ids)) for value in batch_ids]


def _reads_of(context: ProbeContext, value: str, batches: int) -> Probe:
    rounds = max(context.profile.reads, -(-21 // batches) if context.profile.name != "quick" else 0)
    for _ in range(rounds):
        context.note_state((yield context.read("reads", value)))
    if not _moves(context.states.get(value, [])):
        return
    for _ in range(context.profile.advance):
        if context.states[value][-3:].count(context.states[value][-1]) >= 3:
            return
        context.note_state((yield context.read("reads", value)))


def _in_turn(chains: list[Probe]) -> Probe:
    """Send one request of each chain in turn, until all chains have ended."""
    sends = [(chain, next(chain, None)) for chain in chains]
    while sends:
        remaining: list[tuple[Probe, PlannedRequest | None]] = []
        for chain, send in sends:
            if send is not None:
                exchange = yield send
                with suppress(StopIteration):
                    remaining.append((chain, chain.send(exchange)))
        sends = remaining


def late_reads(context: ProbeContext) -> Probe:
    """Each known batch once more, after all other probes."""
    return _in_turn(late_reads_by_batch(context))


def late_reads_by_batch(context: ProbeContext) -> list[Probe]:
    """Return one chain of late reads per batch."""

    def reads_of(value: str) -> Probe:
        for _ in range(context.profile.late_reads):
            context.note_state((yield context.read("late-reads", value)))

    return [reads_of(value) for value in context.ids[: context.profile.batches]]


def _moves(states: list[str]) -> bool:
    if len(set(states)) <= 1:
        return False
    is_final = current_contract().lifecycle.is_final(states[-1])
    return not (is_final and states[-3:].count(states[-1]) >= 3)
