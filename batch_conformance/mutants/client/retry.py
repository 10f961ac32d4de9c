"""Faults with retries and transport failures: ``client.retry.*`` and ``client.fault.*``."""
# Overridden methods get arguments that few faults use.
# ruff: noqa: ARG002

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Any

import httpx

from batch_conformance.mutants.client.base import (
    Faulty,
    Following,
    Registry,
    Retrying,
    Unwatched,
    empty_batch,
    retry_after,
)
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry()
_NEVER = "retry.never-401-404"
_BOUNDED = "retry.bounded"


class _Anew(Retrying):
    """Gives each request the whole deadline."""

    def send_again(self, url: str, deadline: float) -> Answer:
        return super().send_again(url, time.monotonic() + self.timeout)


def _retrying(name: str, clause: str, description: str, statuses: set[int], times: int, wait: float) -> None:
    """Register a client that retries some statuses ``times`` times, after ``wait`` seconds each.

    Mutants of retry.bounded honour Retry-After, so that they do not break retry.waits as well.
    """

    class Changed(_Anew):
        retries = times

        def worth_another(self, answer: Answer) -> bool:
            return answer.status in statuses

        def wait(self, attempt: int, answer: Answer, deadline: float) -> None:
            after = retry_after(answer) if clause == _BOUNDED else None
            if after and time.monotonic() + after > deadline:
                raise self.error(answer)
            time.sleep(max(wait, after or 0.0))

    mutant(name, clause, description)(Changed)


_retrying("401-retried", _NEVER, "retries a 401", {401}, 1, 0.1)
_retrying("404-retried", _NEVER, "retries a 404", {404}, 1, 0.1)
_retrying("404-retried-often", _NEVER, "retries a 404 three times at once", {404}, 3, 0.0)
_SERVER = {500, 501, 502, 503, 504, 520}
_retrying("retries-eleven", _BOUNDED, "retries eleven times", {429, *_SERVER}, 11, 0.1)
_retrying("retries-without-end", _BOUNDED, "retries server errors for ever", _SERVER, 10_000, 0.06)
_retrying("retries-429-without-end", _BOUNDED, "retries 429 for ever", {429}, 10_000, 0.06)
_retrying("retries-503-twelve-times", _BOUNDED, "retries a 503 twelve times", {503}, 12, 0.06)
_retrying("retries-past-deadline", _BOUNDED, "waits long between retries, whatever the deadline", _SERVER, 8, 2.5)
_WAITS = "retry.waits"
_retrying("retry-burst", _WAITS, "retries server errors at once", _SERVER, 3, 0.0)
_retrying("retry-burst-on-429", _WAITS, "retries a 429 at once", {429}, 3, 0.0)
_retrying("retry-once-at-once", _WAITS, "retries once, at once", {429, *_SERVER}, 1, 0.0)
_retrying("retry-after-ignored", _WAITS, "does not know Retry-After", {429, *_SERVER}, 2, 0.2)
_retrying("retry-after-on-503-ignored", _WAITS, "does not look at the Retry-After of a 503", {503}, 2, 0.2)
_retrying("retry-habit-of-a-second", _WAITS, "waits a good second, whatever Retry-After says", {429}, 2, 1.1)
_retrying("retry-ten-milliseconds", _WAITS, "waits ten milliseconds", {429, *_SERVER}, 4, 0.01)


@mutant("retry-after-in-milliseconds", _WAITS, "takes Retry-After for milliseconds")
class _Milliseconds(Retrying):
    def wait(self, attempt: int, answer: Answer, deadline: float) -> None:
        time.sleep(0.1 + min(retry_after(answer) or 0.0, 10.0) / 1000)


@mutant("retry-after-halved", _WAITS, "waits half of what Retry-After says")
class _Halved(Retrying):
    def wait(self, attempt: int, answer: Answer, deadline: float) -> None:
        time.sleep(0.1 + min(retry_after(answer) or 0.0, 3.0) / 2)


@mutant("retry-date-ignored", _WAITS, "knows Retry-After in seconds only")
class _DateIgnored(Retrying):
    def wait(self, attempt: int, answer: Answer, deadline: float) -> None:
        if not answer.headers.get("retry-after", "0").isdecimal():
            answer = Answer(answer.status, httpx.Headers(), answer.body)
        super().wait(attempt, answer, deadline)


@mutant("retry-date-crash", _WAITS, "dies of a date in Retry-After")
class _DateCrash(Retrying):
    def wait(self, attempt: int, answer: Answer, deadline: float) -> None:
        float(answer.headers.get("retry-after", "0"))
        super().wait(attempt, answer, deadline)


