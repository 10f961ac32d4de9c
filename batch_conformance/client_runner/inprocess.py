"""Client under test in this process: a Python callable, sync or async (``python:MODULE:ATTRIBUTE``)."""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib
import inspect
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.client_runner.call import GRACE_SECONDS, Call, Reply
from batch_conformance.client_runner.circuit_breaker import CircuitBreaker
from batch_conformance.client_runner.interleave import HOLD_SECONDS, Place, Schedule
from batch_conformance.client_runner.loop import LoopThread, Outcome, cancel_all, outcome
from batch_conformance.client_runner.mainthread import Overdue, call_bounded, is_loop_running, is_main_thread
from batch_conformance.client_runner.protocol import (
    ProtocolViolation,
    call_request,
    hello_object,
    reply_from,
)
from batch_conformance.client_runner.sanitize import Redact, Sanitizer
from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import entity_of, examples_of
from batch_conformance.contract.pointers import replaced
from batch_conformance.contract.sendable import id_segment
from batch_conformance.http import read_json

if TYPE_CHECKING:
    from batch_conformance.client_runner.respx_bridge import RespxBridge

#: Takes a request of any operation that its ``hello`` attribute names, and returns the reply, or an awaitable of it.
Adapter = Callable[[dict[str, Any]], Any]


