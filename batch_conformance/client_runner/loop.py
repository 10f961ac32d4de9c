"""An event loop in a thread of its own, for clients that are async functions."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable
from typing import Any

#: How long a loop may take to notice that it should stop, in seconds; one that is blocked never does.
_NOTICE_SECONDS = 1.0

#: What was returned, or what was raised.
Outcome = tuple[Any, BaseException | None]


class LoopThread:
    """One loop for all calls, as an async program has it: clients may keep connections between calls."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="client-loop", daemon=True)
        self._thread.start()

    def submit(self, work: Awaitable[Any]) -> concurrent.futures.Future[Outcome]:
        """Run ``work`` on the loop. Cancel the future to cancel the work."""
        return asyncio.run_coroutine_threadsafe(outcome(work), self._loop)

    def is_blocked(self) -> bool:
        """Whether something on the loop keeps it from doing anything else."""
        noticed = threading.Event()
        self._loop.call_soon_threadsafe(noticed.set)
        return not noticed.wait(_NOTICE_SECONDS)

    def close(self, seconds: float = 2 * _NOTICE_SECONDS) -> None:
        """Cancel what is under way and stop. A loop blocked for longer stays behind, in its daemon thread."""
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
    """Cancel what is under way on a loop that has stopped, and let it take note."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=_NOTICE_SECONDS))
    loop.run_until_complete(loop.shutdown_asyncgens())
    # Where asyncio keeps its connections by socket; elsewhere they are left to be collected.
    for transport in list(getattr(loop, "_transports", {}).values()):
        transport.abort()
    loop.run_until_complete(asyncio.sleep(0))


async def outcome(work: Awaitable[Any]) -> Outcome:
    """What became of the work: its result or what it raised, without letting that through."""
    try:
        return await work, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        # Not let through: asyncio hands SystemExit and KeyboardInterrupt to run_forever, which would end.
        return None, error
