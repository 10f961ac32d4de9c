"""Legal variations of the reference client: they use the contract's latitude and must pass."""
# Overridden methods get arguments that few variations use.
# ruff: noqa: ARG002

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from batch_conformance.mutants.client.base import (
    ClientVariation,
    Faulty,
    Following,
    Retrying,
    retry_after,
)
from batch_conformance.reference.client import Answer, Batch, BatchError

VARIATIONS: dict[str, ClientVariation] = {}
_KNOWN = ("PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED")


def variation(name: str, description: str) -> Callable[[type[Faulty]], type[Faulty]]:
    """Return a decorator that registers a client as a legal variation."""

    def register(client: type[Faulty]) -> type[Faulty]:
        VARIATIONS[name] = ClientVariation(name, description, client)
        return client

    return register


@variation("as-it-is", "the reference client itself")
class _AsItIs(Faulty):
    pass


@variation("one-retry-on-500", "asks once more after a server error")
class _OneRetry(Retrying):
    retries = 1

    def worth_another(self, answer: Answer) -> bool:
        return answer.status >= 500


@variation("waits-on-429", "waits as long as a 429 says, and asks again")
class _WaitsOn429(Retrying):
    def worth_another(self, answer: Answer) -> bool:
        return answer.status == 429


@variation("retries-with-backoff", "asks again up to three times, waiting longer each time")
class _Backoff(Retrying):
    retries = 3


@variation("retries-nine-times", "makes ten requests, the most there may be")
class _NineTimes(Retrying):
    retries = 9

    def backoff(self, attempt: int) -> float:
        return 0.06


@variation("retry-after-capped", "honours Retry-After up to its deadline, and asks earlier where that is too long")
class _Capped(Retrying):
    def wait(self, attempt: int, answer: Answer, deadline: float) -> None:
        left = deadline - time.monotonic()
        after = retry_after(answer)
        time.sleep(after if after is not None and after < left else self.backoff(attempt))


@variation("counts-as-sent", "hands counts on as they are written, 5.0 as 5.0")
class _CountsAsSent(Faulty):
    def integer(self, number: float) -> int:
        return number  # type: ignore[return-value]


@variation("other-id-refused", "has an exception of its own for a batch with another id")
class _OtherIdRefused(Faulty):
    requested_id = ""

    def url(self, batch_id: str) -> str:
        self.requested_id = batch_id
        return super().url(batch_id)

    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        if self.requested_id and batch["id"] != self.requested_id:
            raise BatchError("other", "WrongBatch")
        return batch


