"""Building blocks of client mutants: the overridable reference client, registry, and retrying variants."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

import httpx

from batch_conformance.reference.client import (
    Adapter,
    Answer,
    Batch,
    BatchClient,
    BatchError,
    called,
    failure,
    filters,
    hello,
)


class Faulty(BatchClient):
    """Reference client with steps to override. ``memory`` outlives a client, like module globals do."""

    memory: ClassVar[dict[str, Any]] = {}
    method = "GET"
    # Wide enough that httpx raises its own error first, by which mutants distinguish faults, on a busy
    # machine too.
    watchdog_margin = 0.6

    def reply(self, batch_id: str) -> dict[str, Any]:
        """Return the adapter's reply to a call for one batch."""
        try:
            return {"batch": self.as_reply(self.get_batch(batch_id))}
        except BatchError as error:
            return failure(error)

    def list_reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the adapter's reply to a call of List Batches."""
        try:
            return {"batches": [self.as_reply(batch) for batch in self.list_batches(filters(request))]}
        except BatchError as error:
            return failure(error)


@dataclass(frozen=True)
class ClientMutant:
    """Client with one fault. ``also`` are clauses that the same fault inevitably breaks.

    ``operations`` are those that the tests run it with.
    """

    name: str
    clause: str
    description: str
    client: type[Faulty]
    also: frozenset[str] = frozenset()
    operations: tuple[str, ...] = ("get",)

    def adapter(self) -> Adapter:
        """Return a new adapter with an empty memory."""
        return adapter_of(self.client, self.name)


@dataclass(frozen=True)
class ClientVariation:
    """Client that differs from the reference client in a way that the contract allows."""

    name: str
    description: str
    client: type[Faulty]

    def adapter(self) -> Adapter:
        """Return a new adapter with an empty memory."""
        return adapter_of(self.client, self.name)


def adapter_of(client: type[Faulty], name: str) -> Adapter:
    """Return an adapter for a changed client, with a memory of its own."""
    memory: dict[str, Any] = {}
    fresh: type[Faulty] = type(client.__name__, (client,), {"memory": memory})

    def adapter(request: dict[str, Any]) -> dict[str, Any]:
        with fresh(request["base_url"], request["api_key"], request["timeout_s"]) as made:
            operation = called(request)
            if operation == "list":
                return made.list_reply(request)
            made.on_one = operation
            return made.reply(request["batch_id"])

    adapter.hello = hello(f"reference client, {name}")  # type: ignore[attr-defined]
    weakref.finalize(adapter, _close_all, memory)
    return adapter


def _close_all(memory: dict[str, Any]) -> None:
    """Close the connections that a client kept for later ones."""
    for value in memory.values():
        if isinstance(value, httpx.Client):
            value.close()


class Registry:
    """Mutants of one theme by name; ``operations`` are those that have the fault."""

    def __init__(self, *operations: str) -> None:
        self.operations = operations or ("get",)
        self.mutants: dict[str, ClientMutant] = {}

    def __call__(self, name: str, clause: str, description: str, *also: str) -> Callable[[type[Faulty]], type[Faulty]]:
        """Register the decorated client as a mutant that breaks ``client.<clause>`` and ``also``.

        Raises ``ValueError`` if the name is taken.
        """

        def register(client: type[Faulty]) -> type[Faulty]:
            if name in self.mutants:
                raise ValueError(f"there is a mutant {name} already")
            more = frozenset(f"client.{other}" for other in also)
            self.mutants[name] = ClientMutant(name, f"client.{clause}", description, client, more, self.operations)
            return client

        return register


class Unwatched(Faulty):
    """Has no deadline but the httpx timeout of each read."""

    @contextmanager
    def cut_off_at(self, deadline: float) -> Iterator[None]:  # noqa: ARG002
        """Do not cut the response off."""
        yield


class Retrying(Faulty):
    """Retries on 429 and 5xx, which is legal; the base of clients with faulty retries."""

    retries = 2
    first_wait = 0.15

    def send(self, url: str, deadline: float) -> Answer:
        """Send the request, and retry after a wait as long as ``worth_another`` is true."""
        answer = super().send(url, deadline)
        for attempt in range(self.retries):
            if not self.worth_another(answer):
                break
            self.wait(attempt, answer, deadline)
            answer = self.send_again(url, deadline)
        return answer

    def send_again(self, url: str, deadline: float) -> Answer:
        """Send a retry."""
        return super().send(url, deadline)

    def worth_another(self, answer: Answer) -> bool:
        """Whether to retry."""
        return answer.status == 429 or answer.status >= 500

    def wait(self, attempt: int, answer: Answer, deadline: float) -> None:
        """Wait before the next attempt, as long as Retry-After says, or with exponential backoff."""
        after = retry_after(answer)
        seconds = self.backoff(attempt) if after is None else after
        if time.monotonic() + seconds > deadline:
            raise self.error(answer)
        time.sleep(seconds)  # this wait is what is being judged

    def backoff(self, attempt: int) -> float:
        """Return the wait in seconds if the server names none."""
        return self.first_wait * float(2**attempt)


def retry_after(answer: Answer) -> float | None:
    """Return the seconds in Retry-After, from a number or a date; None if it is absent."""
    text = str(answer.headers.get("retry-after", ""))
    if not text or text.isdecimal():
        return float(text) if text else None
    return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())


class Following(Faulty):
    """Follows redirects, and sends the key to its own origin only."""

    most_hops = 10

    def send(self, url: str, deadline: float) -> Answer:
        """Send the request and follow redirects, at most ``most_hops``."""
        answer, at = self.hop(url, deadline, self.may_have_key(url)), url
        for _ in range(self.most_hops):
            if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers:
                return answer
            at = str(httpx.URL(at).join(answer.headers["location"]))
            answer = self.hop(at, deadline, self.may_have_key(at))
        raise BatchError("transport", "too many redirects")

    def may_have_key(self, url: str) -> bool:
        """Whether a URL has the origin that the key was given for."""
        base, there = httpx.URL(self.base_url), httpx.URL(url)
        return (base.scheme, base.host, base.port) == (there.scheme, there.host, there.port)

    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        """Send one request, with or without the key."""
        self.with_key = with_key
        if time.monotonic() > deadline:
            raise BatchError("timeout", "redirected until the deadline")
        return super().send(url, deadline)

    def headers(self) -> dict[str, str]:
        """Return the headers, without the key on hops that must not have it."""
        headers = super().headers()
        if not getattr(self, "with_key", True):
            del headers["x-api-key"]
        return headers


def empty_batch(client: Faulty, batch_id: str = "") -> Batch:
    """Return a batch of default values."""
    zeros = {"total_generations": 0, "success_count": 0, "failed_count": 0, "pending_count": 0}
    return client.batch(
        {
            "id": batch_id,
            "created_at": "1970-01-01T00:00:00Z",
            "status": "PENDING",
            "metrics": zeros,
            "outputUrl": "",
        }
    )
