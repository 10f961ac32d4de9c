"""Clients with httpx, sync and async, answered without a socket; and clients without httpx."""

from __future__ import annotations

import gzip
import json
import math
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.open import open_client
from batch_conformance.client_runner.respx_bridge import Late, RespxBridge, StepBody
from tests.support.calls import HELLO, KEY, SLACK, Adapter, adapted, call, could_not_run

Open = Callable[..., InProcessClient]


def outcome_of(send: Callable[[], httpx.Response]) -> dict[str, Any]:
    """Return the reply of a client with httpx."""
    try:
        response = send()
    except httpx.TimeoutException as error:
        return {"error": {"kind": "timeout", "status": None, "message": repr(error)}}
    except httpx.TransportError as error:
        return {"error": {"kind": "transport", "status": None, "message": repr(error)}}
    if response.status_code != 200:
        return {"error": {"kind": "http", "status": response.status_code, "message": response.text}}
    return {"batch": response.json()}


def sync_httpx(request: dict[str, Any]) -> dict[str, Any]:
    """A client with sync httpx."""
    with httpx.Client(timeout=request["timeout_s"], follow_redirects=True) as client:
        url = f"{request['base_url']}/v2/batch/{request['batch_id']}"
        return outcome_of(lambda: client.get(url, headers={"x-api-key": request["api_key"]}))


async def async_httpx(request: dict[str, Any]) -> dict[str, Any]:
    """A client with async httpx."""
    url = f"{request['base_url']}/v2/batch/{request['batch_id']}"
    async with httpx.AsyncClient(timeout=request["timeout_s"], follow_redirects=True) as client:
        try:
            response = await client.get(url, headers={"x-api-key": request["api_key"]})
        except httpx.HTTPError as raised:
            error = raised

            def fail() -> httpx.Response:
                raise error

            return outcome_of(fail)
    return outcome_of(lambda: response)


def with_urllib(request: dict[str, Any]) -> dict[str, Any]:
    """A client without httpx."""
    try:
        with urllib.request.urlopen(f"{request['base_url']}/v2/batch/{request['batch_id']}") as response:
            return {"batch": json.load(response)}
    except urllib.error.URLError as error:
        return {"error": {"kind": "transport", "status": None, "message": str(error)}}


