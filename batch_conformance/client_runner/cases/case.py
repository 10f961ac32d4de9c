"""A case: what a client is asked, what the stub answers, and which clauses that puts to the test. Data only."""

from __future__ import annotations

import itertools
import random
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batch_conformance.checks.client.record import ExpectedOutcome, HttpError, TransportFault, ValidBatch
from batch_conformance.client_runner.stub.answers import StubResponse, json_body

#: Deadlines, in seconds: whole ones, since some clients take no others.
DEADLINE = 5.0
SHORT_DEADLINE = 1.0
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
    ``operation`` is the one that its calls are of. ``number`` tells cases apart.
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
    number: int = field(default_factory=itertools.count().__next__, compare=False)


class CaseFactory:
    """Makes the parts of cases: fresh ids, ordinary batches. The same seed makes the same parts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"cases:{seed}")

    def id(self) -> str:
        """An id nobody has been asked for yet, of plain characters."""
        return "batch_" + "".join(self.random.choices(string.ascii_lowercase + string.digits, k=12))

    def batch(self, batch_id: str | None = None, **changed: Any) -> dict[str, Any]:
        """A completed batch with nothing special about it, every member there; ``changed`` members as given."""
        name = self.id() if batch_id is None else batch_id
        success, failed = self.random.sample(range(2, 90), 2)
        counts = {
            "total_generations": success + failed,
            "success_count": success,
            "failed_count": failed,
            "pending_count": 0,
        }
        ordinary = {
            "id": name,
            "created_at": f"2024-0{self.random.randint(1, 9)}-15T10:30:{self.random.randint(10, 59)}Z",
            "status": "COMPLETED",
            "metrics": counts,
            "outputUrl": f"https://api.sync.so/v2/batches/{self.random.randint(1000, 9999)}/result?sig=A%2Fb&part=1",
            "webhookUrl": f"https://hooks.example.com/Batch/{self.random.randint(1000, 9999)}?from=Sync",
        }
        return ordinary | changed

    def valid(self, batch: Mapping[str, Any], answer: StubResponse | None = None, *, key: int = 0) -> CallStep:
        """A call that gets this valid batch, written as in ``answer`` if given."""
        return CallStep(batch["id"], ValidBatch(batch), (answer or json_body(batch),), key)

    def refusal(self, told: HttpError, answer: StubResponse, *, timeout_s: float = DEADLINE) -> CallStep:
        """A call that gets this error, however often it asks, within reason."""
        batch_id = self.id()
        end = json_body(self.batch(batch_id))
        return CallStep(batch_id, told, (*[answer] * PATIENCE, end), timeout_s=timeout_s)

    def fault(self, told: TransportFault, *answers: StubResponse, timeout_s: float = 2.0) -> CallStep:
        """A call on which something goes wrong on the way."""
        return CallStep(self.id(), told, answers, timeout_s=timeout_s)
