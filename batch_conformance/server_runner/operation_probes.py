"""Probes of one operation: what its module ``server_probes`` defines, with defaults for what it may leave out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from batch_conformance.contract.parts import part_of, parts
from batch_conformance.server_runner.probe import Probe, ProbeContext

GET = "get"
#: Answers of a server that does not have the operation.
_ABSENT = frozenset({404, 405, 501})


@dataclass(frozen=True)
class OperationProbes:
    """Probes by name, in sending order, and how they may be sent.

    The first one is sent first, whatever else is wanted: if all its answers have a status in ``absent``, the server
    does not have the operation. ``before_first_auth`` yields requests to send before any with a valid key. The
    probes of each group in ``together`` may be under way at once; ``chains`` splits those that depend on their own
    answers. ``beside`` maps a probe to the one that it is always sent with. The requests of probes in ``in_turn``
    alternate between chains, and those of probes in ``in_order`` are never sent side by side.
    ``budgets`` is the most requests, by profile; None for no cap. ``more_requests`` is by how many an edited contract
    exceeds that, for a profile.
    """

    operation: str
    probes: Mapping[str, Callable[[ProbeContext], Probe]]
    budgets: Mapping[str, int | None]
    together: Sequence[Sequence[str]]
    chains: Mapping[str, Callable[[ProbeContext], list[Probe]]]
    beside: Mapping[str, str]
    in_turn: Collection[str]
    in_order: Collection[str]
    absent: Collection[int]
    before_first_auth: Callable[[ProbeContext], Probe]
    more_requests: Callable[[str], int]

    def most_requests(self, profile: str) -> int | None:
        """Return the most requests that these probes may send; None for no cap."""
        budget = self.budgets[profile]
        return None if budget is None else budget + self.more_requests(profile)

    @property
    def first(self) -> str:
        """Name of the first probe."""
        return next(iter(self.probes))

    def groups(self) -> list[Sequence[str]]:
        """Return all probes but the first in groups: those in no group of ``together`` come last, one by one."""
        grouped = {self.first, *(name for group in self.together for name in group)}
        return [*self.together, *([name] for name in self.probes if name not in grouped)]


class IncompleteModule(Exception):
    """Raised for a module of an operation that lacks something. The message names both."""


@cache
def probes_in(module: ModuleType) -> OperationProbes:
    """Return the probes that a module ``server_probes`` defines. Raises :class:`IncompleteModule`."""
    given: dict[str, Any] = vars(module)
    for name in ("OPERATION", "PROBES", "BUDGETS"):
        if not given.get(name):
            raise IncompleteModule(f"{module.__name__} lacks {name}")
    return OperationProbes(
        operation=given["OPERATION"],
        probes=given["PROBES"],
        budgets=given["BUDGETS"],
        together=given.get("TOGETHER", ()),
        chains=given.get("CHAINS", {}),
        beside=given.get("WITH", {}),
        in_turn=given.get("IN_TURN", frozenset()),
        in_order=given.get("IN_ORDER", frozenset()),
        absent=given.get("ABSENT", _ABSENT),
        before_first_auth=given.get("before_first_auth", _nothing),
        more_requests=given.get("more_requests", lambda _profile: 0),
    )


def _nothing(_context: ProbeContext) -> Probe:
    yield from ()


def get_module() -> ModuleType:
    """Return the module of Get Batch's probes, which the pre-flight and the generated probes build on."""
    module = part_of(GET, "server_probes")
    assert module is not None, "operations/get_batch/server_probes.py is missing"
    return module


def all_probes() -> Iterator[OperationProbes]:
    """Yield the probes of each operation."""
    return map(probes_in, parts("server_probes"))


def other_probes() -> Iterator[OperationProbes]:
    """Yield the probes of each operation but Get Batch."""
    return (part for part in all_probes() if part.operation != GET)


def most_requests(profile: str, operations: Collection[str]) -> int | None:
    """Return the most requests that a run of these operations may send; None for no cap."""
    budgets = [part.most_requests(profile) for part in all_probes() if part.operation in operations]
    capped = [budget for budget in budgets if budget is not None]
    return sum(capped) if len(capped) == len(budgets) else None
