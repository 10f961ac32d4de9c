"""Calls on the main thread, for clients that must run there: with a time limit, and signal handlers restored.

Python handles signals on the main thread only (a deadline by ``SIGALRM``), and only there does asyncio create an
event loop implicitly.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

#: Signal that interrupts an overdue call: a real-time signal that programs do not use, where there is one.
_SIGNAL = signal.SIGRTMIN + 7 if hasattr(signal, "SIGRTMIN") else getattr(signal, "SIGUSR2", None)
#: Seconds between signals to a call that ignores the first one.
_REPEAT_SECONDS = 0.25


class Overdue(BaseException):
    """Raised within a call on the main thread that exceeds its time limit."""


def is_main_thread() -> bool:
    """Whether the current thread is the main thread, which handles signals."""
    return threading.current_thread() is threading.main_thread()


def wait_until_interrupted() -> None:
    """Wait for Ctrl-C. Must be called on the main thread."""
    # A shell without job control starts background processes with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def is_loop_running() -> bool:
    """Whether an event loop is running on this thread, so that no second one can run."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def call_bounded(function: Callable[[], Any], seconds: float) -> Any:
    """Call ``function`` on the current thread, which must be the main thread; return its result or raise its exception.

    Raises :class:`Overdue` when it takes longer than ``seconds``: waits in Python code are interrupted.
    """
    ended = threading.Event()
    main = threading.get_ident()
    armed, overdue = True, False

    def interrupt(number: int, frame: object) -> None:
        del number, frame
        if armed:
            raise Overdue

    def watch() -> None:
        nonlocal overdue
        wait = seconds
        while not ended.wait(wait):
            overdue, wait = True, _REPEAT_SECONDS
            if _SIGNAL is not None:
                signal.pthread_kill(main, _SIGNAL)

    with _signals_restored():
        if _SIGNAL is not None:
            signal.signal(_SIGNAL, interrupt)
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
def _signals_restored() -> Iterator[None]:
    """Restore the signal handlers and the timer of the process: pytest-timeout, for one, sets its own."""
    alarm = getattr(signal, "SIGALRM", None)
    numbers = [number for number in (_SIGNAL, alarm) if number is not None]
    handlers = {number: signal.getsignal(number) for number in numbers}
    timer = signal.getitimer(signal.ITIMER_REAL) if alarm is not None else (0.0, 0.0)
    try:
        yield
    finally:
        if alarm is not None and (signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0) or timer != (0.0, 0.0)):
            signal.setitimer(signal.ITIMER_REAL, *timer)
        for number, handler in handlers.items():
            # None: not installed by Python, so it cannot be restored.
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
