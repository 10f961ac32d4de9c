"""Client cases as data: calls, the stub's responses, the expected outcome, and the clauses under test."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from batch_conformance.checks.client.record import ExpectedOutcome, HttpError, TransportFault, ValidBatch
from batch_conformance.client_runner.cases.plugged import drawn_members
from batch_conformance.client_runner.stub.answers import StubResponse, json_body
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.media_types import JSON, one_of
from batch_conformance.contract.pointers import read, replaced
from batch_conformance.generate.error_bodies import ErrorBodies
from batch_conformance.generate.ordinary import NotInContract, Ordinary

#: Deadlines, in whole seconds, since some clients accept nothing else.
DEADLINE = 5.0
SHORT_DEADLINE = 1.0
FAULT_DEADLINE = 2.0
LONG_DEADLINE = 60.0
#: Error responses before a retrying client gets a batch: enough to see that its retries have no limit.
MAX_ERRORS = 14


@dataclass(frozen=True)
class CallStep:
    """One call of a case. ``answers`` are sent one a request, the last one repeatedly; ``key`` is the index of the key.

    ``arguments`` are the arguments of the call other than the batch id. ``operation`` is the operation that is called;
    empty for that of the case. A call of another operation is made and not judged.
    """

    batch_id: str
    expected: ExpectedOutcome
    answers: tuple[StubResponse, ...]
    key: int = 0
    timeout_s: float = DEADLINE
    arguments: tuple[tuple[str, str | None], ...] = ()
    operation: str = ""


@dataclass(frozen=True)
class Case:
    """One client case. Only its calls are passed to the client.

    ``clauses`` are the clauses under test; the first is blamed when the client breaks down. ``ordinary``
    cases have nothing special about them: a failure there is expected in every case. ``base_path`` is a path prefix
    of the base URL. ``elsewhere`` are the responses of the other origins. With ``refused``, connections are refused.
    ``secure`` cases have an https base URL, for clients that trust its certificate. ``waits`` marks slow cases.
    ``together`` makes the two calls at once, by two clients: on a server each, or both on one (``one_server``).
    ``operation`` is the operation that is called. ``place`` is the pointer of the place that is varied, in cases
    derived from the schema. ``number`` identifies the case.
    """

    title: str
    clauses: tuple[str, ...]
    asks: tuple[CallStep, ...]
    ordinary: bool = False
    base_path: str = ""
    elsewhere: tuple[StubResponse, ...] = ()
    refused: bool = False
    secure: bool = False
    waits: bool = False
    together: bool = False
    one_server: bool = False
    operation: str = "get"
    place: str | None = None
    # Not an argument, so that a copy by replace() gets a number of its own.
    number: int = field(init=False, default_factory=itertools.count().__next__, compare=False)

    @property
    def operations(self) -> set[str]:
        """The operations that a client must have for the case."""
        return {self.operation, *(ask.operation for ask in self.asks)} - {""}

    @property
    def takes_its_deadline(self) -> bool:
        """Whether a call can only end by its deadline: no complete response comes, and no error is signalled."""
        late = any(answer.delay >= ask.timeout_s for ask in self.asks for answer in ask.answers)
        return late or self.drips or "timeout" in self._faults()

    @property
    def drips(self) -> bool:
        """Whether a response arrives in small pieces and never ends."""
        return bool({"drip", "drip-head"} & self._faults())

    @property
    def drips_in_head(self) -> bool:
        """Whether the head of a response arrives in small pieces and never ends."""
        return "drip-head" in self._faults()

    def _faults(self) -> set[str]:
        return {ask.expected.kind for ask in self.asks if isinstance(ask.expected, TransportFault)}


def as_documented(case: Case) -> Case:
    """Return the case with the success status and the media types that an edited contract documents."""
    contract = current_contract()
    operation = contract.operation(case.operation)
    if not contract.edited:
        return case

    def documented(answer: StubResponse) -> StubResponse:
        answer = answer.of_status(operation.success_status) if answer.status == 200 else answer
        found = operation.answer(answer.status)
        media_type = one_of(found.media_types) if found else None
        return answer if media_type in (None, JSON) else answer.in_place_of_json(media_type)

    asks = tuple(replace(ask, answers=tuple(map(documented, ask.answers))) for ask in case.asks)
    return replace(case, asks=asks, elsewhere=tuple(map(documented, case.elsewhere)))


@cached_by_contract
def error_bodies(operation: str, status: int) -> ErrorBodies:
    """Return the error bodies of an operation for a status, by the current contract."""
    return ErrorBodies(current_contract(), operation, status)


@cached_by_contract
def ordinary_values(operation: str) -> Ordinary:
    """Return the ordinary values of an operation, by the current contract."""
    return Ordinary(entity_of(operation), current_contract(), drawn_members(operation))


def possible(*makers: Callable[[], Case]) -> Iterator[Case]:
    """Yield the cases that the current contract allows."""
    for make in makers:
        with suppress(NotInContract):
            yield make()


class CaseFactory:
    """Makes fresh ids, ordinary batches and steps of cases; deterministic for a seed and contract.

    For another ``operation`` on one batch, its answers take the place of the batch.
    """

    def __init__(self, seed: int, operation: str = Case.operation) -> None:
        self.seed = seed
        self.operation = operation
        self.random = random.Random(f"cases:{seed}" if operation == Case.operation else f"cases:{operation}:{seed}")

    @property
    def values(self) -> Ordinary:
        """Ordinary values of the operation's response."""
        return ordinary_values(self.operation)

    def id(self) -> str:
        """Return an unused id of plain characters, in the form that the contract requires."""
        return self.values.id(self.random)

    def batch(self, batch_id: str | None = None, **changed: Any) -> dict[str, Any]:
        """Return an ordinary batch with all documented members, changed as given (objects member by member).

        Raises ``NotInContract`` if the current contract has no such member, or does not allow the value.
        """
        name = self.id() if batch_id is None else batch_id
        batch = self.values.value(self.random, name)
        return self.values.changed(batch, changed) if changed else batch

    def without(self, name: str) -> dict[str, Any]:
        """Return an ordinary batch without an optional member. Raises ``NotInContract`` if there is no such member."""
        return self.values.without(self.batch(), name)

    def batch_at(self, pointer: str, value: Any, *, valid: bool = True) -> dict[str, Any]:
        """Return an ordinary batch with another value at a place; other places change if they have to.

        Without ``valid``, nothing else changes, whether or not the contract allows the value.
        """
        batch = self.batch()
        return self.values.with_at(batch, pointer, value) if valid else replaced(batch, pointer, value)

    def id_of(self, batch: Mapping[str, Any]) -> str:
        """Return the id to request a batch by: its own, or a fresh one if the contract has no member for it."""
        echo = self.values.entity.echo
        found = read(batch, echo) if echo else None
        return found if isinstance(found, str) else str(found) if type(found) is int else self.id()

    def valid(
        self, batch: Mapping[str, Any], answer: StubResponse | None = None, *, key: int = 0, refusable: bool = False
    ) -> CallStep:
        """Return a call that receives this valid batch, in the form of ``answer`` if given."""
        return CallStep(self.id_of(batch), ValidBatch(batch, refusable), (answer or json_body(batch),), key)

    def refusal(self, expected: HttpError, answer: StubResponse, *, timeout_s: float = DEADLINE) -> CallStep:
        """Return a call that receives this error, up to a limit for clients that retry for ever."""
        batch_id = self.id()
        final = json_body(self.batch(batch_id))
        return CallStep(batch_id, expected, (*[answer] * MAX_ERRORS, final), timeout_s=timeout_s)

    def fault(self, expected: TransportFault, *answers: StubResponse, timeout_s: float = FAULT_DEADLINE) -> CallStep:
        """Return a call that meets a transport fault."""
        return CallStep(self.id(), expected, answers, timeout_s=timeout_s)
