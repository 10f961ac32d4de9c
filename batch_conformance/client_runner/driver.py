"""Client under test in any language: driver processes that speak the driver protocol (``exec:COMMAND``)."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.client_runner.call import Call, Hello, Reply
from batch_conformance.client_runner.circuit_breaker import CircuitBreaker
from batch_conformance.client_runner.process import DriverProcess, Limits
from batch_conformance.client_runner.protocol import (
    ProtocolViolation,
    bye_request,
    call_request,
    decode,
    encode,
    hello_from,
    hello_request,
    reply_from,
)
from batch_conformance.client_runner.sanitize import Redact, Sanitizer

#: Time limit of the warm-up call, in seconds.
WARM_UP_SECONDS = 8.0


@dataclass(eq=False)
class _Slot:
    """Slot for one process; ``process`` is None before it is started and after it has ended."""

    process: DriverProcess | None = None
    seq: int = 0
    last: Reply | None = None


class DriverPool:
    """Client under test behind up to ``size`` processes of one command, started on demand.

    Each call has a process to itself, so calls from several threads run concurrently. ``redact`` removes
    secrets from every text; the keys of the calls are always removed.

    Raises ``ValueError`` for a command that cannot be split into words, and ``CouldNotRun`` when the first
    process does not start or breaks the protocol at hello.
    """

    transport: Literal["loopback", "respx"] = "loopback"
    apart = True

    def __init__(self, command: str, size: int = 4, *, redact: Redact = str, limits: Limits | None = None) -> None:
        self._words = split_command(command)
        self.spec = f"exec:{command}"
        self._limits = limits or Limits()
        self._sanitizer = Sanitizer(redact)
        self._label = f"the client {self._sanitizer.line(self.spec, 120)}"
        self._breaker = CircuitBreaker(self._label)
        self._size = max(1, size)
        #: Number of processes that are being started.
        self.starting = 0
        self._warm_up: Call | None = None
        self._changed = threading.Condition()
        self._idle: list[_Slot] = []
        self._busy: list[_Slot] = []
        self._closed = False
        self._reserved = threading.local()
        first = _Slot()
        began = time.monotonic()
        try:
            self.hello = self._start(first)
        except ProtocolViolation as error:
            raise CouldNotRun(f"{self._label} cannot be judged: it {error}") from None
        #: Seconds that the first process took to start, its warm-up call included.
        self.start_seconds = time.monotonic() - began
        self._idle.append(first)

    @property
    def broken_in_a_row(self) -> int:
        """Number of failures (calls and starts) since the last good reply; the sixth ends the run."""
        return self._breaker.broken_in_a_row

    def get_batch(self, call: Call) -> Reply:
        """Make one call in a process of its own and wait for the reply, for at most the deadline plus the grace.

        Waits for an idle process first, when all are busy. Raises ``CouldNotRun`` after five restarts in
        a row without one good reply, or when the pool is closed.
        """
        self._sanitizer.add_key(call.api_key)
        reserved: _Slot | None = getattr(self._reserved, "slot", None)
        if reserved is not None:
            return self._call(reserved, call)
        slot = self._acquire()
        try:
            return self._call(slot, call)
        except BaseException:
            self._vacate(slot)
            raise
        finally:
            self._release(slot)

    @contextmanager
    def one_process(self) -> Iterator[None]:
        """Reserve one process for all calls of this thread in the context (a new one if it exits)."""
        self._reserved.slot = slot = self._acquire()
        try:
            yield
        except BaseException:
            self._vacate(slot)
            raise
        finally:
            del self._reserved.slot
            self._release(slot)

    def warm_up_with(self, call: Call) -> None:
        """Make this call first in every process and ignore its reply.

        Otherwise the time that a runtime needs to load or compile code at its first call would count against the
        deadline of that call. A process that fails the warm-up call is replaced, and no further ones are made.
        """
        self._warm_up = call
        with self._changed:
            idle, self._idle = self._idle, []
        began = time.monotonic()
        for slot in idle:
            self._warm(slot)
        self.start_seconds += time.monotonic() - began
        with self._changed:
            self._idle += idle
            self._changed.notify_all()

    def settle(self) -> None:
        """Record what idle processes did after their last reply."""
        with self._changed:
            for slot in self._idle:
                self._check_unsolicited(slot)

    def close(self) -> None:
        """Send ``bye`` to every process, give them ``bye_s`` seconds to exit, and kill the rest."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            for slot in self._busy:
                if slot.process:
                    slot.process.kill()
            self._changed.notify_all()
        leaving = [(slot, slot.process) for slot in idle if slot.process]
        for slot, process in leaving:
            process.say_bye(encode(bye_request(slot.seq + 1)))
        deadline = time.monotonic() + self._limits.bye_s
        for slot, process in leaving:
            process.end(deadline - time.monotonic())
            process.release()
            slot.process = None
        with self._changed:
            # The calls under way notice that their process has ended, and clean up after it themselves.
            self._changed.wait_for(lambda: not self._busy, timeout=self._limits.bye_s)

    def _call(self, slot: _Slot, call: Call) -> Reply:
        self._check_unsolicited(slot)
        process = slot.process or self._replace(slot)
        slot.seq += 1
        request = encode(call_request(slot.seq, call))
        started = time.monotonic()
        try:
            line = process.ask(request, call.timeout_s + self._limits.grace_s)
            seconds = time.monotonic() - started
            reply = reply_from(decode(line), slot.seq, call.operation)
        except ProtocolViolation as error:
            seconds = time.monotonic() - started
            reason = self._sanitizer.line(str(error))
        else:
            self._breaker.record_success()
            slot.last = replace(reply, seconds=seconds, stderr=process.take_stderr(self._sanitizer.block))
            return slot.last
        # Outside of the handler, so that no exception raised from here on has the unredacted one as its context.
        stderr = self._vacate(slot)
        if not self._closed:
            self._breaker.record_failure(self._sanitizer.with_stderr(reason, stderr))
        return Reply(broken=f"the driver {reason}", seconds=seconds, stderr=stderr)

    def _check_unsolicited(self, slot: _Slot) -> None:
        """Blame unsolicited output, or an exit, since the last reply on that call, and end the process."""
        if slot.process is None or slot.last is None:
            return
        if unsolicited := slot.process.afterwards():
            slot.last.afterwards.append(f"the driver {self._sanitizer.line(unsolicited)}")
            self._vacate(slot)

    def _replace(self, slot: _Slot) -> DriverProcess:
        """Start a process for the slot; a failed start counts for the circuit breaker only, and is repeated."""
        while slot.process is None:
            try:
                self._start(slot)
            except ProtocolViolation as error:
                self._breaker.record_failure(str(error))
        return slot.process

    def _start(self, slot: _Slot) -> Hello:
        """Start a process and exchange ``hello``. Raises :class:`ProtocolViolation` with a redacted text."""
        with self._changed:
            self.starting += 1
        try:
            return self._launch(slot)
        finally:
            with self._changed:
                self.starting -= 1

    def _launch(self, slot: _Slot) -> Hello:
        try:
            process = DriverProcess(self._words, self._limits)
        except OSError as error:
            reason = _explain(error, self._words[0])
            raise ProtocolViolation(self._sanitizer.line(f"cannot be started: {reason}")) from None
        slot.process, slot.seq, slot.last = process, 0, None
        try:
            # close() kills the processes that exist; it may have run just before this one did.
            self._check_open()
            line = process.ask(encode(hello_request(0)), self._limits.hello_s)
            hello = hello_from(decode(line), 0)
        except ProtocolViolation as error:
            stderr = self._vacate(slot)
            self._check_open()
            raise ProtocolViolation(self._sanitizer.with_stderr(f"{error} (asked: hello)", stderr)) from None
        except BaseException:
            self._vacate(slot)
            raise
        self._warm(slot)
        return hello if slot.process else self._launch(slot)

    def _warm(self, slot: _Slot) -> None:
        """Make the warm-up call; if the process fails it, end the process and leave the slot empty."""
        process, call = slot.process, self._warm_up
        if process is None or call is None:
            return
        try:
            self._sanitizer.add_key(call.api_key)
            slot.seq += 1
            line = process.ask(encode(call_request(slot.seq, call)), WARM_UP_SECONDS)
            reply_from(decode(line), slot.seq, call.operation)
        except ProtocolViolation:
            self._warm_up = None
            self._vacate(slot)

    def _vacate(self, slot: _Slot) -> str:
        """Kill and reap the process of a slot, and return the end of its stderr."""
        process, slot.process = slot.process, None
        if process is None:
            return ""
        process.end()
        stderr = process.take_stderr(self._sanitizer.block)
        process.release()
        return stderr

    def _acquire(self) -> _Slot:
        """Return an idle slot, or a new one with a process if there are fewer than ``size``; wait otherwise."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._idle or len(self._busy) < self._size)
                self._check_open()
                slot = self._idle.pop() if self._idle else None
                self._busy.append(slot or (new_slot := _Slot()))
            if slot:
                return slot
            try:
                self._start(new_slot)
            except ProtocolViolation:
                # Some drivers cannot run twice at once (a lock, a port): reduce the size of the pool.
                with self._changed:
                    self._busy.remove(new_slot)
                    self._size = max(1, len(self._busy) + len(self._idle))
                    self._changed.notify_all()
            except BaseException:
                self._release(new_slot)
                raise
            else:
                return new_slot

    def _release(self, slot: _Slot) -> None:
        with self._changed:
            self._busy.remove(slot)
            if self._closed:
                self._vacate(slot)
            else:
                self._idle.append(slot)
            self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise CouldNotRun(f"{self._label} was closed before all calls were made")


def split_command(command: str) -> list[str]:
    """Split a command line into words as a POSIX shell does. Raises ``ValueError`` with a one-line message."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"exec:{command} cannot be split into words ({error}); check its quotes") from None
    if not words:
        raise ValueError("exec: names no command; write exec:COMMAND, e.g. exec:node driver.mjs")
    return words


def _explain(error: OSError, program: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no program {program}"
    if isinstance(error, PermissionError):
        return f"{program} is not executable"
    return f"{program}: {error.strerror or error}"
