"""Clients and threads: scheduled concurrent calls, calls on the main thread, unclosed resources."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.leftovers import counted_leftovers
from batch_conformance.client_runner.mainthread import Overdue, call_bounded
from batch_conformance.client_runner.session import judge_client
from batch_conformance.reference.client import BatchClient, BatchError, adapter, failure, hello
from batch_conformance.testing import BatchStub
from tests.support.running import CLIENT, run

Function = Callable[[dict[str, Any]], Any]
#: Enough clauses for trial calls, concurrent calls and deadlines.
SOME = {"client.auth.per-call", "client.decode.fields", "client.fault.timeout"}
SLACK = 5.0


def judged(function: Function, **options: Any) -> RunResult:
    """Run the suite on a function as an adapter."""
    function.hello = {**hello("made here"), "operations": ["get_batch"]}  # type: ignore[attr-defined]
    client = InProcessClient(function, spec="python:made:here", size=16, grace_s=1.0)
    try:
        return judge_client(client, profile="quick", **options)
    finally:
        client.close()


def red(result: RunResult) -> set[str]:
    """Return the clauses that are not green."""
    assert not result.error, result.error
    return {
        one.clause.id for one in result.results if one.verdict != "pass" and one.reason != "not selected in this run"
    }


def _by_alarm(request: dict[str, Any]) -> dict[str, Any]:
    """Its deadline is a SIGALRM."""

    def late(*_: object) -> None:
        raise BatchError("timeout", "too late")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, request["timeout_s"])
    try:
        return adapter({**request, "timeout_s": 60})
    except BatchError as error:
        return failure(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _by_alarm_where_it_can(request: dict[str, Any]) -> dict[str, Any]:
    """In threads it has no deadline, which only a silent server shows."""
    if threading.current_thread() is threading.main_thread():
        return _by_alarm(request)
    return adapter({**request, "timeout_s": 60})


def _on_its_loop(request: dict[str, Any]) -> dict[str, Any]:
    """Uses the event loop of the main thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        loop = asyncio.get_event_loop()
    return loop.run_until_complete(asyncio.to_thread(adapter, request))


@pytest.fixture
def _closed_loop() -> Iterator[None]:
    """Clients may create an event loop for the main thread; it is closed here."""
    yield
    with warnings.catch_warnings(), suppress(RuntimeError):
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.get_event_loop_policy().get_event_loop().close()
    asyncio.set_event_loop(None)


@pytest.mark.parametrize("function", [_by_alarm, _by_alarm_where_it_can, _on_its_loop])
@pytest.mark.usefixtures("_closed_loop")
def test_a_client_for_the_main_thread_is_called_there(function: Function) -> None:
    """Such a client is detected, and conforms."""
    before = signal.getsignal(signal.SIGALRM)
    assert red(judged(function, selected=SOME)) == set()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_client_that_stays_with_its_first_thread_is_called_there() -> None:
    """A client that holds a database connection is an example."""
    owner: list[int] = []

    def bound(request: dict[str, Any]) -> dict[str, Any]:
        owner.append(threading.get_ident())
        if threading.get_ident() != owner[0]:
            raise RuntimeError("made in another thread")
        return adapter(request)

    assert red(judged(bound, selected=SOME - {"client.fault.timeout"})) == set()


def test_beside_another_loop_a_client_without_batches_is_tested() -> None:
    """No second loop can run on that thread, for example beside browser tests, and none is needed."""

    def refusing(request: dict[str, Any]) -> dict[str, Any]:
        adapter(request)
        return {"error": {"kind": "decode", "message": "no"}}

    async def beside() -> RunResult:
        return judged(refusing, selected=SOME)

    loop = asyncio.new_event_loop()
    try:
        run = loop.run_until_complete(beside())
    finally:
        loop.close()
    assert "client.decode.fields" in red(run)


def test_a_client_for_the_main_thread_can_fail() -> None:
    """A client that waits for ever is interrupted and gets a verdict."""

    def endless(request: dict[str, Any]) -> dict[str, Any]:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        return adapter({**request, "timeout_s": 600})

    assert red(judged(endless, selected=SOME)) == {"client.fault.timeout"}


@pytest.mark.parametrize("wait", [lambda: time.sleep(60), lambda: threading.Event().wait(60)])
def test_an_overdue_call_on_the_main_thread_is_interrupted(wait: Callable[[], object]) -> None:
    """A call that swallows the interruption is interrupted too, once it ends."""
    began = time.monotonic()
    with pytest.raises(Overdue):
        call_bounded(wait, 0.1)

    def swallowing() -> str:
        try:
            wait()
        except BaseException:
            return "done"
        return ""

    with pytest.raises(Overdue):
        call_bounded(swallowing, 0.1)
    assert time.monotonic() - began < SLACK
    assert call_bounded(lambda: 7, 5.0) == 7