@mutant("retry-after-slept-out", _BOUNDED, "sleeps for as long as Retry-After says, whatever the deadline")
class _SleptOut(_Anew):
    def wait(self, attempt: int, answer: Answer, deadline: float) -> None:
        time.sleep(self.backoff(attempt) if retry_after(answer) is None else retry_after(answer) or 0.0)


def _send_fault(
    name: str,
    clause: str,
    description: str,
    kinds: set[str],
    outcome: Callable[[Faulty, BatchError], Batch],
    *also: str,
) -> None:
    """Register a client that returns or raises ``outcome`` instead of certain transport errors."""

    class Changed(Faulty):
        def get_batch(self, batch_id: str) -> Batch:
            url = self.url(batch_id)
            try:
                answer = self.send(url, time.monotonic() + self.timeout)
            except BatchError as error:
                if not kinds & set(str(error).split(":")[:1]):
                    raise
                return outcome(self, error)
            return self.read(answer)

    mutant(name, clause, description, *also)(Changed)


def _raises(error: Callable[[BatchError], Exception]) -> Callable[[Faulty, BatchError], Batch]:
    def fail(_: Faulty, cause: BatchError) -> Batch:
        raise error(cause)

    return fail


def _as(kind: str, status: int | None = None) -> Callable[[Faulty, BatchError], Batch]:
    return _raises(lambda error: BatchError(kind, str(error), status))


def _crash(_: BatchError) -> Exception:
    return ConnectionError("unhandled")


_REFUSED, _RESET = {"ConnectError"}, {"ReadError"}
_send_fault("refused-crash", "fault.refused", "dies when nobody listens", _REFUSED, _raises(_crash))
_send_fault("refused-as-other", "fault.refused", "cannot say that nobody listens", _REFUSED, _as("other"))
_send_fault(
    "refused-as-not-found",
    "fault.refused",
    "calls a refused connection not found",
    _REFUSED,
    _as("not_found", 404),
)
_send_fault(
    "refused-is-empty-batch",
    "fault.refused",
    "makes an empty batch when nobody listens",
    _REFUSED,
    lambda client, _: empty_batch(client),
)
_send_fault(
    "refused-as-server-error",
    "fault.refused",
    "calls a refused connection a server error",
    _REFUSED,
    _as("server_error", 503),
)
_send_fault("reset-crash", "fault.reset", "dies of a reset", _RESET, _raises(_crash))
_send_fault("reset-as-decode", "fault.reset", "takes a reset for a bad answer", _RESET, _as("decode"))
_send_fault(
    "reset-is-empty-batch",
    "fault.reset",
    "makes an empty batch of a reset",
    _RESET,
    lambda client, _: empty_batch(client),
)
_send_fault(
    "reset-as-server-error",
    "fault.reset",
    "takes a reset for a server error",
    _RESET,
    _as("server_error", 500),
)
_CUT = {"RemoteProtocolError"}
_send_fault("truncated-crash", "fault.truncated", "dies of an answer that is cut off", _CUT, _raises(_crash))
_send_fault(
    "truncated-is-empty-batch",
    "fault.truncated",
    "makes an empty batch of what is cut off",
    _CUT,
    lambda client, _: empty_batch(client),
)
_send_fault(
    "timeout-is-empty-batch",
    "fault.timeout",
    "makes an empty batch of a timeout",
    {"ReadTimeout"},
    lambda client, _: empty_batch(client),
)
_send_fault("timeout-as-other", "fault.timeout", "cannot say that time is up", {"ReadTimeout"}, _as("other"))
_send_fault(
    "timeout-as-server-error",
    "fault.timeout",
    "calls a timeout a 504",
    {"ReadTimeout"},
    _as("server_error", 504),
)
_send_fault(
    "timeout-crash",
    "fault.timeout",
    "dies of a timeout",
    {"ReadTimeout"},
    _raises(lambda _: TimeoutError("unhandled")),
)


