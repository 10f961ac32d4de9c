"""Two calls of one client at once, by a schedule: one stops at a chosen line of the client until the other is done.

What a client keeps outside of a call (a key in a module's global, a session's headers) is mixed up only when another
call comes between writing and reading it. Threads left to themselves meet there once in a while; a schedule always.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

#: Seconds that the first call waits for the second one: a client with a lock lets only one in at a time.
HOLD_SECONDS = 0.25
#: Libraries that clients stand on: a client's own state is written and read in its own lines, not in theirs.
# fmt: off
_LIBRARIES = frozenset((
    "aiohttp", "aiosignal", "annotated_types", "anyio", "asyncio", "attr", "attrs", "backoff", "certifi",
    "charset_normalizer", "dateutil", "frozenlist", "h11", "h2", "hpack", "httpcore", "httpx", "hyperframe",
    "idna", "multidict", "orjson", "propcache", "pydantic", "pydantic_core", "pytest", "_pytest", "pycurl",
    "requests", "respx", "sniffio", "stamina", "tenacity", "trio", "typing_extensions", "urllib3", "yarl",
))
# fmt: on
_PACKAGE = Path(__file__).resolve().parents[1]
_Trace = Callable[[FrameType, str, Any], Any]


class Schedule:
    """Stops the thread of one call at its line number ``stop``, counting each line of the client once.

    ``lines`` is how many were met, ``blocked`` whether the other call could not end meanwhile. ``stop`` 0 only counts.
    """

    def __init__(self, stop: int = 0) -> None:
        self.lines = 0
        self.blocked = False
        self.stopped = threading.Event()
        self._go_on = threading.Event()
        self._stop = stop
        self._met: set[tuple[str, int]] = set()

    def go_on(self) -> None:
        """Let the stopped call go on, or not stop at all."""
        self._go_on.set()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Follow what the current thread does in the context; nothing is followed under a debugger."""
        if sys.gettrace() is not None:
            yield
            return
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(None)

    def _call(self, frame: FrameType, event: str, argument: Any) -> _Trace | None:
        del event, argument
        return self._line if is_clients_own(frame.f_code.co_filename) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> _Trace:
        del argument
        place = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and place not in self._met:
            self._met.add(place)
            self.lines += 1
            if self.lines == self._stop:
                self.stopped.set()
                self._go_on.wait(4 * HOLD_SECONDS)
        return self._line


@cache
def is_clients_own(file: str) -> bool:
    """Whether a file is the client's: neither Python's own, nor of a library for HTTP or data, nor of the suite."""
    if file.startswith("<"):
        return False
    path = Path(file).resolve()
    if path.is_relative_to(_PACKAGE):
        return path.is_relative_to(_PACKAGE / "reference")
    for folder in ("site-packages", "dist-packages"):
        if folder in path.parts[:-1]:
            return path.parts[path.parts.index(folder) + 1].removesuffix(".py") not in _LIBRARIES
    return not any(
        path.is_relative_to(Path(sysconfig.get_path(place)).resolve()) for place in ("stdlib", "platstdlib")
    )


def stops_of(lines: int, most: int) -> Sequence[int]:
    """At most ``most`` lines to stop at, spread evenly over all of them."""
    if lines <= most:
        return range(1, lines + 1)
    return sorted({1 + position * (lines - 1) // (most - 1) for position in range(most)})
