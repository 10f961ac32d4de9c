"""Clients in this process: what a callable may do wrong, and the result."""

from __future__ import annotations

import asyncio
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batch_conformance.client_runner.inprocess import InProcessClient, load_adapter
from batch_conformance.client_runner.open import open_client
from tests.support.calls import HELLO, KEY, SLACK, Adapter, adapted, call, could_not_run

Open = Callable[..., InProcessClient]


def echo(request: dict[str, Any]) -> dict[str, Any]:
    """A client that invents its reply."""
    return {"batch": {"id": request["batch_id"]}}


@pytest.fixture
def open_adapter() -> Iterator[Open]:
    """Make clients of functions, which are closed after the test."""
    clients: list[InProcessClient] = []

    def open_adapter(function: Adapter, size: int = 4) -> InProcessClient:
        clients.append(InProcessClient(adapted(function), spec="python:here:f", size=size, grace_s=0.1))
        return clients[-1]

    yield open_adapter
    for client in clients:
        client.close()


def test_a_callable_gets_exactly_the_request_of_the_protocol(open_adapter: Open) -> None:
    """The same members as a driver process reads."""
    seen: list[dict[str, Any]] = []

    def adapter(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request)
        return {"seq": request["seq"], "error": {"kind": "not_found", "status": 404, "message": "no"}}

    client = open_adapter(adapter)
    reply = client.get_batch(call("batch_7", 3))
    assert (reply.error and (reply.error.kind, reply.error.status, reply.error.message)) == (
        "not_found",
        404,
        "no",
    )
    assert seen == [
        {
            "seq": 1,
            "op": "get_batch",
            "base_url": "http://127.0.0.1:1",
            "api_key": KEY,
            "batch_id": "batch_7",
            "timeout_s": 3,
        }
    ]
    assert (client.hello.name, client.transport) == ("here", "loopback")


def test_async_calls_share_one_loop_side_by_side(open_adapter: Open) -> None:
    """Objects kept between calls stay usable, as in an async program."""
    loops: set[int] = set()
    together = threading.Barrier(3)

    async def adapter(request: dict[str, Any]) -> dict[str, Any]:
        loops.add(id(asyncio.get_running_loop()))
        await asyncio.to_thread(together.wait, SLACK)
        return echo(request)

    client = open_adapter(adapter)
    with ThreadPoolExecutor(3) as threads:
        replies = list(threads.map(client.get_batch, [call("a"), call("b"), call("c")]))
    assert [reply.batch for reply in replies] == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert len(loops) == 1


def test_no_more_calls_than_allowed_run_at_once(open_adapter: Open) -> None:
    """Adapters need not be thread-safe."""
    running: list[int] = []
    most: list[int] = []

    def adapter(request: dict[str, Any]) -> dict[str, Any]:
        running.append(1)
        most.append(len(running))
        running.pop()
        return echo(request)

    client = open_adapter(adapter, size=1)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(client.get_batch, [call()] * 40))
    assert max(most) == 1


def _raise(error: BaseException) -> Adapter:
    def adapter(_: dict[str, Any]) -> Any:
        raise error

    return adapter


def _raise_async(error: BaseException) -> Adapter:
    async def adapter(_: dict[str, Any]) -> Any:
        raise error

    return adapter


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [
        (_raise(KeyError("status")), "raised KeyError: 'status'"),
        (_raise(SystemExit(2)), "raised SystemExit: 2"),
        (_raise_async(ValueError("two\nlines")), "raised ValueError: two lines"),
        (_raise_async(KeyboardInterrupt()), "raised KeyboardInterrupt: "),
        (lambda _: None, "sent a reply that breaks the protocol: the message must be object, not null"),
        (
            lambda _: {},
            "sent a reply that breaks the protocol: the message must hold either batch (batches for a list) or error",
        ),
        (lambda _: {"seq": 9, "batch": {}}, "answered seq 9 where seq 1 was asked"),
        (lambda _: {"batch": {"id": b"x"}}, "has a reply that is not JSON: Object of type bytes is not JSON"),
        (lambda _: {"batch": {"n": math.nan}}, "has a reply that is not JSON: Out of range float values"),
        (
            lambda request: {"error": {"kind": request["api_key"], "message": ""}},
            "sent a reply that breaks the",
        ),
    ],
)
def test_an_error_of_a_callable_breaks_its_call_only(open_adapter: Open, adapter: Adapter, reason: str) -> None:
    """One sentence without the key says what it did; the next call is made all the same."""
    client = open_adapter(lambda request: echo(request) if request["batch_id"] == "next" else adapter(request))
    reply = client.get_batch(call())
    assert str(reply.broken).startswith(f"the client {reason}".strip())
    assert KEY not in str(reply.broken)
    assert client.get_batch(call("next")).batch == {"id": "next"}


