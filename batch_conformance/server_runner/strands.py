"""From a probe to what of it may be under way at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType

from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import Probe, ProbeContext, planned
from batch_conformance.server_runner.side_by_side import Place, Strand


def strands_of(part: ModuleType, probe: str, context: ProbeContext) -> list[Strand]:
    """The strands of a probe of an operation, whose places are those its requests have when sent one at a time.

    ``part`` is the operation's ``server_probes``: the chains of a probe in its ``CHAINS``, else each request by itself.
    """
    rank = list(part.PROBES).index(probe)
    if probe not in part.CHAINS:
        return _each(probe, part.PROBES[probe], rank, context)
    place = _turn if probe in part.IN_TURN else _place
    return [
        Strand(probe, chain, place(rank, index), long=True)
        for index, chain in enumerate(part.CHAINS[probe](context))
    ]


def strands_before(
    firsts: Mapping[str, Callable[[ProbeContext], Probe]], context: ProbeContext
) -> list[Strand]:
    """The strands of what is sent before any valid key was, by operation."""
    return [
        strand for rank, (name, made) in enumerate(firsts.items()) for strand in _each(name, made, rank, context)
    ]


def _each(probe: str, made: Callable[[ProbeContext], Probe], rank: int, context: ProbeContext) -> list[Strand]:
    """A strand for each request of a probe that needs no answer."""
    return [
        Strand(probe, _single(send), _place(rank, index)) for index, send in enumerate(planned(made, context))
    ]


def _single(send: PlannedRequest) -> Probe:
    yield send


def _place(*before: int) -> Callable[[int], Place]:
    return lambda step: (*before, step)


def _turn(rank: int, index: int) -> Callable[[int], Place]:
    return lambda step: (rank, step, index)
