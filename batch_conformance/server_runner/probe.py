"""Probes: generators of requests. They send and record, and never judge.

A probe yields :class:`PlannedRequest` and is sent the resulting :class:`Exchange`. Probes that do not look at
exchanges can be planned without sending.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from batch_conformance.contract.entity import entity_of
from batch_conformance.generate.ids import AskedId, known_id
from batch_conformance.generate.keys import Key
from batch_conformance.http import Exchange
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.profile import Profile

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

Probe = Generator[PlannedRequest, Exchange | None, None]


@dataclass
class ProbeContext:
    """What probes know of the target: the key, the known ids, and the states seen so far."""

    key: Key
    variable: str
    ids: list[str]
    profile: Profile
    seed: int
    #: The spelling of the key's header or parameter that the target accepts; empty for the contract's.
    key_name: str = ""
    states: dict[str, list[str]] = field(default_factory=dict)
    operations: tuple[str, ...] = ("get",)
    other_key: Key | None = None
    revoked_key: Key | None = None
    database: ExampleDatabase | None = None
    #: Header values of a read of the first known batch, by lower-case name.
    seen: dict[str, str] = field(default_factory=dict)
    #: The objects that List Batches returned, newest first.
    listed: tuple[dict[str, Any], ...] = ()

    @property
    def secret(self) -> str:
        """The valid key's value."""
        return self.key.value or ""

    def by_state(self) -> list[str]:
        """Return the known ids, the first one first, then those whose last status no earlier one has."""
        seen: set[str] = set()
        first: list[str] = []
        others: list[str] = []
        for value in self.ids:
            state = (self.states.get(value) or [""])[-1]
            (others if state in seen else first).append(value)
            seen.add(state)
        return [*first, *others]

    def read(self, probe: str, value: str) -> PlannedRequest:
        """Return an ordinary read of a known batch."""
        return PlannedRequest(probe, known_id(value), self.key, key_name=self.key_name)

    def anonymous(self, probe: str, asked: AskedId, key: Key) -> PlannedRequest:
        """Return a request without the valid key, on the connection that never carries it."""
        return PlannedRequest(probe, asked, key, lane="anonymous", key_name=self.key_name)

    def note_state(self, exchange: Exchange | None) -> str | None:
        """Record the status, and the caching headers of the first batch; return the status or None."""
        value = exchange.response.json.value if exchange and exchange.response else None
        if exchange is not None and exchange.status == 200 and exchange.intent.id == self.ids[0]:
            assert exchange.response is not None
            for name in ("etag", "last-modified", "date"):
                for text in filter(None, exchange.response.header_values(name)):
                    self.seen[name] = text
        entity = entity_of("get")
        moving = entity.lifecycle_pointer
        status = entity.value_at(value, moving) if moving and isinstance(value, dict) else None
        if exchange is not None and isinstance(status, str):
            self.states.setdefault(exchange.intent.id, []).append(status)
            return status
        return None


def planned(probe: Callable[[ProbeContext], Probe], context: ProbeContext) -> Iterator[PlannedRequest]:
    """Return the requests of a probe that does not look at exchanges, without sending them."""
    return probe(context)
