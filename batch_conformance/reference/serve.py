"""Serves an ASGI app with uvicorn, in a thread for the embedded target or in the foreground."""

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
    """A uvicorn server that stops at once; uvicorn polls every 0.1 s, and waits as long for connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop the server, from another thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):
                # Raised if the loop has ended already.
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def main_loop(self) -> None:
        """Tick, as uvicorn does, until stopped."""
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections; wait only for responses in progress."""
        if self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # Let the loop close the connections.
        await asyncio.sleep(0)


def listening_socket(port: int = 0) -> socket.socket:
    """Return a socket that listens on 127.0.0.1. Raises ``OSError`` when the port is taken."""
    # asyncio disables Nagle's algorithm only for IPPROTO_TCP; else there are 40 ms between head and body.
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
    """Serve ``app`` in a thread. Yields the base URL, on which the socket already listens."""
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
    """Serve ``app`` on 127.0.0.1 until interrupted; ``ready`` gets the base URL once the socket listens.

    Raises ``OSError`` when the port is taken.
    """
    with listening_socket(port) as listener:
        ready(f"http://127.0.0.1:{listener.getsockname()[1]}")
        uvicorn.Server(_config(app)).run(sockets=[listener])
