"""Event loop in a background thread that serves all stubs of the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

_lock = threading.Lock()
_running: asyncio.AbstractEventLoop | None = None


def stub_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop; it is started, in a daemon thread, on the first call."""
    global _running
    with _lock:
        if _running is None or _running.is_closed():
            _running = asyncio.new_event_loop()
            threading.Thread(target=_running.run_forever, name="batch-stub", daemon=True).start()
        return _running


def on_loop(function: Callable[[], object]) -> None:
    """Call ``function`` soon on the loop's thread."""
    stub_loop().call_soon_threadsafe(function)


def settle(seconds: float = 2.0) -> None:
    """Wait until the loop has handled what has arrived, so that all requests sent before are recorded."""
    done = threading.Event()
    rounds = 3  # accept, read, answer: each takes one round of the loop

    def again() -> None:
        nonlocal rounds
        rounds -= 1
        if rounds:
            stub_loop().call_soon(again)
        else:
            done.set()

    on_loop(again)
    done.wait(seconds)


def start(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]], finish: Callable[[], object]) -> None:
    """Start ``work`` on the loop, from the loop's thread; ``tasks`` references it until it is done.

    ``finish`` is called then, even if the work was cancelled before it started.
    """
    task = stub_loop().create_task(work)
    tasks.add(task)

    def done(_: asyncio.Task[None]) -> None:
        tasks.discard(task)
        finish()

    task.add_done_callback(done)