@variation("retries-transport", "asks once more when the connection breaks")
class _RetriesTransport(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        try:
            return super().send(url, deadline)
        except BatchError as error:
            if error.kind != "transport":
                raise
        time.sleep(0.1)
        return super().send(url, deadline)


@variation("follows-redirects", "follows redirects, the key stays where it belongs")
class _Follows(Following):
    pass


@variation("follows-same-origin", "follows redirects within the origin only")
class _FollowsSameOrigin(Following):
    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        if not with_key:
            raise BatchError("http", "will not follow to another origin", 302)
        return super().hop(url, deadline, with_key)


@variation("redirects-are-transport", "calls any redirect a failure of transport")
class _RedirectsAreTransport(Faulty):
    def kind(self, status: int) -> str:
        return "transport" if 300 <= status < 400 else super().kind(status)


@variation("unknown-status-refused", "refuses a status it does not know")
class _StatusRefused(Faulty):
    def enumerated(self, value: str, known: Sequence[Any]) -> str:
        if value not in known:
            raise BatchError("decode", f"no such value: {value}")
        return value


@variation("dates-in-utc", "turns dates into UTC")
class _Utc(Faulty):
    def as_reply(self, batch: Batch) -> dict[str, Any]:
        return super().as_reply(batch) | {"created_at": batch["created_at"].astimezone(UTC).isoformat()}


@variation("dates-elsewhere", "turns dates into another zone, and says so")
class _Elsewhere(Faulty):
    def as_reply(self, batch: Batch) -> dict[str, Any]:
        zone = timezone(timedelta(hours=-3, minutes=-30))
        return super().as_reply(batch) | {"created_at": batch["created_at"].astimezone(zone).isoformat(" ")}


@variation("dates-rounded", "rounds to the nearest microsecond")
class _Rounded(Faulty):
    def instant(self, text: str) -> datetime:
        instant = super().instant(text)
        more = re.search(r"\.\d{6}([5-9])", text)
        return instant + timedelta(microseconds=1 if more else 0)


@variation("dates-as-sent", "hands dates on as they came")
class _AsSent(Faulty):
    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        # By id, since a list holds several.
        self.memory[batch["id"]] = value["created_at"]
        return batch

    def as_reply(self, batch: Batch) -> dict[str, Any]:
        return super().as_reply(batch) | {"created_at": self.memory[batch["id"]]}


@variation("no-webhook-left-out", "leaves webhookUrl out where there is none, and adds a member of its own")
class _LeftOut(Faulty):
    def as_reply(self, batch: Batch) -> dict[str, Any]:
        reply = super().as_reply(batch) | {"fetchedAt": "now"}
        return reply if batch["webhookUrl"] is not None else {k: v for k, v in reply.items() if k != "webhookUrl"}


@variation("extra-headers", "sends headers of its own, some of them odd")
class _ExtraHeaders(Faulty):
    def headers(self) -> dict[str, str]:
        own = {"content-type": "application/json", "x-request-id": "7d0f", "user-agent": "client/1 (test)"}
        return super().headers() | own | {"accept-encoding": "identity", "cache-control": "no-cache"}


@variation("header-in-capitals", "writes the header's name in capitals")
class _Capitals(Faulty):
    def headers(self) -> Any:
        return [("X-API-KEY", self.api_key), ("Accept", "*/*"), ("Content-Length", "0")]


@variation("closing-connections", "closes the connection after each request")
class _Closing(Faulty):
    def headers(self) -> dict[str, str]:
        return super().headers() | {"connection": "close"}


@variation("keeps-connections", "keeps its connections for the next client")
class _Keeps(Faulty):
    def close(self) -> None:
        if self._http is not self.memory.get("client"):
            super().close()

    def ask(self, url: str) -> AbstractContextManager[httpx.Response]:
        # The first client's connection pool stays open for all others.
        shared = self.memory.setdefault("client", self._http)
        extensions = {"trace": self.trace}
        return shared.stream("GET", url, headers=self.headers(), timeout=self.timeout, extensions=extensions)  # type: ignore[no-any-return]


@variation("over-encoding", "encodes every character of an id, in lower-case hex")
class _OverEncoding(Faulty):
    def segment(self, batch_id: str) -> str:
        return "".join(f"%{byte:02x}" for byte in batch_id.encode())


@variation("under-encoding", "leaves everything as it is that a path segment may hold")
class _UnderEncoding(Faulty):
    def segment(self, batch_id: str) -> str:
        return quote(batch_id, safe="!$&'()*+,;=:@~")


@variation("encoded-dots", "sends . and .. with their dots encoded")
class _EncodedDots(Faulty):
    def url(self, batch_id: str) -> str:
        return (
            f"{self.base_url}/v2/batch/{batch_id.replace('.', '%2E')}"
            if batch_id in (".", "..")
            else super().url(batch_id)
        )

    def ask(self, url: str) -> AbstractContextManager[httpx.Response]:
        request = self._http.build_request("GET", url, headers=self.headers())
        if url.endswith("%2E"):
            request.url = request.url.copy_with(raw_path=urlsplit(url).path.encode())
        return _Opened(self._http, request)


class _Opened(AbstractContextManager[httpx.Response]):
    """Sends a built request with its path unchanged."""

    def __init__(self, http: httpx.Client, request: httpx.Request) -> None:
        self._http = http
        self._request = request

    def __enter__(self) -> httpx.Response:
        self._response = self._http.send(self._request, stream=True)
        return self._response

    def __exit__(self, *_: object) -> None:
        self._response.close()


@variation("own-exceptions", "throws things of its own for what is not documented, and calls every 5xx http but 500")
class _OwnExceptions(Faulty):
    def kind(self, status: int) -> str:
        return "http" if status > 500 else super().kind(status)

    def json(self, body: bytes) -> Any:
        try:
            return super().json(body)
        except BatchError as error:
            raise BatchError("other", f"JSONDecodeError: {error}", 200) from None


@variation("wordy-errors", "says more than the server: address, id, status, and the message in quotes")
class _Wordy(Faulty):
    def message(self, answer: Answer) -> str:
        said = super().message(answer)
        return f"GET {self.base_url}/v2/batch/… failed with status {answer.status}\n\tserver said: <<{said}>>"


@variation("checks-the-id", "refuses a batch of another id than it asked for, and counts that make no sense")
class _ChecksTheId(Faulty):
    requested_id: str | None = None

    def url(self, batch_id: str) -> str:
        self.requested_id = batch_id
        return super().url(batch_id)

    def list_url(self, filters: Mapping[str, Any]) -> str:
        # No id is requested: only the counts of the entries are checked.
        self.requested_id = None
        return super().list_url(filters)

    def batch(self, value: Any) -> Batch:
        batch = super().batch(value)
        counts = batch["metrics"]
        total = counts["total_generations"]
        known = sum(counts.values()) - total
        over = batch["status"] == "COMPLETED" and (counts["pending_count"] or known != total)
        if (
            self.requested_id not in (None, batch["id"])
            or known > total
            or over
            or (not batch["outputUrl"] and batch["status"] == "COMPLETED")
        ):
            raise BatchError("decode", "that makes no sense")
        return batch


@variation("in-a-thread", "does each call in a thread of its own, and lets go of it at the deadline")
class _InAThread(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        result: list[Batch | BaseException] = []

        def call() -> None:
            try:
                result.append(super(_InAThread, self).get_batch(batch_id))
            except BaseException as error:
                result.append(error)

        worker = threading.Thread(target=call, daemon=True)
        worker.start()
        worker.join(self.timeout + 1)
        if not result:
            raise BatchError("timeout", "no answer in time")
        if isinstance(result[0], BaseException):
            raise result[0]
        return result[0]


@variation("message-from-anywhere", "shows the whole body of an error")
class _WholeBody(Faulty):
    def message(self, answer: Answer) -> str:
        try:
            return f"{answer.status} {json.loads(answer.body)}"
        except (ValueError, RecursionError):
            return f"{answer.status} {answer.body[:200]!r}"


@variation("bodies-read-to-the-close", "calls every body it cannot read a ValueError, however it came about")
class _ToTheClose(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        try:
            return super().send(url, deadline)
        except BatchError as error:
            if "peer closed" in str(error) or "incomplete" in str(error):
                raise BatchError("other", "ValueError: unexpected end") from None
            raise

    def json(self, body: bytes) -> Any:
        try:
            return super().json(body)
        except BatchError as error:
            raise BatchError("other", f"ValueError: {error}") from None


@variation("one-call-at-a-time", "refuses a call while another one is under way")
class _OneAtATime(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        lock = self.memory.setdefault("lock", threading.Lock())
        if not lock.acquire(blocking=False):
            raise BatchError("other", "busy with another call")
        try:
            return super().get_batch(batch_id)
        finally:
            lock.release()


@variation("deadline-by-signal", "ends a call with a signal at its deadline: on the main thread only")
class _BySignal(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        def late(*_: object) -> None:
            raise BatchError("timeout", "too late")

        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, self.timeout)
        try:
            return super().get_batch(batch_id)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@variation("key-in-a-global-behind-a-lock", "keeps the key for all calls, and lets in one at a time")
class _BehindALock(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        with self.memory.setdefault("lock", threading.Lock()):
            self.memory["key"] = self.api_key
            return super().send(url, deadline)

    def headers(self) -> dict[str, str]:
        return super().headers() | {"x-api-key": self.memory["key"]}
