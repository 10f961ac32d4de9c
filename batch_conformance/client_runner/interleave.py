"""Scheduled interleaving of two calls: one stops at a chosen line of the client until the other has ended.

State shared between calls (a key in a module's global, a session's headers) gets mixed up only if the other call
runs between its write and its read. Free-running threads hit that window rarely; a schedule always does.
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

#: Seconds that the first call waits for the second one: in a client with a lock, the second one cannot go on.
HOLD_SECONDS = 0.25
#: Maximum number of lines to stop at: before the request is sent (where keys and URLs get mixed up), and after it.
STOPS_BEFORE, STOPS_BEHIND = 24, 6
#: Libraries that clients use: only lines of the client itself are stopped at, not of these.
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


#: Line of the client: file and line number.
Place = tuple[str, int]


class Schedule:
    """Stops the thread of one call when it first reaches the line ``stop``; None stops nowhere.

    ``times`` maps the executed lines of the client, in order, to their first execution (monotonic clock);
    ``blocked`` is true if the other call could not end while this one was stopped.
    """

    def __init__(self, stop: Place | None = None) -> None:
        self.times: dict[Place, float] = {}
        self.blocked = False
        self.stopped = threading.Event()
        self._go_on = threading.Event()
        self._stop = stop

    def go_on(self) -> None:
        """Resume the stopped call, or keep it from stopping."""
        self._go_on.set()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Trace the current thread in the context; does nothing under a debugger, which has a trace function."""
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
    """Whether a file is the client's own: not Python's, not a known library's, not the suite's."""
    if file.startswith("<"):
        return False
    path = Path(file).resolve()
    if path.is_relative_to(_PACKAGE):
        return path.is_relative_to(_PACKAGE / "reference")
    for folder in ("site-packages", "dist-packages"):
        if folder in path.parts[:-1]:
            return path.parts[path.parts.index(folder) + 1].removesuffix(".py") not in _LIBRARIES
    return not any(path.is_relative_to(Path(sysconfig.get_path(place)).resolve()) for place in ("stdlib", "platstdlib"))


def stops_of(schedule: Schedule, sent: float | None) -> Sequence[Place]:
    """Select the lines to stop at: up to 24 before the request was sent, up to 6 after it.

    ``sent`` is the time of the request (monotonic clock); None if there was none.
    """
    places = list(schedule.times)
    before = sum(sent is not None and executed <= sent for executed in schedule.times.values())
    return [*_select(places[:before], STOPS_BEFORE), *_select(places[before:], STOPS_BEHIND)]


def _select(places: Sequence[Place], most: int) -> list[Place]:
    """Select at most ``most`` lines, shared out over the files so that a long file does not crowd out short ones."""
    by_file: dict[str, list[Place]] = {}
    for place in places:
        by_file.setdefault(place[0], []).append(place)
    selected: set[Place] = set()
    groups = sorted(by_file.values(), key=len)
    for number, group in enumerate(groups):
        # Rounded up, so that with many files each of the shortest gets at least one.
        selected |= set(_spread(group, -(-(most - len(selected)) // (len(groups) - number))))
    return [place for place in places if place in selected]


def _spread(places: Sequence[Place], most: int) -> Sequence[Place]:
    """Select at most ``most`` lines, evenly spread."""
    if len(places) <= most:
        return places
    if most < 2:
        return places[:most]
    return [places[position * (len(places) - 1) // (most - 1)] for position in range(most)]
