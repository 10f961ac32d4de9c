"""Driver process in a session of its own: one line per message, with deadlines, and reliably killed."""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from batch_conformance.client_runner.call import GRACE_SECONDS
from batch_conformance.client_runner.protocol import ProtocolViolation, excerpt
from batch_conformance.client_runner.stderr_tail import StderrTail
from batch_conformance.client_runner.stub.tls import authority

_CHUNK = 65536
#: Seconds to wait for the kernel to end a killed process.
_REAP_SECONDS = 5.0
#: Replaces the user's key in the environment, to expose a client that prefers it to the key of the call.
DECOY = {"SYNC_API_KEY": "sk-from-the-environment-not-from-the-call"}


@dataclass(frozen=True)
class Limits:
    """Time limits (seconds) and size limits (bytes) of a driver process.

    ``ending_s`` is the wait for the exit of a process that has closed a pipe, since its exit status tells more.
    """

    hello_s: float = 10.0
    grace_s: float = GRACE_SECONDS
    bye_s: float = 2.0
    ending_s: float = 1.0
    line_bytes: int = 8 << 20
    stderr_bytes: int = 16 << 10


class DriverProcess:
    """Running driver process. Not thread-safe, except for :meth:`kill`.

    Raises ``OSError`` when the command cannot be started.
    """

    def __init__(self, words: Sequence[str], limits: Limits) -> None:
        self._child = subprocess.Popen(
            list(words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env={**os.environ, **DECOY, **(known.environment() if (known := authority()) else {})},
        )
        assert self._child.stdin
        assert self._child.stdout
        assert self._child.stderr
        self.pid = self._child.pid
        self._owner = os.getpid()
        self._limits = limits
        self._stdin, self._stdout = self._child.stdin.fileno(), self._child.stdout.fileno()
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)
        self._buffer = bytearray()
        self._scanned = 0
        self._stdout_ended = False
        self._answered = False
        self._closed = False
        # Becomes readable (end of file) when the process has ended; its children may keep its stdout open longer.
        self._exit, self._exit_writer = os.pipe()
        self._group = threading.Lock()
        self._reaped = False
        self._watcher = threading.Thread(target=self._watch, name="driver-exit", daemon=True)
        _running.add(self)
        self._watcher.start()
        self._stderr = StderrTail(self._child.stderr.fileno(), self._exit, limits.stderr_bytes)

    def ask(self, line: bytes, seconds: float) -> bytes:
        """Write one line, wait for one, and return it without its newline. Raises :class:`ProtocolViolation`."""
        deadline = time.monotonic() + seconds
        unsent = memoryview(line)
        failure, ending = f"gave no answer within {seconds:g} s", False
        with selectors.DefaultSelector() as selector:
            for fd in (self._exit, self._stdout):
                selector.register(fd, selectors.EVENT_READ)
            selector.register(self._stdin, selectors.EVENT_WRITE)
            while True:
                ready = {key.fd for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
                if self._stdin in ready:
                    sent = self._send(unsent)
                    unsent = unsent[sent or 0 :]
                    if sent is None:
                        failure, ending = "closed its stdin before it answered", True
                    if sent is None or not unsent:
                        selector.unregister(self._stdin)
                if self._stdout in ready or self._exit in ready:
                    answer = self._receive()
                    if answer is not None:
                        self._answered = True
                        return answer
                    if self._exit in ready:
                        how = self._exit_description()
                        raise ProtocolViolation(f"{how} before it answered{self._unfinished_line()}")
                if self._stdout_ended and self._stdout in ready:
                    selector.unregister(self._stdout)
                    failure, ending = "closed its stdout before it answered", True
                if ending:
                    deadline = min(deadline, time.monotonic() + self._limits.ending_s)
                if time.monotonic() >= deadline:
                    raise ProtocolViolation(failure + (self._unfinished_line() or self._unheard()))

    def afterwards(self) -> str:
        """Describe unsolicited output or the exit of the process since its last reply; empty if there was neither."""
        self._read_stdout()
        if self._buffer:
            return f"wrote to stdout without being asked: {excerpt(bytes(self._buffer))}"
        # The watcher thread lives as long as the process.
        return "" if self._watcher.is_alive() else f"{self._exit_description()} after it had answered"

    def take_stderr(self, clean: Callable[[str], str]) -> str:
        """Return the end of what the process wrote to stderr since the last call, redacted by ``clean``."""
        return self._stderr.take(clean)

    def say_bye(self, line: bytes) -> None:
        """Write the last message, if the pipe takes it, and close stdin. Does not wait."""
        self._send(memoryview(line))
        self._close_stdin()

    def end(self, seconds: float = 0.0) -> None:
        """Wait ``seconds`` for the process to exit, then kill its process group and reap it."""
        self._watcher.join(max(0.0, seconds))
        self.kill()
        self._watcher.join(_REAP_SECONDS)
        self._stderr.join(_REAP_SECONDS)

    def release(self) -> None:
        """Close the pipes of a process that has ended, after :meth:`end`."""
        if self._closed:
            return
        self._closed = True
        self._close_stdin()
        for stream in (self._child.stdout, self._child.stderr):
            if stream:
                stream.close()
        os.close(self._exit)
        _running.discard(self)

    def kill(self) -> None:
        """Kill the whole process group at once, from any thread; does nothing when it has ended."""
        with self._group:
            if not self._reaped:
                _kill_group(self.pid)

    def kill_at_exit(self) -> None:
        """Kill the process when the interpreter exits, but not in a forked child that inherited this object."""
        if self._owner == os.getpid():
            self.end()

    def _watch(self) -> None:
        # With waitid, the group is killed before the process is reaped, while its id cannot be reused.
        if hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._child.wait()
        with self._group:
            _kill_group(self.pid)
            self._child.wait()
            self._reaped = True
        os.close(self._exit_writer)

    def _send(self, unsent: memoryview) -> int | None:
        """Write to stdin; return how many bytes the pipe took, or None if its reading end is closed."""
        try:
            return os.write(self._stdin, unsent)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return None

    def _receive(self) -> bytes | None:
        """Return the next complete line, if there is one by now."""
        self._read_stdout()
        end = self._buffer.find(b"\n", self._scanned)
        self._scanned = len(self._buffer)
        if (end if end >= 0 else len(self._buffer)) > self._limits.line_bytes:
            raise ProtocolViolation(f"wrote a line of more than {self._limits.line_bytes} bytes")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._scanned = 0
        return line

    def _read_stdout(self) -> None:
        """Read what is available, up to the end of a line or beyond the maximum length of a line."""
        chunk = b""
        while not self._stdout_ended and b"\n" not in chunk and len(self._buffer) <= self._limits.line_bytes:
            try:
                chunk = os.read(self._stdout, _CHUNK)
            except BlockingIOError:
                return
            self._stdout_ended = not chunk
            self._buffer += chunk

    def _exit_description(self) -> str:
        status = self._child.returncode
        if status is None or status >= 0:
            return f"exited with status {status}"
        try:
            return f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"was ended by signal {-status}"

    def _unfinished_line(self) -> str:
        return " (its last line lacks the newline that ends a message)" if self._buffer else ""

    def _unheard(self) -> str:
        # The usual cause: most languages keep what is written to a pipe in a buffer.
        return "" if self._answered or self._stdout_ended else "; does it flush stdout after each line?"

    def _close_stdin(self) -> None:
        if self._child.stdin:
            self._child.stdin.close()


def _kill_group(pid: int) -> None:
    # macOS raises PermissionError when only a zombie is left of the group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


_running: set[DriverProcess] = set()


@atexit.register
def _end_all() -> None:
    for process in list(_running):
        process.kill_at_exit()