class InProcessClient:
    """Client under test behind a callable. Up to ``size`` calls run concurrently, each in its own thread.

    With a ``bridge`` the transport is ``respx``: the client's httpx is answered by the handlers mounted there.
    ``grace_s`` is the time in seconds that a call may exceed its deadline by; a call that takes longer is abandoned
    in its thread. Raises ``CouldNotRun`` when the callable has no valid ``hello``.
    """

    apart = False

    def __init__(
        self,
        adapter: Adapter,
        *,
        spec: str,
        bridge: RespxBridge | None = None,
        size: int = 4,
        redact: Redact = str,
        grace_s: float = GRACE_SECONDS,
    ) -> None:
        self.spec = spec
        self.bridge = bridge
        self.transport: Literal["loopback", "respx"] = "respx" if bridge else "loopback"
        self._adapter = adapter
        self._sanitizer = Sanitizer(redact)
        self._label = f"the client {self._sanitizer.line(spec, 120)}"
        self._breaker = CircuitBreaker(self._label)
        self._slots = threading.BoundedSemaphore(max(1, size))
        self._sequence = itertools.count(1)
        self._grace = grace_s
        #: Batch ids of calls abandoned after their time limit; they may still send requests.
        self.abandoned: frozenset[str] = frozenset()
        self._loop: LoopThread | None = None
        self._loop_lock = threading.Lock()
        #: Whether calls made from the main thread run on it, with ``_own_loop`` for async clients.
        self.on_main = False
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._hung = False
        if not callable(adapter):
            raise CouldNotRun(f"{self._label} cannot be judged: {type(adapter).__name__} cannot be called")
        if not hasattr(adapter, "hello"):
            raise CouldNotRun(f"{self._label} cannot be judged: it has no attribute hello (the hello object)")
        problem = ""
        try:
            self.hello = hello_object(_as_json(adapter.hello, "hello"))
        except ProtocolViolation as error:
            problem = self._sanitizer.line(str(error))
        if problem:
            raise CouldNotRun(f"{self._label} cannot be judged: it {problem}")

    @property
    def broken_in_a_row(self) -> int:
        """Number of broken calls since the last good reply; the sixth ends the run."""
        return self._breaker.broken_in_a_row

    def get_batch(self, call: Call) -> Reply:
        """Make one call and wait for the reply, for at most the deadline plus the grace.

        Raises ``CouldNotRun`` after six broken calls in a row.
        """
        return self._record(self._call(call))

    def _record(self, reply: Reply) -> Reply:
        if reply.broken is None:
            self._breaker.record_success()
        else:
            self._breaker.record_failure(reply.broken.removeprefix("the client "))
        return reply

    @property
    def is_async(self) -> bool:
        """Whether a call has returned an awaitable so far."""
        return self._loop is not None or self._own_loop is not None

    def settle_on_main(self, *, with_loop: bool = False) -> None:
        """Run all further calls that are made from the main thread on it.

        ``with_loop`` creates an event loop there, unless one is running already (a browser test's, say): then calls are
        awaited in a thread.
        """
        self.on_main = True
        if with_loop and self._own_loop is None and not is_loop_running():
            self._own_loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._own_loop)

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Reduce the grace to one second in the context: enough for a call that keeps its deadline."""
        before, self._grace = self._grace, min(self._grace, 1.0)
        try:
            yield
        finally:
            self._grace = before

    def settle_in_threads(self) -> None:
        """Run each further call in a thread of its own."""
        self.on_main = False
        self._close_own_loop()

    def get_interleaved(self, first: Call, second: Call, stop: Place | None) -> tuple[Reply, Reply, Schedule]:
        """Make two calls, the second one while the first is stopped at the line ``stop`` (see `Schedule`).

        Raises ``CouldNotRun`` as :meth:`get_batch` does.
        """
        schedule = Schedule(stop)
        replies: dict[int, Reply] = {}
        ended = [threading.Event(), threading.Event()]

        def make(number: int, call: Call, followed: Callable[[], AbstractContextManager[None]]) -> None:
            try:
                replies[number] = self._call(call, followed)
            finally:
                ended[number].set()
                schedule.stopped.set()

        threads = [
            threading.Thread(target=make, args=(0, first, schedule.followed), name="batch-first", daemon=True),
            threading.Thread(target=make, args=(1, second, nullcontext), name="batch-second", daemon=True),
        ]
        threads[0].start()
        schedule.stopped.wait()
        threads[1].start()
        ended[1].wait(HOLD_SECONDS)
        schedule.blocked = not ended[1].is_set()
        schedule.go_on()
        for thread in threads:
            thread.join()
        for reply in replies.values():
            self._record(reply)
        return replies[0], replies[1], schedule

    def check_transport(self) -> None:
        """Make a trial call under ``respx``; do nothing under ``loopback``.

        Raises ``CouldNotRun`` when the client sends nothing through httpx.
        """
        if self.bridge is None:
            return
        base_url = self.bridge.mount(_trial_answer)
        strays = len(self.bridge.strays)
        # On this thread: some clients run on the main thread only, and all others run there too.
        self.on_main = True
        try:
            reply = self._call(Call(base_url, "sk-trial-of-the-transport", "batch_trial", 5.0))
            sent = self.bridge.requests(base_url) or self.bridge.strays[strays:]
        finally:
            self.on_main = False
            self.bridge.unmount(base_url)
        reported = reply.broken or (f"{reply.error.kind}: {reply.error.message}" if reply.error else "")
        gave_up = reply.broken or (reply.error and reply.error.kind in ("transport", "timeout", "other"))
        if gave_up and not sent:
            raise CouldNotRun(
                f"{self._label} sends nothing through httpx, which --batch-transport respx needs "
                f"(a trial call gave: {self._sanitizer.line(reported, 200)}); use --batch-transport loopback"
            )

    def settle(self) -> None:
        """Do nothing: a callable does nothing after its reply."""

    def close(self) -> None:
        """Stop the event loops and unmount all handlers."""
        if self._loop:
            self._loop.close()
        self._close_own_loop()
        if self.bridge:
            self.bridge.close()

    def _call(self, call: Call, followed: Callable[[], AbstractContextManager[None]] = nullcontext) -> Reply:
        self._sanitizer.add_key(call.api_key)
        request = call_request(next(self._sequence), call)
        seq = request["seq"]
        window: AbstractContextManager[None] = self.bridge.active() if self.bridge else nullcontext()
        with self._slots, window:
            started, allowed = time.monotonic(), call.timeout_s + self._grace
            try:
                if self.on_main and is_main_thread():
                    value = self._call_here(request, allowed)
                else:
                    work = _Work(self._adapter, request, self._event_loop, followed)
                    work.wait(allowed)
                    value = work.reply()
                seconds = time.monotonic() - started
                # A callable has only one call to answer, so ``seq`` is optional here.
                value = {"seq": seq, **value} if isinstance(value, dict) else value
                return replace(reply_from(value, seq, call.operation), seconds=seconds)
            except ProtocolViolation as error:
                seconds = time.monotonic() - started
                if seconds >= allowed:
                    self._hung = True
                    self.abandoned |= {call.batch_id} - {""}
                return Reply(broken=self._sanitizer.line(f"the client {error}"), seconds=seconds)

    def _call_here(self, request: dict[str, Any], seconds: float) -> object:
        """Make one call on the current thread; return its reply as JSON. Raises :class:`ProtocolViolation`."""

        def make() -> Any:
            result = self._adapter(request)
            if not inspect.isawaitable(result):
                return result
            if self._own_loop is not None:
                result, raised = self._own_loop.run_until_complete(outcome(result))
            else:
                result, raised = self._event_loop().submit(result).result()
            if raised is not None:
                raise raised
            return result

        try:
            return _as_json(call_bounded(make, seconds), "reply")
        except Overdue:
            raise ProtocolViolation(f"gave no answer within {seconds:g} s") from None
        except ProtocolViolation:
            raise
        except BaseException as error:
            problem = f"raised {_named(error)}"
        raise ProtocolViolation(problem)

    def _close_own_loop(self) -> None:
        if self._own_loop is not None:
            asyncio.set_event_loop(None)
            cancel_all(self._own_loop)
            self._own_loop.close()
            self._own_loop = None

    def _event_loop(self) -> LoopThread:
        with self._loop_lock:
            # A loop blocked by an earlier call that hung would block all other calls.
            if self._loop and self._hung and self._loop.is_blocked():
                self._loop.close(0)
                self._loop = None
            self._loop = self._loop or LoopThread()
            self._hung = False
            return self._loop


class _Work:
    """One call under way in a daemon thread, which can be abandoned."""

    def __init__(
        self,
        adapter: Adapter,
        request: dict[str, Any],
        loop: Callable[[], LoopThread],
        followed: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._adapter = adapter
        self._followed = followed
        self._loop = loop
        self._future: concurrent.futures.Future[Outcome] | None = None
        self._late = False
        self._result: Any = None
        self._raised: BaseException | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, args=(request,), name="client-call", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait until the call has ended.

        Raises :class:`ProtocolViolation` if it does not, and cancels its task on the event loop.
        """
        if self._done.wait(seconds):
            return
        self._late = True
        if self._future:
            self._future.cancel()
        raise ProtocolViolation(f"gave no answer within {seconds:g} s")

    def reply(self) -> object:
        """Return the reply as JSON. Raises :class:`ProtocolViolation` if the call raised or returned something else."""
        if self._raised is not None:
            raise ProtocolViolation(f"raised {_named(self._raised)}")
        return _as_json(self._result, "reply")

    def _run(self, request: dict[str, Any]) -> None:
        try:
            with self._followed():
                result = self._adapter(request)
            if inspect.isawaitable(result):
                self._future = self._loop().submit(result)
                if self._late:
                    self._future.cancel()
                result, self._raised = self._future.result()
            self._result = result
        except BaseException as error:
            # Any exception, even SystemExit, is the client's result.
            self._raised = error
        finally:
            self._done.set()


