"""Two calls of one client at once, by a schedule: one stops at a chosen line of the client until the other is done.

What a client keeps outside of a call (a key in a module's global, a session's headers) is mixed up only when another
call comes between writing and reading it. Threads left to themselves meet there once in a while; a schedule always.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

#: Seconds that the first call waits for the second one: a client with a lock lets only one in at a time.
HOLD_SECONDS = 0.25
#: Lines to stop at, at most: before the request, where keys and addresses are mixed up, and behind it.
STOPS_BEFORE, STOPS_BEHIND = 24, 6
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

    ``times`` are when each was met (monotonic clock), ``blocked`` whether the other call could not end meanwhile.
    ``stop`` 0 only counts.
    """

    def __init__(self, stop: int = 0) -> None:
        self.times: list[float] = []
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
            self.times.append(time.monotonic())
            if len(self.times) == self._stop:
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


def stops_of(schedule: Schedule, sent: float | None) -> Sequence[int]:
    """The lines to stop at, by number: those before the request was sent first of all, some of those behind it.

    ``sent`` is when that was; None when no request came.
    """
    before = sum(sent is not None and met <= sent for met in schedule.times)
    return [*_spread(0, before, STOPS_BEFORE), *_spread(before, len(schedule.times), STOPS_BEHIND)]


def _spread(first: int, last: int, most: int) -> Sequence[int]:
    """At most ``most`` numbers above ``first`` up to ``last``, spread evenly."""
    count = last - first
    if count <= most:
        return range(first + 1, last + 1)
    return [first + 1 + position * (count - 1) // (most - 1) for position in range(most)]
