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
from batch_conformance.client_runner.circuit_breaker import Patience
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
from batch_conformance.client_runner.sanitize import Redact, Wording

#: Time limit of the warm-up call, in seconds.
WARM_UP_SECONDS = 8.0


@dataclass(eq=False)
class _Seat:
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

    def __init__(
        self, command: str, size: int = 4, *, redact: Redact = str, limits: Limits | None = None
    ) -> None:
        self._words = split_command(command)
        self.spec = f"exec:{command}"
        self._limits = limits or Limits()
        self._wording = Wording(redact)
        self._shown = f"the client {self._wording.line(self.spec, 120)}"
        self._patience = Patience(self._shown)
        self._size = max(1, size)
        #: Number of processes that are being started.
        self.starting = 0
        self._warm_up: Call | None = None
        self._turn = threading.Condition()
        self._idle: list[_Seat] = []
        self._busy: list[_Seat] = []
        self._closed = False
        self._kept = threading.local()
        first = _Seat()
        began = time.monotonic()
        try:
            self.hello = self._start(first)
        except ProtocolViolation as error:
            raise CouldNotRun(f"{self._shown} cannot be judged: it {error}") from None
        #: Seconds that the first process took to start, its warm-up call included.
        self.start_seconds = time.monotonic() - began
        self._idle.append(first)

    @property
    def broken_in_a_row(self) -> int:
        """Number of failures (calls and starts) since the last good reply; the sixth ends the run."""
        return self._patience.broken_in_a_row

    def get_batch(self, call: Call) -> Reply:
        """Make one call in a process of its own and wait for the reply, for at most the deadline plus the grace.

        Waits for an idle process first, when all are busy. Raises ``CouldNotRun`` after five restarts in
        a row without one good reply, or when the pool is closed.
        """
        self._wording.learn(call.api_key)
        kept: _Seat | None = getattr(self._kept, "seat", None)
        if kept is not None:
            return self._ask(kept, call)
        seat = self._take_seat()
        try:
            return self._ask(seat, call)
        except BaseException:
            self._vacate(seat)
            raise
        finally:
            self._give_back(seat)

    @contextmanager
    def one_process(self) -> Iterator[None]:
        """Reserve one process for all calls of this thread in the context (a new one if it exits)."""
        self._kept.seat = seat = self._take_seat()
        try:
            yield
        except BaseException:
            self._vacate(seat)
            raise
        finally:
            del self._kept.seat
            self._give_back(seat)

    def warm_up_with(self, call: Call) -> None:
        """Make this call first in every process and ignore its reply.

        Otherwise the time that a runtime needs to load or compile code at its first call would count against the
        deadline of that call. A process that fails the warm-up call is replaced, and no further ones are made.
        """
        self._warm_up = call
        with self._turn:
            idle, self._idle = self._idle, []
        began = time.monotonic()
        for seat in idle:
            self._warm(seat)
        self.start_seconds += time.monotonic() - began
        with self._turn:
            self._idle += idle
            self._turn.notify_all()

    def settle(self) -> None:
        """Record what idle processes did after their last reply."""
        with self._turn:
            for seat in self._idle:
                self._look_back(seat)

    def close(self) -> None:
        """Send ``bye`` to every process, give them ``bye_s`` seconds to exit, and kill the rest."""
        with self._turn:
            self._closed = True
            idle, self._idle = self._idle, []
            for seat in self._busy:
                if seat.process:
                    seat.process.kill()
            self._turn.notify_all()
        leaving = [(seat, seat.process) for seat in idle if seat.process]
        for seat, process in leaving:
            process.say_bye(encode(bye_request(seat.seq + 1)))
        deadline = time.monotonic() + self._limits.bye_s
        for seat, process in leaving:
            process.end(deadline - time.monotonic())
            process.release()
            seat.process = None
        with self._turn:
            # The calls under way notice that their process has ended, and clean up after it themselves.
            self._turn.wait_for(lambda: not self._busy, timeout=self._limits.bye_s)

    def _ask(self, seat: _Seat, call: Call) -> Reply:
        self._look_back(seat)
        process = seat.process or self._replace(seat)
        seat.seq += 1
        request = encode(call_request(seat.seq, call))
        started = time.monotonic()
        try:
            line = process.ask(request, call.timeout_s + self._limits.grace_s)
            seconds = time.monotonic() - started
            reply = reply_from(decode(line), seat.seq, call.operation)
        except ProtocolViolation as error:
            seconds = time.monotonic() - started
            reason = self._wording.line(str(error))
        else:
            self._patience.good()
            seat.last = replace(reply, seconds=seconds, stderr=process.take_stderr(self._wording.block))
            return seat.last
        # Outside of the handler, so that no exception raised from here on has the unredacted one as its context.
        stderr = self._vacate(seat)
        if not self._closed:
            self._patience.broke(self._wording.with_stderr(reason, stderr))
        return Reply(broken=f"the driver {reason}", seconds=seconds, stderr=stderr)

    def _look_back(self, seat: _Seat) -> None:
        """Blame unsolicited output, or an exit, since the last reply on that call, and end the process."""
        if seat.process is None or seat.last is None:
            return
        if unasked := seat.process.afterwards():
            seat.last.afterwards.append(f"the driver {self._wording.line(unasked)}")
            self._vacate(seat)

    def _replace(self, seat: _Seat) -> DriverProcess:
        """Start a process for the slot; a failed start counts for the circuit breaker only, and is repeated."""
        while seat.process is None:
            try:
                self._start(seat)
            except ProtocolViolation as error:
                self._patience.broke(str(error))
        return seat.process

    def _start(self, seat: _Seat) -> Hello:
        """Start a process and exchange ``hello``. Raises :class:`ProtocolViolation` with a redacted text."""
        with self._turn:
            self.starting += 1
        try:
            return self._started(seat)
        finally:
            with self._turn:
                self.starting -= 1

    def _started(self, seat: _Seat) -> Hello:
        try:
            process = DriverProcess(self._words, self._limits)
        except OSError as error:
            explained = _explained(error, self._words[0])
            raise ProtocolViolation(self._wording.line(f"cannot be started: {explained}")) from None
        seat.process, seat.seq, seat.last = process, 0, None
        try:
            # close() kills the processes that exist; it may have run just before this one did.
            self._check_open()
            line = process.ask(encode(hello_request(0)), self._limits.hello_s)
            hello = hello_from(decode(line), 0)
        except ProtocolViolation as error:
            stderr = self._vacate(seat)
            self._check_open()
            raise ProtocolViolation(self._wording.with_stderr(f"{error} (asked: hello)", stderr)) from None
        except BaseException:
            self._vacate(seat)
            raise
        self._warm(seat)
        return hello if seat.process else self._started(seat)

    def _warm(self, seat: _Seat) -> None:
        """Make the warm-up call; if the process fails it, end the process and leave the slot empty."""
        process, call = seat.process, self._warm_up
        if process is None or call is None:
            return
        try:
            self._wording.learn(call.api_key)
            seat.seq += 1
            line = process.ask(encode(call_request(seat.seq, call)), WARM_UP_SECONDS)
            reply_from(decode(line), seat.seq, call.operation)
        except ProtocolViolation:
            self._warm_up = None
            self._vacate(seat)

    def _vacate(self, seat: _Seat) -> str:
        """Kill and reap the process of a slot, and return the end of its stderr."""
        process, seat.process = seat.process, None
        if process is None:
            return ""
        process.end()
        stderr = process.take_stderr(self._wording.block)
        process.release()
        return stderr

    def _take_seat(self) -> _Seat:
        """Return an idle slot, or a new one with a process if there are fewer than ``size``; wait otherwise."""
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._closed or self._idle or len(self._busy) < self._size)
                self._check_open()
                seat = self._idle.pop() if self._idle else None
                self._busy.append(seat or (fresh := _Seat()))
            if seat:
                return seat
            try:
                self._start(fresh)
            except ProtocolViolation:
                # Some drivers cannot run twice at once (a lock, a port): reduce the size of the pool.
                with self._turn:
                    self._busy.remove(fresh)
                    self._size = max(1, len(self._busy) + len(self._idle))
                    self._turn.notify_all()
            except BaseException:
                self._give_back(fresh)
                raise
            else:
                return fresh

    def _give_back(self, seat: _Seat) -> None:
        with self._turn:
            self._busy.remove(seat)
            if self._closed:
                self._vacate(seat)
            else:
                self._idle.append(seat)
            self._turn.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise CouldNotRun(f"{self._shown} was closed before all calls were made")


def split_command(command: str) -> list[str]:
    """Split a command line into words as a POSIX shell does. Raises ``ValueError`` with a one-line message."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"exec:{command} cannot be split into words ({error}); check its quotes") from None
    if not words:
        raise ValueError("exec: names no command; write exec:COMMAND, e.g. exec:node driver.mjs")
    return words


def _explained(error: OSError, program: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no program {program}"
    if isinstance(error, PermissionError):
        return f"{program} is not executable"
    return f"{program}: {error.strerror or error}"
