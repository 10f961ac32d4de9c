"""Servers to measure against: any variant of the reference server, counting what it is asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from batch_conformance.reference.embedded import serving_embedded
from batch_conformance.reference.server import Answer, Asked, ReferenceServer


@dataclass
class Counted:
    """A server that is being served. ``requests`` are those that reached the application."""

    url: str = ""
    requests: int = 0


@contextmanager
def counted(app: ReferenceServer) -> Iterator[Counted]:
    """Serve ``app`` in this process and count its requests."""
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
    """The conforming server in another process, so that it does not share an interpreter with what is measured.

    Yields its URL and its process id.
    """
    command = [sys.executable, "-m", "batch_conformance.reference", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[3].rstrip(","), process.pid
        finally:
            process.terminate()
