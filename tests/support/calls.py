"""Calls and callables for the tests of clients: a call, a hello, and the error of a client that cannot be run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.client_runner.call import Call

HELLO = {"protocol": 1, "name": "here", "version": "1", "language": "python", "operations": ["get_batch"]}
#: A planted key that no message may contain.
KEY = "sk-planted-1f7c0d"
#: Seconds that a busy machine may add to any duration.
SLACK = 5.0

Adapter = Callable[[dict[str, Any]], Any]


def call(batch_id: str = "batch_1", timeout_s: float = 20, base_url: str = "http://127.0.0.1:1") -> Call:
    """Return a call, by default to a port where nothing listens."""
    return Call(base_url, KEY, batch_id, timeout_s)


def adapted(function: Adapter) -> Adapter:
    """Return the function with a hello."""
    function.hello = HELLO  # type: ignore[attr-defined]
    return function


def could_not_run(act: Callable[[], object]) -> str:
    """Return the one-line message of the ``CouldNotRun`` that ``act`` raises."""
    with pytest.raises(CouldNotRun) as raised:
        act()
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    assert KEY not in message
    return message
