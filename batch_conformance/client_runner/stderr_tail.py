"""Bounded tail of a process's stderr, drained all the time so that the process never blocks on it."""

from __future__ import annotations

import os
import selectors
import threading
from collections.abc import Callable

#: Bytes kept beyond the shown tail: a secret cut in half at the start of the tail could not be redacted.
_MARGIN = 4096
_CHUNK = 65536
#: Maximum number of bytes drained at a time, so that a flood cannot hold up a caller of ``take``.
_MAX_DRAIN = 1 << 20


class StderrTail:
    """Drains a pipe in a thread of its own, until the pipe ends or ``stop_fd`` becomes readable.

    ``fd`` is set to non-blocking; the caller closes it, after :meth:`join`. ``keep`` is in bytes.
    """

    def __init__(self, fd: int, stop_fd: int, keep: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._stop_fd = stop_fd
        self._keep = keep
        self._tail = bytearray()
        self._cut = False
        self._ended = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain_until_stopped, name="driver-stderr", daemon=True)
        self._thread.start()

    def take(self, clean: Callable[[str], str]) -> str:
        """Return what was written since the last call, at most the last ``keep`` bytes of it, redacted by ``clean``."""
        with self._lock:
            # What was written before the reply is in the pipe by now, so there is no need to wait for the thread.
            self._drain()
            data, cut = bytes(self._tail), self._cut
            self._tail.clear()
            self._cut = False
        text = clean(data.decode("utf-8", "replace"))
        return "…" + text[_MARGIN:] if cut else text

    def join(self, seconds: float) -> None:
        """Wait for the thread, which ends once the pipe has ended or ``stop_fd`` is readable."""
        self._thread.join(seconds)

    def _drain_until_stopped(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._fd, selectors.EVENT_READ)
            selector.register(self._stop_fd, selectors.EVENT_READ)
            stopped = False
            while not stopped and not self._ended:
                ready = {key.fd for key, _ in selector.select()}
                stopped = self._stop_fd in ready
                with self._lock:
                    self._drain()

    def _drain(self) -> None:
        taken = 0
        while not self._ended and taken < _MAX_DRAIN:
            try:
                chunk = os.read(self._fd, _CHUNK)
            except BlockingIOError:
                return
            self._ended = not chunk
            taken += len(chunk)
            self._tail += chunk
            excess = len(self._tail) - self._keep - _MARGIN
            if excess > 0:
                del self._tail[:excess]
                self._cut = True