def test_a_call_that_hangs_is_abandoned(open_adapter: Open) -> None:
    """It is abandoned after deadline and grace, in its own thread, while other calls go on."""
    forever = threading.Event()

    def adapter(request: dict[str, Any]) -> dict[str, Any]:
        return echo(request) if request["batch_id"] != "hang" or forever.wait() else {}

    client = open_adapter(adapter)
    started = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        replies = list(threads.map(client.get_batch, [call("hang", 0.2)] * 3 + [call()]))
    assert [reply.broken for reply in replies] == ["the client gave no answer within 0.3 s"] * 3 + [None]
    assert 0.3 <= time.monotonic() - started < 0.3 + SLACK
    forever.set()


def test_an_async_call_that_hangs_is_cancelled(open_adapter: Open) -> None:
    """It does not go on in the loop that later calls use."""
    cancelled = threading.Event()

    async def adapter(request: dict[str, Any]) -> dict[str, Any]:
        try:
            await asyncio.sleep(60 if request["batch_id"] == "hang" else 0)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return echo(request)

    client = open_adapter(adapter)
    assert client.get_batch(call("hang", 0.1)).broken == "the client gave no answer within 0.2 s"
    assert cancelled.wait(SLACK)
    assert client.get_batch(call()).batch == {"id": "batch_1"}


def test_an_async_call_that_blocks_its_loop_does_not_block_the_next(open_adapter: Open) -> None:
    """The next call gets a loop of its own."""
    forever = threading.Event()

    async def adapter(request: dict[str, Any]) -> dict[str, Any]:
        return echo(request) if request["batch_id"] != "hang" or forever.wait() else {}

    client = open_adapter(adapter)
    assert client.get_batch(call("hang", 0.1)).broken == "the client gave no answer within 0.2 s"
    assert client.get_batch(call()).batch == {"id": "batch_1"}
    forever.set()


def test_six_broken_calls_in_a_row_end_the_run(open_adapter: Open) -> None:
    """The rule is that of driver processes; a good reply resets the count."""
    client = open_adapter(lambda request: echo(request) if request["batch_id"] == "good" else None)
    for _ in range(2):
        assert client.get_batch(call("good")).batch
        assert all(client.get_batch(call()).broken for _ in range(5))
    message = could_not_run(lambda: client.get_batch(call()))
    assert "broke 6 times in a row" in message
    assert message.endswith("sent a reply that breaks the protocol: the message must be object, not null")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (
            "python:no_such_module:f",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("python:adapters_here:exits", "cannot be imported: SystemExit: no settings"),
        ("python:adapters_there:gone", "cannot be judged: there is no gone in adapters_there"),
        ("python:adapters_there:silent", "cannot be judged: it has no attribute hello (the hello object)"),
        ("python:adapters_there:number", "cannot be judged: int cannot be called"),
        ("python:adapters_there:Kit.newer", "cannot be judged: it speaks protocol 2, this suite speaks 1"),
        (
            "python:adapters_there:vague",
            "cannot be judged: it has a hello that breaks the protocol: the message lacks",
        ),
    ],
)
def test_a_missing_or_invalid_callable_cannot_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, reason: str
) -> None:
    """Modules are found from the working directory, as by ``python -m``; one line says what is wrong."""
    (tmp_path / "adapters_here.py").write_text("raise SystemExit('no settings')")
    (tmp_path / "adapters_there.py").write_text(
        "number = 7\n"
        "def silent(request): ...\n"
        "def vague(request): ...\n"
        "vague.hello = {'protocol': 1, 'name': 'x'}\n"
        "class Kit:\n"
        "    def newer(request): ...\n"
        f"    newer.hello = {HELLO | {'protocol': 2}!r}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.delitem(sys.modules, "adapters_there", raising=False)
    assert could_not_run(lambda: open_client(spec)).startswith(f"the client {spec} {reason}")


@pytest.mark.parametrize(
    ("spec", "transport", "reason"),
    [
        (
            "node driver.mjs",
            "loopback",
            "is not understood; use embedded, exec:COMMAND or python:MODULE:ATTRIBUTE",
        ),
        ("", "loopback", "is not understood; use embedded, exec:COMMAND or python:MODULE:ATTRIBUTE"),
        ("python:module", "loopback", "is not understood; write python:MODULE:ATTRIBUTE"),
        ("python::f", "loopback", "is not understood; write python:MODULE:ATTRIBUTE"),
        ("exec:", "loopback", "exec: names no command"),
        ("exec:node driver.mjs", "respx", "exec: needs loopback"),
        ("embedded", "carrier pigeon", "use loopback or respx"),
    ],
)
def test_a_malformed_specification_is_wrong_usage(spec: str, transport: Any, reason: str) -> None:
    """It is detected before anything is imported or started."""
    with pytest.raises(ValueError, match=reason) as raised:
        open_client(spec, transport=transport)
    assert len(str(raised.value).splitlines()) == 1


def test_embedded_is_the_reference_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is only imported when it is requested."""
    module = SimpleNamespace(adapter=adapted(echo))
    monkeypatch.setitem(sys.modules, "batch_conformance.reference.client", module)
    client = open_client("embedded")
    assert (client.spec, client.hello.name) == ("embedded", "here")
    client.close()


def test_a_dotted_attribute_is_followed() -> None:
    """A function of a class is an example."""
    assert load_adapter("python:json:JSONDecoder.decode").__qualname__ == "JSONDecoder.decode"
