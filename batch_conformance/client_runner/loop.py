"""Event loop in a thread of its own, for clients that are async functions."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable
from typing import Any

#: Seconds that a loop may take to react; one that is blocked never does.
_NOTICE_SECONDS = 1.0

#: Return value and raised exception of a call; one of them is None.
Outcome = tuple[Any, BaseException | None]


class LoopThread:
    """One event loop for all calls, as in an async program, so that clients can keep connections between calls."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="client-loop", daemon=True)
        self._thread.start()

    def submit(self, work: Awaitable[Any]) -> concurrent.futures.Future[Outcome]:
        """Run ``work`` on the loop. Cancel the future to cancel the work."""
        return asyncio.run_coroutine_threadsafe(outcome(work), self._loop)

    def is_blocked(self) -> bool:
        """Whether a task keeps the loop from running anything else."""
        noticed = threading.Event()
        self._loop.call_soon_threadsafe(noticed.set)
        return not noticed.wait(_NOTICE_SECONDS)

    def close(self, seconds: float = 2 * _NOTICE_SECONDS) -> None:
        """Cancel all tasks and stop. A loop blocked for longer than ``seconds`` is left in its daemon thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(seconds)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            cancel_all(self._loop)
        finally:
            self._loop.close()


def cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel all tasks of a stopped loop and let them handle the cancellation."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=_NOTICE_SECONDS))
    loop.run_until_complete(loop.shutdown_asyncgens())
    # Selector loops list their transports here; other loops leave them to the garbage collector.
    for transport in list(getattr(loop, "_transports", {}).values()):
        transport.abort()
    loop.run_until_complete(asyncio.sleep(0))


async def outcome(work: Awaitable[Any]) -> Outcome:
    """Await the work and return its result or the exception it raised, instead of raising it."""
    try:
        return await work, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        # asyncio would pass SystemExit and KeyboardInterrupt on to run_forever, which would end the loop.
        return None, error
