"""From a probe to what of it may be under way at once."""

from __future__ import annotations

from collections.abc import Callable

from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probes import ANY_ORDER, CHAINS, IN_ORDER, PROBES, Probe, ProbeContext, planned
from batch_conformance.server_runner.side_by_side import Place, Strand

_RANK = {name: rank for rank, name in enumerate(PROBES)}


def strands_of(probe: str, context: ProbeContext) -> list[Strand]:
    """The strands of a probe, whose places are those its requests have when they are sent one at a time."""
    rank = _RANK[probe]
    if probe in ANY_ORDER | IN_ORDER:
        return [
            Strand(probe, _single(send), _place(rank, index))
            for index, send in enumerate(planned(PROBES[probe], context))
        ]
    if probe not in CHAINS:
        return [Strand(probe, PROBES[probe](context), _place(rank), long=True)]
    in_turn = probe != "wrong-place"
    return [
        Strand(probe, chain, _turn(rank, index) if in_turn else _place(rank, index), long=in_turn)
        for index, chain in enumerate(CHAINS[probe](context))
    ]


def _single(send: PlannedRequest) -> Probe:
    yield send


def _place(*before: int) -> Callable[[int], Place]:
    return lambda step: (*before, step)


def _turn(rank: int, index: int) -> Callable[[int], Place]:
    return lambda step: (rank, step, index)