STATE: dict[str, Any] = {}


def _ask(request: dict[str, Any], base_url: str, key: str) -> dict[str, Any]:
    with BatchClient(base_url, key, request["timeout_s"]) as client:
        try:
            return {"batch": client.as_reply(client.get_batch(request["batch_id"]))}
        except BatchError as error:
            return failure(error)


def _global_key(request: dict[str, Any]) -> dict[str, Any]:
    STATE["key"] = request["api_key"]
    return _ask(request, request["base_url"], STATE["key"])


def _global_url(request: dict[str, Any]) -> dict[str, Any]:
    STATE["url"] = request["base_url"]
    return _ask(request, STATE["url"], request["api_key"])


def _global_call(request: dict[str, Any]) -> dict[str, Any]:
    STATE["request"] = request
    return adapter(STATE["request"])


def _global_answer(request: dict[str, Any]) -> dict[str, Any]:
    STATE["answer"] = adapter(request)
    return {**STATE["answer"]}


@pytest.mark.parametrize("function", [_global_key, _global_url, _global_call, _global_answer])
def test_state_in_a_global_is_mixed_up(function: Function) -> None:
    """The time between write and read may be as short as it likes; no other clause is broken."""
    assert red(judged(function, selected=SOME - {"client.fault.timeout"})) == {"client.auth.per-call"}


def test_state_in_a_global_under_a_lock_is_not() -> None:
    """A client that serializes its calls mixes nothing up."""
    lock = threading.Lock()

    def locked(request: dict[str, Any]) -> dict[str, Any]:
        with lock:
            return _global_key(request)

    assert red(judged(locked, selected=SOME - {"client.fault.timeout"})) == set()


def test_an_async_client_mixes_keys_up_where_it_waits() -> None:
    """Both calls run on one loop."""

    async def waiting(request: dict[str, Any]) -> dict[str, Any]:
        STATE["key"] = request["api_key"]
        await asyncio.sleep(0.01)
        return await asyncio.to_thread(_ask, request, request["base_url"], STATE["key"])

    assert red(judged(waiting, selected=SOME - {"client.fault.timeout"})) == {"client.auth.per-call"}


def _connected(stub: BatchStub) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(stub.url.rpartition(":")[2])))


def test_unclosed_resources_are_reported_in_one_line() -> None:
    """Sockets, open or collected, but not from before; hooks and filters are restored; other warnings are passed on."""
    hooks = threading.excepthook
    with BatchStub() as stub, closing(_connected(stub)) as earlier:
        with counted_leftovers() as left:
            kept = _connected(stub)
            for _ in range(3):
                _connected(stub)
            gc.collect()
            thread = threading.Thread(target=lambda: [][0])
            thread.start()
            thread.join()
            with pytest.warns(UserWarning, match="of its own"):
                warnings.warn("a warning of its own", UserWarning, stacklevel=1)
        assert earlier.fileno() != -1
    assert left.line() == "3 unclosed socket, 1 IndexError in a thread of its own, 1 open socket"
    assert kept.fileno() == -1
    assert threading.excepthook is hooks


def test_the_exit_status_agrees_with_the_report(tmp_path: Path) -> None:
    """A client with unclosed sockets conforms, with warnings as errors or not, and one line reports them."""
    (tmp_path / "leaky.py").write_text(
        "import socket\n"
        "from urllib.parse import urlsplit\n"
        "from batch_conformance.reference import client\n"
        "kept = []\n"
        "def ask(call):\n"
        "    port = urlsplit(call['base_url']).port\n"
        "    for place in ([], kept):\n"
        "        try: place.append(socket.create_connection(('127.0.0.1', port)))\n"
        "        except OSError: pass\n"
        "    return client.adapter(call)\n"
        "ask.hello = {**client.hello('leaky'), 'operations': ['get_batch']}\n"
    )
    arguments = (CLIENT, "-q", "--batch-client", "python:leaky:ask", "--batch-profile", "quick")
    for more in ((), ("-W", "error")):
        ended = run(tmp_path, *arguments, *more)
        assert ended.status == 0, ended.text
        assert ended.report()["verdict"] == "pass"
        assert "open socket" in ended.report()["run"]["left_behind"]
        assert ended.text.count("never closed") == 1
        assert "ResourceWarning" not in ended.text
