"""Unclosed resources of a client in this process: sockets, event loops, sessions.

They break no clause, so they must neither decide the exit status nor flood the output: they are counted and reported
in one line.
"""

from __future__ import annotations

import gc
import re
import socket
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakSet

from batch_conformance.client_runner.stub.server import ports_used

#: Rounds of garbage collection: objects freed in one round may release more in the next.
_ROUNDS = 3
_MAX_KINDS = 4


class Leftovers:
    """Number of unclosed resources by kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, what: str) -> None:
        """Count one resource of this kind."""
        self._counts[what] += 1

    def line(self) -> str:
        """Return all counts in one line; empty if there are none."""
        kinds = self._counts.most_common()
        parts = [f"{count} {what}" for what, count in kinds[:_MAX_KINDS]]
        more = sum(count for _, count in kinds[_MAX_KINDS:])
        return ", ".join([*parts, *([f"{more} more"] if more else [])])


@contextmanager
def counted_leftovers() -> Iterator[Leftovers]:
    """Count the resources that code in the context leaves unclosed, those found by collection at its end included.

    Sockets to stubs that are still open then are closed. Other warnings are passed on, and resources left unclosed
    before the context are not counted.
    """
    gc.collect()
    before = WeakSet(_open_sockets())
    leftovers = Leftovers()
    hooks = sys.unraisablehook, threading.excepthook
    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=ResourceWarning)
        warnings.filterwarnings("always", message=".* was never awaited", category=RuntimeWarning)
        show = warnings.showwarning

        def count(message: Any, category: Any, *more: Any, **named: Any) -> None:
            if issubclass(category, ResourceWarning) or "was never awaited" in str(message):
                leftovers.add(_kind(str(message)))
            else:
                show(message, category, *more, **named)

        warnings.showwarning = count
        sys.unraisablehook = lambda raised: leftovers.add(f"{_type_name(raised.exc_type)} while collected")
        threading.excepthook = lambda raised: leftovers.add(f"{_type_name(raised.exc_type)} in a thread of its own")
        try:
            yield leftovers
        finally:
            for _ in range(_ROUNDS):
                gc.collect()
            for sock in (one for one in _open_sockets() if one not in before):
                leftovers.add("open socket")
                with suppress(OSError):
                    sock.close()
            sys.unraisablehook, threading.excepthook = hooks


def _kind(message: str) -> str:
    """Return the kind of resource from a warning, without addresses, numbers and names."""
    if "never awaited" in message:
        return "coroutine never awaited"
    words = re.split(r"[<({\d'\"]", message, maxsplit=1)[0].strip(" :,.").lower()
    kind = re.match(r"unclosed <(?:\w+\.)*(\w+)", message)
    return f"unclosed {kind[1].lower()}" if kind else " ".join(words.split()[:4]) or "unclosed resource"


def _type_name(kind: type[BaseException] | None) -> str:
    return kind.__name__ if kind is not None else "error"


def _open_sockets() -> list[socket.socket]:
    found = []
    for value in gc.get_objects():
        # type(), not isinstance: reading __class__ may run the object's own code.
        if issubclass(type(value), socket.socket) and value.fileno() >= 0:
            with suppress(OSError):
                internet = value.family in (socket.AF_INET, socket.AF_INET6)
                if internet and value.getpeername()[1] in ports_used:
                    found.append(value)
    return found
