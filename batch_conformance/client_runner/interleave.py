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


#: A line of the client: its file and number.
Place = tuple[str, int]


class Schedule:
    """Stops the thread of one call where it first comes to the line ``stop``; None stops nowhere.

    ``times`` has the lines of the client in the order in which they were met, and when (monotonic clock);
    ``blocked`` tells whether the other call could not end meanwhile.
    """

    def __init__(self, stop: Place | None = None) -> None:
        self.times: dict[Place, float] = {}
        self.blocked = False
        self.stopped = threading.Event()
        self._go_on = threading.Event()
        self._stop = stop

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
        if event == "line" and place not in self.times:
            self.times[place] = time.monotonic()
            if place == self._stop:
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


def stops_of(schedule: Schedule, sent: float | None) -> Sequence[Place]:
    """The lines to stop at: those before the request was sent first of all, some of those behind it.

    ``sent`` is when that was; None when no request came.
    """
    places = list(schedule.times)
    before = sum(sent is not None and met <= sent for met in schedule.times.values())
    return [*_chosen(places[:before], STOPS_BEFORE), *_chosen(places[before:], STOPS_BEHIND)]


def _chosen(places: Sequence[Place], most: int) -> list[Place]:
    """At most ``most`` of the lines: all of files with few of them, so that a long file does not hide them."""
    by_file: dict[str, list[Place]] = {}
    for place in places:
        by_file.setdefault(place[0], []).append(place)
    chosen: set[Place] = set()
    groups = sorted(by_file.values(), key=len)
    for number, group in enumerate(groups):
        # Rounded up: of many files, the short ones come first.
        chosen |= set(_spread(group, -(-(most - len(chosen)) // (len(groups) - number))))
    return [place for place in places if place in chosen]


def _spread(places: Sequence[Place], most: int) -> Sequence[Place]:
    """At most ``most`` of the lines, spread evenly."""
    if len(places) <= most:
        return places
    if most < 2:
        return places[:most]
    return [places[position * (len(places) - 1) // (most - 1)] for position in range(most)]
