"""How a fault is put into the reference server: one overridden step each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from batch_conformance.operations.stored import StoredBatch
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

Payload = dict[str, Any]


@dataclass(frozen=True)
class ServerMutant:
    """A variant of the reference server. ``clause`` is what it breaks ("" for a legal variation), ``also`` what it
    cannot help breaking too. ``options`` are for the judging: e.g. only some of the known ids. ``operations`` are those
    that the proof judges it by.
    """

    name: str
    clause: str
    build: Callable[[], ReferenceServer]
    also: frozenset[str] = frozenset()
    options: Collection[str] = field(default=())
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
    """Put a mutant (or, without a clause, a legal variation) into its registry. Names are unique."""
    registry = REGISTRY if clause else VARIATIONS
    if name in registry:
        raise ValueError(f"two variants named {name!r}")
    # What is legal is so for whatever is judged; a fault in Get Batch need not be looked for in the list.
    judged = operations or (("get",) if clause else ("get", "list"))
    registry[name] = ServerMutant(name, clause, build, frozenset(also), operations=judged)


def fault_in_batch(
    clause: str, name: str, change: Callable[[Payload, StoredBatch], Any], also: Collection[str] = ()
) -> None:
    """A server whose batches are changed before they are sent. ``batch.reads`` counts from 1."""

    class Faulty(ReferenceServer):
        def found(self, batch: StoredBatch, asked: Asked) -> Answer:
            return Answer(200, change(batch.read(), batch))

        def shown(self, batch: StoredBatch) -> Any:
            # What is legal one way is legal both ways, and then the same; a fault stays in one place.
            return batch.peek() if clause else change(batch.peek(), batch)

    register(name, clause, Faulty, also)


def fault_in_answer(
    clause: str,
    name: str,
    change: Callable[[ReferenceServer, Asked, Answer], Answer],
    also: Collection[str] = (),
) -> None:
    """A server whose answers are changed before they are sent."""

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
    """A server that admits whom it must not, or refuses whom it must admit; None leaves it to the real check."""

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
    """A server that finds batches by more than their id; tried when the real look-up finds nothing."""

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
    """A server whose errors (of one status, if given) are changed before they are sent."""

    def apply(_: ReferenceServer, __: Asked, answer: Answer) -> Answer:
        wanted = answer.status >= 400 if only is None else answer.status == only
        return change(answer) if wanted else answer

    fault_in_answer(clause, name, apply, also)