@mutant("truncated-taken", "fault.truncated", "takes what has come when the connection ends early")
class _TruncatedTaken(Faulty):
    def receive(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        with suppress(httpx.RemoteProtocolError):
            for part in response.iter_bytes():
                body += part
                if time.monotonic() > deadline:
                    raise BatchError("timeout", "the answer did not end in time")
        return bytes(body)


@mutant("truncated-retried-for-ever", "fault.truncated", "asks again whenever an answer is cut off")
class _TruncatedRetried(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        while True:
            try:
                return super().send(url, time.monotonic() + self.timeout)
            except BatchError as error:
                if not str(error).startswith("RemoteProtocolError"):
                    raise
            time.sleep(0.05)


@mutant("reset-retried-in-a-burst", _BOUNDED, "asks two dozen times at once when a connection is reset")
class _ResetBurst(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        for _ in range(24):
            try:
                return super().send(url, deadline)
            except BatchError as error:
                if not str(error).startswith(tuple(_RESET)):
                    raise
        return super().send(url, deadline)


class _Patient(Unwatched):
    """Waits up to ``patience`` seconds for each read; None is for ever."""

    patience: float | None = None

    def ask(self, url: str) -> AbstractContextManager[httpx.Response]:
        return self._http.stream("GET", url, headers=self.headers(), timeout=httpx.Timeout(5, read=self.patience))


@mutant("no-deadline", "fault.timeout", "waits for an answer as long as it takes")
class _NoDeadline(_Patient):
    pass


@mutant("own-deadline", "fault.timeout", "waits a minute, whatever the caller says")
class _OwnDeadline(_Patient):
    patience = 60.0


@mutant("deadline-in-minutes", "fault.timeout", "takes the deadline for minutes")
class _Minutes(_Patient):
    def __init__(self, base_url: str, api_key: str, timeout: float = 10.0) -> None:
        super().__init__(base_url, api_key, timeout)
        self.patience = timeout * 60


@mutant("timeout-retried-often", "fault.timeout", "tries nine times before it gives up")
class _TimeoutRetried(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        for _ in range(8):
            try:
                return super().send(url, time.monotonic() + self.timeout)
            except BatchError as error:
                if not str(error).startswith("ReadTimeout"):
                    raise
        return super().send(url, deadline)


@mutant("drip-without-end", "fault.drip", "has a deadline for each read only")
class _DripWithoutEnd(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        return super().send(url, math.inf)


@mutant("drip-is-empty-batch", "fault.drip", "makes an empty batch of what drips")
class _DripIsEmpty(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        try:
            return super().get_batch(batch_id)
        except BatchError as error:
            if "did not end in time" in str(error):
                return empty_batch(self)
            raise


@mutant("drip-head-without-end", "fault.drip-head", "has a deadline for each read of the head only")
class _DripHeadWithoutEnd(Unwatched):
    pass


@mutant("drip-head-is-empty-batch", "fault.drip-head", "makes an empty batch of a head that drips")
class _DripHeadIsEmpty(Faulty):
    # State of the current response. On a busy machine the watchdog may also cut off a silent server.
    head_began = head_ended = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        super().trace(event, info)
        if event == "connection.connect_tcp.complete":
            self._watch(info["return_value"])
        elif event == "http11.receive_response_headers.complete":
            self.head_ended = True

    def _watch(self, stream: Any) -> None:
        read = stream.read

        def noticing(*args: Any, **options: Any) -> bytes:
            data: bytes = read(*args, **options)
            self.head_began = self.head_began or bool(data)
            return data

        stream.read = noticing

    def get_batch(self, batch_id: str) -> Batch:
        self.head_began = self.head_ended = False
        try:
            return super().get_batch(batch_id)
        except BatchError as error:
            if error.kind == "timeout" and self.head_began and not self.head_ended:
                return empty_batch(self)
            raise


@mutant("loop-without-end", "fault.redirect-loop", "follows redirects for ever")
class _LoopWithoutEnd(Following):
    most_hops = 10**9

    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        # Give each hop the whole deadline.
        return super().hop(url, time.monotonic() + self.timeout, with_key)


@mutant("loop-by-address", "fault.redirect-loop", "stops only where it has been before")
class _LoopByAddress(Following):
    most_hops = 10**9

    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        seen = self.__dict__.setdefault("seen", set())
        if url in seen:
            raise BatchError("transport", "redirected in circles")
        seen.add(url)
        return super().hop(url, time.monotonic() + self.timeout, with_key)


@mutant("loop-is-empty-batch", "reject.other-status", "makes an empty batch of a redirect")
class _LoopIsEmpty(Faulty):
    def read(self, answer: Answer) -> Batch:
        return empty_batch(self) if 300 <= answer.status < 400 else super().read(answer)


@mutant("loop-recursion", "fault.redirect-loop", "calls itself for each redirect, and dies of it")
class _LoopRecursion(Following):
    def send(self, url: str, deadline: float) -> Answer:
        try:
            return super().send(url, deadline)
        except BatchError as error:
            if "too many redirects" in str(error):
                raise RecursionError("maximum recursion depth exceeded") from None
            raise
