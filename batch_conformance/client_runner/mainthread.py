"""Calls on the main thread, for clients that must run there: bounded in time, and the thread left as it was found.

Python handles signals on the main thread only (a deadline by ``SIGALRM``), and gives an event loop to it alone.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

#: What wakes a call that is overdue: a signal that programs do not use, where there is one.
_WAKE = signal.SIGRTMIN + 7 if hasattr(signal, "SIGRTMIN") else getattr(signal, "SIGUSR2", None)
#: A call that swallows the first one is sent another after so many seconds.
_AGAIN_SECONDS = 0.25


class Overdue(BaseException):
    """Raised in a call on the main thread that took longer than it may."""


def is_main_thread() -> bool:
    """Whether this is the thread that signals are handled in."""
    return threading.current_thread() is threading.main_thread()


def wait_until_interrupted() -> None:
    """Wait for Ctrl-C. To be called on the main thread."""
    # A shell without job control has it ignored by what it starts in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def is_loop_running() -> bool:
    """Whether an event loop runs on this thread: no other one can be run beside it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def call_bounded(function: Callable[[], Any], seconds: float) -> Any:
    """Call on the current thread, which is the main one, and return what it returns, or raise what it raises.

    Raises :class:`Overdue` when it takes longer than ``seconds``: whatever waits in Python is interrupted.
    """
    ended = threading.Event()
    main = threading.get_ident()
    armed, overdue = True, False

    def wake(number: int, frame: object) -> None:
        del number, frame
        if armed:
            raise Overdue

    def watch() -> None:
        nonlocal overdue
        wait = seconds
        while not ended.wait(wait):
            overdue, wait = True, _AGAIN_SECONDS
            if _WAKE is not None:
                signal.pthread_kill(main, _WAKE)

    with _signals_kept():
        if _WAKE is not None:
            signal.signal(_WAKE, wake)
        watcher = threading.Thread(target=watch, name="client-deadline", daemon=True)
        watcher.start()
        try:
            try:
                result = function()
            finally:
                armed = False
        finally:
            ended.set()
            watcher.join()
    if overdue:
        raise Overdue
    return result


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Put back the handlers and the timer of the process: pytest-timeout has some of its own."""
    alarm = getattr(signal, "SIGALRM", None)
    numbers = [number for number in (_WAKE, alarm) if number is not None]
    handlers = {number: signal.getsignal(number) for number in numbers}
    timer = signal.getitimer(signal.ITIMER_REAL) if alarm is not None else (0.0, 0.0)
    try:
        yield
    finally:
        if alarm is not None and (signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0) or timer != (0.0, 0.0)):
            signal.setitimer(signal.ITIMER_REAL, *timer)
        for number, handler in handlers.items():
            # None: set by something else than Python, which cannot be put back.
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
