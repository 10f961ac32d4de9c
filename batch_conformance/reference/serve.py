"""Serves an ASGI app with uvicorn: in a thread for the embedded target, or in the foreground."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn


def _config(app: Callable[..., Any]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        http="h11",
        ws="none",
        timeout_keep_alive=120,
        timeout_graceful_shutdown=1,
        server_header=False,
    )


class _Server(uvicorn.Server):
    """Stops as soon as it is told to: uvicorn itself looks every 0.1 s, and waits as long for its connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Tell it to stop, from another thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):
                # It raises where the loop has ended by itself.
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Tick, as uvicorn does, until told to stop."""
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is open; only answers that are under way are waited for."""
        if self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # One round of the loop, in which the connections are closed.
        await asyncio.sleep(0)


def listening_socket(port: int = 0) -> socket.socket:
    """A socket that listens on 127.0.0.1. Raises ``OSError`` when the port is taken."""
    # With the protocol named, asyncio turns Nagle's algorithm off: no 40 ms waits between head and body.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def serving(app: Callable[..., Any]) -> Iterator[str]:
    """Serve ``app`` in a thread; yields its base URL. The socket listens before the thread starts: no waiting."""
    listener = listening_socket()
    server = _Server(_config(app))
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="embedded-server", daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        thread.join()
        listener.close()


def serve_forever(app: Callable[..., Any], port: int, ready: Callable[[str], None]) -> None:
    """Serve ``app`` on 127.0.0.1 until interrupted; ``ready`` is told the base URL once it listens.

    Raises ``OSError`` when the port is taken.
    """
    with listening_socket(port) as listener:
        ready(f"http://127.0.0.1:{listener.getsockname()[1]}")
        uvicorn.Server(_config(app)).run(sockets=[listener])
