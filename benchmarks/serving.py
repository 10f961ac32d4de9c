"""Servers for benchmarks: variants of the reference server, with a request count or a delay."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from batch_conformance.reference.embedded import serving_embedded
from batch_conformance.reference.server import Answer, Asked, ReferenceServer


@dataclass
class Counted:
    """A running server; ``requests`` counts those that reached the application."""

    url: str = ""
    requests: int = 0


@contextmanager
def counted(app: ReferenceServer) -> Iterator[Counted]:
    """Serve ``app`` in this process, and count its requests."""
    served = Counted()
    inner = app.answer

    def answer(asked: Asked) -> Answer:
        served.requests += 1
        return inner(asked)

    app.answer = answer  # type: ignore[method-assign]
    with serving_embedded(app) as served.url:
        yield served


@contextmanager
def in_a_process_of_its_own() -> Iterator[tuple[str, int]]:
    """Run the conforming server in another process, so that it does not slow down the measured one.

    Yields its URL and its process id.
    """
    command = [sys.executable, "-m", "batch_conformance.reference", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[3].rstrip(","), process.pid
        finally:
            process.terminate()


@contextmanager
def far_away(url: str, seconds: float) -> Iterator[str]:
    """Serve a proxy of ``url`` that delays every request by ``seconds``; yields the proxy's URL."""
    parts = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    near, _ = listener.accept()
                    far = socket.create_connection((parts.hostname or "", parts.port or 80))
                    for ends, delay in (((near, far), seconds), ((far, near), 0.0)):
                        threading.Thread(target=_pass_on, args=(*ends, delay), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _pass_on(source: socket.socket, sink: socket.socket, delay: float) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            time.sleep(delay)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
