"""A case: what a client is asked, what the stub answers, and which clauses that puts to the test. Data only."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from batch_conformance.checks.client.record import ExpectedOutcome, HttpError, TransportFault, ValidBatch
from batch_conformance.client_runner.cases.plugged import operation_cases
from batch_conformance.client_runner.stub.answers import StubResponse, json_body
from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import read, replaced
from batch_conformance.generate.error_bodies import ErrorBodies
from batch_conformance.generate.ordinary import NotInContract, Ordinary

#: Deadlines, in seconds: whole ones, since some clients take no others.
DEADLINE = 5.0
SHORT_DEADLINE = 1.0
FAULT_DEADLINE = 2.0
LONG_DEADLINE = 60.0
#: How often an error is answered before a retrying client is let go with a batch: enough to see that it has no limit.
PATIENCE = 14


@dataclass(frozen=True)
class CallStep:
    """One call of a case. ``answers`` come one a request, the last one ever after; ``key`` counts the run's keys.

    ``arguments`` are what the caller gives beside an id.
    """

    batch_id: str
    expected: ExpectedOutcome
    answers: tuple[StubResponse, ...]
    key: int = 0
    timeout_s: float = DEADLINE
    arguments: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True)
class Case:
    """One case. Nothing of it but its calls ever reaches the client.

    ``clauses`` are those that it puts to the test; the first is blamed when the client breaks down. ``ordinary``
    cases have nothing special about them: what goes wrong there goes wrong everywhere. ``base_path`` is a path prefix
    of the base URL. ``elsewhere`` are the answers of the other origins. ``secure`` cases have an https base URL, for
    clients that trust its certificate. ``waits`` marks cases that take their time. ``together`` has the two calls made
    at once, by two clients: at a server each, or both at one (``one_server``).
    ``operation`` is the one that its calls are of. ``place`` is the pointer of the one place that is special, in cases
    derived from the schema. ``number`` tells cases apart.
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
    # A case made of another one by replace() is one of its own.
    number: int = field(init=False, default_factory=itertools.count().__next__, compare=False)

    @property
    def takes_its_deadline(self) -> bool:
        """Whether a call ends with its deadline: no whole answer comes, and nothing else tells the client so."""
        late = any(answer.delay >= ask.timeout_s for ask in self.asks for answer in ask.answers)
        return late or self.drips or "timeout" in self._faults()

    @property
    def drips(self) -> bool:
        """Whether an answer comes in small pieces and without an end."""
        return bool({"drip", "drip-head"} & self._faults())

    @property
    def drips_in_head(self) -> bool:
        """Whether it is the head that comes so."""
        return "drip-head" in self._faults()

    def _faults(self) -> set[str]:
        return {ask.expected.kind for ask in self.asks if isinstance(ask.expected, TransportFault)}


def as_documented(case: Case) -> Case:
    """The case with the documented status of a success in place of 200, where that is another one."""
    status = current_contract().operation(case.operation).success_status
    if status == 200:
        return case

    def moved(answers: tuple[StubResponse, ...]) -> tuple[StubResponse, ...]:
        return tuple(answer.of_status(status) if answer.status == 200 else answer for answer in answers)

    asks = tuple(replace(ask, answers=moved(ask.answers)) for ask in case.asks)
    return replace(case, asks=asks, elsewhere=moved(case.elsewhere))


@cached_by_contract
def error_bodies(status: int, operation: str = "get") -> ErrorBodies:
    """The bodies of an error status of an operation of the contract in use."""
    return ErrorBodies(current_contract(), operation, status)


@cached_by_contract
def ordinary_values(operation: str = "get") -> Ordinary:
    """The ordinary values of an operation of the contract in use."""
    return Ordinary(entity_of(operation), current_contract(), operation_cases(operation).ordinary)


def possible(*makers: Callable[[], Case]) -> Iterator[Case]:
    """The cases that are possible under the contract in use."""
    for make in makers:
        with suppress(NotInContract):
            yield make()


class CaseFactory:
    """Makes the parts of cases: fresh ids, ordinary batches. The same seed and contract make the same parts."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(f"cases:{seed}")

    @property
    def values(self) -> Ordinary:
        """The ordinary values of what is answered."""
        return ordinary_values()

    def id(self) -> str:
        """An id nobody has been asked for yet, of plain characters, of the form that the contract asks for."""
        return self.values.id(self.random)

    def batch(self, batch_id: str | None = None, **changed: Any) -> dict[str, Any]:
        """An ordinary batch, every documented member there; ``changed`` members as given, objects member by member.

        Raises ``NotInContract`` where the contract in use has no such member, or does not allow it as given.
        """
        name = self.id() if batch_id is None else batch_id
        made = self.values.value(self.random, name)
        return self.values.changed(made, changed) if changed else made

    def without(self, name: str) -> dict[str, Any]:
        """An ordinary batch without an optional member. Raises ``NotInContract`` where there is no such member."""
        return self.values.without(self.batch(), name)

    def batch_at(self, pointer: str, value: Any, *, valid: bool = True) -> dict[str, Any]:
        """An ordinary batch with another value at a place, whatever else has to change for it.

        With ``valid`` off, nothing else changes, whether or not the contract allows it.
        """
        made = self.batch()
        return self.values.with_at(made, pointer, value) if valid else replaced(made, pointer, value)

    def id_of(self, batch: Mapping[str, Any]) -> str:
        """The id to ask for a batch: its own, or any where the contract has no member for it."""
        echo = self.values.entity.echo
        found = read(batch, echo) if echo else None
        return found if isinstance(found, str) else str(found) if type(found) is int else self.id()

    def valid(
        self, batch: Mapping[str, Any], answer: StubResponse | None = None, *, key: int = 0, refusable: bool = False
    ) -> CallStep:
        """A call that gets this valid batch, written as in ``answer`` if given."""
        return CallStep(self.id_of(batch), ValidBatch(batch, refusable), (answer or json_body(batch),), key)

    def refusal(self, told: HttpError, answer: StubResponse, *, timeout_s: float = DEADLINE) -> CallStep:
        """A call that gets this error, however often it asks, within reason."""
        batch_id = self.id()
        end = json_body(self.batch(batch_id))
        return CallStep(batch_id, told, (*[answer] * PATIENCE, end), timeout_s=timeout_s)

    def fault(self, told: TransportFault, *answers: StubResponse, timeout_s: float = FAULT_DEADLINE) -> CallStep:
        """A call on which something goes wrong on the way."""
        return CallStep(self.id(), told, answers, timeout_s=timeout_s)
