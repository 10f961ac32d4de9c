"""From a probe to what of it may be under way at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType

from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probes import PROBES, Probe, ProbeContext, planned, wrong_places
from batch_conformance.server_runner.reading import late_reads_by_batch, reads_by_batch
from batch_conformance.server_runner.side_by_side import Place, Strand

#: Probes whose requests do not wait for each other: they may be sent in any order, and beside other probes.
ANY_ORDER = frozenset(
    {
        "header-case", "unauthenticated", "invalid-keys", "near-keys", "other-org", "revoked-key", "unknown-ids",
        "near-ids", "hostile-keys", "methods", "unusual-requests", "hostile-ids",
    }
)  # fmt: skip
#: Probes of several chains: each in its order, one request after the answer to the other, and none waiting for another.
CHAINS: dict[str, Callable[[ProbeContext], list[Probe]]] = {
    "reads": reads_by_batch,
    "late-reads": late_reads_by_batch,
    "wrong-place": wrong_places,
}
#: Probes that need no answer, but whose requests have to arrive in their order, with nothing else in between: behind a
#: balancer, that keeps the turn of its instances from looking like a difference.
IN_ORDER = frozenset({"id-enumeration"})
#: Probes that may be under way together. The others are chains, of one request after the answer to the other.
TOGETHER = (
    (
        "reads", "header-case", "auth-per-request", "unauthenticated", "invalid-keys", "near-keys", "wrong-place",
        "conditional", "other-org", "revoked-key", "unknown-ids", "near-ids", "overrides",
    ),
    ("id-enumeration",),
    # What may leave a server in a bad state comes after all that needs it in a good one.
    ("hostile-keys", "methods"),
    ("unusual-requests", "hostile-ids"),
    ("late-reads",),
    ("keyless-on-authed-connection",),
)  # fmt: skip

_RANK = {name: rank for rank, name in enumerate(PROBES)}


def strands_of(probe: str, context: ProbeContext) -> list[Strand]:
    """The strands of a probe, whose places are those its requests have when they are sent one at a time."""
    rank = _RANK[probe]
    if probe in ANY_ORDER | IN_ORDER:
        return _each(probe, PROBES[probe], rank, context)
    if probe not in CHAINS:
        return [Strand(probe, PROBES[probe](context), _place(rank), long=True)]
    in_turn = probe != "wrong-place"
    return [
        Strand(probe, chain, _turn(rank, index) if in_turn else _place(rank, index), long=in_turn)
        for index, chain in enumerate(CHAINS[probe](context))
    ]


def strands_among(part: ModuleType, probe: str, context: ProbeContext) -> list[Strand]:
    """As :func:`strands_of`, for a probe of another operation: in any order, but for its ``CHAINS``."""
    rank, made = list(part.PROBES).index(probe), part.PROBES[probe]
    if probe in part.CHAINS:
        return [
            Strand(probe, chain, _place(rank, index), long=True)
            for index, chain in enumerate(part.CHAINS[probe](context))
        ]
    return _each(probe, made, rank, context)


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