def split_place(spec: str) -> tuple[str, str]:
    """Split ``python:MODULE:ATTRIBUTE`` into module and attribute. Raises ``ValueError`` if it is malformed."""
    kind, _, place = spec.partition(":")
    module_name, _, attribute = place.partition(":")
    if kind != "python" or not module_name or not attribute:
        raise ValueError(f"client {spec!r} is not understood; write python:MODULE:ATTRIBUTE")
    return module_name, attribute


def load_adapter(spec: str) -> Adapter:
    """Import the callable that ``python:MODULE:ATTRIBUTE`` names; modules are found as by ``python -m``.

    Raises ``ValueError`` when the specification is malformed, ``CouldNotRun`` when it cannot be imported.
    """
    module_name, attribute = split_place(spec)
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        reason = " ".join(_named(error).split())
        raise CouldNotRun(f"the client {spec} cannot be imported: {reason}") from error
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise CouldNotRun(f"the client {spec} cannot be judged: there is no {name} in {module_name}")
        found = getattr(found, name)
    return found  # type: ignore[no-any-return]


def _named(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # its __str__ raises
        return type(error).__name__


def _as_json(value: object, what: str) -> object:
    """Return the value as it would arrive from a driver, through JSON.

    Raises :class:`ProtocolViolation` for a value that is not JSON.
    """
    try:
        text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ProtocolViolation(f"has a {what} that is not JSON: {error}") from None
    return read_json(text.encode("ascii")).value


def _trial_answer(request: Any) -> Any:
    import httpx

    operation, entity = current_contract().operation("get"), entity_of("get")
    echo = entity.echo
    example: Any = next(iter(examples_of(entity)), {})
    asked = unquote(id_segment(operation, request.url.raw_path.decode("ascii").partition("?")[0]))
    return httpx.Response(200, json=replaced(example, echo, asked) if echo and example else example)
