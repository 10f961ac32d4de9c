"""Split probes into strands: the chains of requests that may be under way at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batch_conformance.server_runner.operation_probes import OperationProbes
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import Probe, ProbeContext, planned
from batch_conformance.server_runner.side_by_side import Place, Strand


def strands_of(part: OperationProbes, probe: str, context: ProbeContext) -> list[Strand]:
    """Return the strands of an operation's probe, with the plan positions of sending one request at a time.

    A probe in its ``chains`` has one strand a chain, any other
    one strand a request.
    """
    rank = list(part.probes).index(probe)
    if probe not in part.chains:
        return _each(probe, part.probes[probe], rank, context)
    place = _interleaved_place if probe in part.in_turn else _place
    return [
        Strand(probe, chain, place(rank, index), long=True) for index, chain in enumerate(part.chains[probe](context))
    ]


def strands_before(firsts: Mapping[str, Callable[[ProbeContext], Probe]], context: ProbeContext) -> list[Strand]:
    """Return the strands of the requests sent before the first authenticated one, by operation."""
    return [strand for rank, (name, made) in enumerate(firsts.items()) for strand in _each(name, made, rank, context)]


def _each(probe: str, made: Callable[[ProbeContext], Probe], rank: int, context: ProbeContext) -> list[Strand]:
    """Return a strand for each request of a probe that does not look at exchanges."""
    return [Strand(probe, _single(send), _place(rank, index)) for index, send in enumerate(planned(made, context))]


def _single(send: PlannedRequest) -> Probe:
    yield send


def _place(*before: int) -> Callable[[int], Place]:
    return lambda step: (*before, step)


def _interleaved_place(rank: int, index: int) -> Callable[[int], Place]:
    return lambda step: (rank, step, index)
