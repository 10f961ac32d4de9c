"""Building blocks of server mutants: each overrides one step of the reference server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from batch_conformance.operations.stored import StoredBatch
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

Payload = dict[str, Any]


@dataclass(frozen=True)
class ServerMutant:
    """Variant of the reference server.

    ``clause`` is the clause that it breaks ("" for a legal variation), ``also`` are clauses that the same
    fault inevitably breaks. ``operations`` are those that the tests run it with.
    """

    name: str
    clause: str
    build: Callable[[], ReferenceServer]
    also: frozenset[str] = frozenset()
    operations: Sequence[str] = ("get",)


REGISTRY: dict[str, ServerMutant] = {}
VARIATIONS: dict[str, ServerMutant] = {}


def register(
    name: str,
    clause: str,
    build: Callable[[], ReferenceServer],
    also: Collection[str] = (),
    operations: Sequence[str] = (),
) -> None:
    """Register a mutant or, without a clause, a legal variation.

    Raises ``ValueError`` if the name is taken.
    """
    registry = REGISTRY if clause else VARIATIONS
    if name in registry:
        raise ValueError(f"two variants named {name!r}")
    # A variation must be legal for every operation; a fault in Get Batch is only checked there.
    judged = operations or (("get",) if clause else ("get", "list"))
    registry[name] = ServerMutant(name, clause, build, frozenset(also), operations=judged)


def fault_in_batch(
    clause: str, name: str, change: Callable[[Payload, StoredBatch], Any], also: Collection[str] = ()
) -> None:
    """Register a server that changes batches before they are sent. ``batch.reads`` counts from 1."""

    class Faulty(ReferenceServer):
        def found(self, batch: StoredBatch, asked: Asked) -> Answer:
            return Answer(200, change(batch.read(), batch))

        def shown(self, batch: StoredBatch) -> Any:
            # A legal variation changes batches in both operations alike; a fault only in Get Batch.
            return batch.peek() if clause else change(batch.peek(), batch)

    register(name, clause, Faulty, also)


def fault_in_answer(
    clause: str,
    name: str,
    change: Callable[[ReferenceServer, Asked, Answer], Answer],
    also: Collection[str] = (),
) -> None:
    """Register a server that changes responses, other than lists, before they are sent."""

    class Faulty(ReferenceServer):
        def answer(self, asked: Asked) -> Answer:
            answer = super().answer(asked)
            return answer if asked.path == b"/v2/batch" else change(self, asked, answer)

    register(name, clause, Faulty, also)


def fault_in_auth(
    clause: str,
    name: str,
    admits: Callable[[ReferenceServer, Asked], bool | None],
    also: Collection[str] = (),
) -> None:
    """Register a server that authenticates wrongly. ``admits`` returns None to leave it to the real check."""

    class Faulty(ReferenceServer):
        def authenticate(self, asked: Asked) -> bool:
            verdict = admits(self, asked)
            return super().authenticate(asked) if verdict is None else verdict

    register(name, clause, Faulty, also)


def fault_in_lookup(
    clause: str,
    name: str,
    find: Callable[[ReferenceServer, bytes], StoredBatch | None],
    also: Collection[str] = (),
) -> None:
    """Register a server that finds batches by more than their id, where the real look-up finds none."""

    class Faulty(ReferenceServer):
        def look_up(self, segment: bytes) -> StoredBatch | None:
            return super().look_up(segment) or find(self, segment)

    register(name, clause, Faulty, also)


def fault_in_errors(
    clause: str,
    name: str,
    change: Callable[[Answer], Answer],
    *,
    only: int | None = None,
    also: Collection[str] = (),
) -> None:
    """Register a server that changes errors (of one status, if given) before they are sent."""

    def apply(_: ReferenceServer, __: Asked, answer: Answer) -> Answer:
        wanted = answer.status >= 400 if only is None else answer.status == only
        return change(answer) if wanted else answer

    fault_in_answer(clause, name, apply, also)