@pytest.fixture
def open_adapter() -> Iterator[Open]:
    """Make clients of functions, which are closed after the test."""
    clients: list[InProcessClient] = []

    def open_adapter(function: Adapter, bridge: RespxBridge, grace_s: float = SLACK) -> InProcessClient:
        client = InProcessClient(adapted(function), spec="python:here:f", bridge=bridge, grace_s=grace_s)
        clients.append(client)
        return client

    yield open_adapter
    for client in clients:
        client.close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every name resolution fail, and every connection fail the test."""

    def unresolved(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def connected(*_: Any) -> Any:
        raise AssertionError("a socket was connected")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    monkeypatch.setattr(socket.socket, "connect", connected)


BOTH = pytest.mark.parametrize("adapter", [sync_httpx, async_httpx], ids=["sync", "async"])


@BOTH
@pytest.mark.usefixtures("no_network")
def test_httpx_gets_responses_without_a_socket(open_adapter: Open, adapter: Adapter) -> None:
    """Concurrently, each call by the handler at its own origin, which records the request."""
    bridge = RespxBridge()
    client = open_adapter(adapter, bridge)
    assert client.transport == "respx"
    client.check_transport()

    def answer(number: int) -> Callable[[httpx.Request], httpx.Response]:
        return lambda request: httpx.Response(200, json={"id": f"{number}{request.url.path}"})

    origins = [bridge.mount(answer(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        calls = [call(f"b{number}", base_url=f"{origin}/prefix") for number, origin in enumerate(origins)]
        replies = list(threads.map(client.get_batch, calls))
    assert [reply.batch for reply in replies] == [{"id": f"{n}/prefix/v2/batch/b{n}"} for n in range(8)]
    seen = [bridge.requests(origin) for origin in origins]
    assert [[request.headers["x-api-key"] for request in requests] for requests in seen] == [[KEY]] * 8


@BOTH
@pytest.mark.usefixtures("no_network")
def test_every_fault_can_be_simulated_without_a_socket(open_adapter: Open, adapter: Adapter) -> None:
    """Refused, truncated, silent, dripping, compressed, redirected: with the same result as over a socket."""
    bridge = RespxBridge()
    client = open_adapter(adapter, bridge)
    body = b'{"id": "batch_1"}'

    def played(answer: Any, timeout_s: float = 20) -> str:
        def handler(_: httpx.Request) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        base_url = bridge.mount(handler)
        reply = client.get_batch(call(base_url=base_url, timeout_s=timeout_s))
        bridge.unmount(base_url)
        assert reply.broken is None
        return f"{reply.error.kind}: {reply.error.message}" if reply.error else json.dumps(reply.batch)

    assert played(httpx.Response(200, stream=StepBody([body[:5], 0.01, body[5:]]))) == body.decode()
    packed = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=StepBody([gzip.compress(body)]))
    assert played(packed) == body.decode()
    assert played(Late(0.01, httpx.Response(200, json={"id": "late"}))) == '{"id": "late"}'
    assert played(httpx.ConnectError("refused")) == "transport: ConnectError('refused')"
    cut = httpx.Response(200, stream=StepBody([body[:5], httpx.RemoteProtocolError("cut off")]))
    assert played(cut) == "transport: RemoteProtocolError('cut off')"
    assert played(Late(0.01, httpx.ReadError("reset"))) == "transport: ReadError('reset')"
    silent = "timeout: ReadTimeout('the stub sent nothing for too long')"
    assert played(Late(math.inf, httpx.Response(200)), timeout_s=0.1) == silent
    assert played(httpx.Response(200, stream=StepBody([body[:5], math.inf])), timeout_s=0.1) == silent
    other = bridge.mount(lambda _: httpx.Response(200, json={"id": "elsewhere"}), port=8443)
    assert played(httpx.Response(302, headers={"Location": f"{other}/x"})) == '{"id": "elsewhere"}'
    assert [str(request.url) for request in bridge.requests(other)] == [f"{other}/x"]
    refused = played(httpx.Response(302, headers={"Location": "https://elsewhere.invalid/x"}))
    assert refused == "transport: ConnectError('no stub is mounted at https://elsewhere.invalid')"
    assert [str(request.url) for request in bridge.strays] == ["https://elsewhere.invalid/x"]


def test_a_sync_client_without_a_deadline_ends_with_its_stub(open_adapter: Open) -> None:
    """Its call is broken at the deadline, and its thread ends."""
    ended = threading.Event()

    def adapter(request: dict[str, Any]) -> dict[str, Any]:
        try:
            return sync_httpx(request | {"timeout_s": None})
        finally:
            ended.set()

    bridge = RespxBridge()
    client = open_adapter(adapter, bridge, grace_s=0.1)
    base_url = bridge.mount(lambda _: Late(math.inf, httpx.Response(200)))
    assert client.get_batch(call(base_url=base_url, timeout_s=0.1)).broken == "the client gave no answer within 0.2 s"
    assert not ended.is_set()
    bridge.unmount(base_url)
    assert ended.wait(SLACK)


@pytest.mark.usefixtures("no_network")
def test_httpx_is_unpatched_between_calls(open_adapter: Open) -> None:
    """Other tests in the same process are not affected."""
    bridge = RespxBridge()
    client = open_adapter(sync_httpx, bridge)
    client.check_transport()
    base_url = bridge.mount(lambda _: httpx.Response(200))
    with pytest.raises(httpx.ConnectError, match="Name or service not known"):
        httpx.get(base_url)
    assert bridge.requests(base_url) == []


def test_an_origin_is_mounted_once() -> None:
    """Two handlers at one origin would be a bug of the suite."""
    bridge = RespxBridge()
    url = bridge.mount(lambda _: httpx.Response(200), scheme="https", host="twice.invalid", port=8443)
    assert url == "https://twice.invalid:8443"
    with pytest.raises(ValueError, match="handler is mounted at https://twice"):
        bridge.mount(lambda _: httpx.Response(200), scheme="https", host="twice.invalid", port=8443)


@pytest.mark.usefixtures("no_network")
def test_a_client_without_httpx_needs_loopback(open_adapter: Open) -> None:
    """A trial call detects it; the line says what to do."""
    message = could_not_run(open_adapter(with_urllib, RespxBridge()).check_transport)
    assert message == (
        "the client python:here:f sends nothing through httpx, which --batch-transport respx needs "
        "(a trial call gave: transport: <urlopen error [Errno -2] Name or service not known>); "
        "use --batch-transport loopback"
    )


@pytest.mark.usefixtures("no_network")
def test_respx_is_imported_when_the_client_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing respx is not reported in the middle of a run."""
    lines = ["import socket", "def f(request): socket.getaddrinfo('x', 1)", f"f.hello = {HELLO!r}"]
    (tmp_path / "adapters_elsewhere.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = "python:adapters_elsewhere:f"
    assert "raised gaierror" in could_not_run(lambda: open_client(spec, transport="respx"))
    client = open_client(spec)
    assert "raised gaierror" in str(client.get_batch(call()).broken)
    client.close()
