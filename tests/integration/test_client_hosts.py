"""Environments that affect clients: variables for proxies and certificates."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.call import Call
from batch_conformance.client_runner.driver import DriverPool
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.session import judge_client
from batch_conformance.reference.client import adapter, hello
from batch_conformance.testing import BatchStub
from tests.support.judging import verdicts
from tests.support.running import CLIENT, ROOT, run

#: Nothing listens at any of these addresses.
IN_THE_WAY = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "all_proxy": "socks5://127.0.0.1:9",
    "SSL_CERT_FILE": "/nonexistent/certificates.pem",
    "NO_PROXY": "",
    "no_proxy": "",
}
#: A stand-in for the part of the SDK and of pydantic that its driver uses.
_SDK = {
    "sync/__init__.py": (
        "import httpx\n"
        "from types import SimpleNamespace as Box\n"
        "class Sync:\n"
        "    def __init__(self, base_url, api_key, timeout):\n"
        "        self._http = httpx.Client(timeout=timeout, headers={'x-api-key': api_key})\n"
        "        self._client_wrapper = Box(httpx_client=Box(httpx_client=self._http))\n"
        "        self.batch = Box(get=lambda name: self._http.get(f'{base_url}/v2/batch/{name}').json())\n"
        "AsyncSync = Sync\n"
    ),
    "sync/core/__init__.py": "",
    "sync/core/api_error.py": "class ApiError(Exception): pass\n",
    "pydantic.py": "class BaseModel: pass\n",
    "syncsdk-0.3.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: syncsdk\nVersion: 0.3.0\n",
}


def test_the_embedded_client_uses_the_given_server(tmp_path: Path) -> None:
    """Variables for proxies and certificates have no effect."""
    ended = run(tmp_path, CLIENT, "-q", "--batch-client", "embedded", "--batch-profile", "quick", **IN_THE_WAY)
    assert ended.status == 0, ended.text
    assert set(ended.verdicts().values()) == {"pass"}


@pytest.mark.parametrize("driver", ["python", "template"])
def test_the_drivers_use_the_given_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str) -> None:
    """The drivers in Python ignore the variables too."""
    for name, text in _SDK.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for name, value in {**IN_THE_WAY, "PYTHONPATH": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    words = (sys.executable, str(ROOT / "drivers" / driver / "driver.py"))
    pool = DriverPool(shlex.join(words), size=1)
    try:
        with BatchStub() as stub:
            stub.completed(id="batch_7")
            reply = pool.get_batch(Call(stub.url, "sk-1", "batch_7", 5.0))
            assert reply.batch is not None, reply
            assert reply.batch["id"] == "batch_7"
            assert len(stub.requests) == 1
    finally:
        pool.close()


def _elsewhere(request: dict[str, Any]) -> dict[str, Any]:
    return adapter({**request, "base_url": "http://127.0.0.1:9"})


def _sometimes_elsewhere(request: dict[str, Any]) -> dict[str, Any]:
    """Sends the requests for every other id to the right server."""
    return (_elsewhere if request["batch_id"][-1:] < "i" else adapter)(request)


def _judged(function: Callable[[dict[str, Any]], Any], **options: Any) -> RunResult:
    function.hello = {**hello("made here"), "operations": ["get_batch"]}  # type: ignore[attr-defined]
    client = InProcessClient(function, spec="python:made:here")
    try:
        return judge_client(client, profile="quick", **options)
    finally:
        client.close()


@pytest.mark.parametrize(
    ("variables", "cause"),
    [
        ({}, "perhaps it ignores base_url"),
        ({"HTTP_PROXY": "http://me:secret@proxy:8080"}, "HTTP_PROXY is set and NO_PROXY does not name 127.0.0.1"),
        (
            {"http_proxy": "http://p", "all_proxy": "socks5://p", "NO_PROXY": "localhost"},
            "http_proxy and all_proxy are set and NO_PROXY",
        ),
        ({"HTTP_PROXY": "http://p", "no_proxy": "localhost, 127.0.0.1"}, "perhaps it ignores base_url"),
    ],
)
def test_no_request_at_all_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], cause: str
) -> None:
    """Nothing passes or fails: one line names the likely cause, without the values of variables."""
    for name in (*IN_THE_WAY, "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run = _judged(_elsewhere)
    assert run.verdict == "error"
    assert run.error.startswith("no request of the client python:made:here arrived in ")
    assert cause in run.error
    assert "secret" not in run.error
    assert len(run.error.splitlines()) == 1
    assert verdicts(run) == {"error"}


def test_no_request_of_the_client_ends_with_status_3(tmp_path: Path) -> None:
    """The status is that of a pytest run."""
    (tmp_path / "away.py").write_text(
        "from batch_conformance.reference import client\n"
        "def ask(call): return client.adapter({**call, 'base_url': 'http://127.0.0.1:9'})\n"
        "ask.hello = {**client.hello('away'), 'operations': ['get_batch']}\n"
    )
    ended = run(tmp_path, CLIENT, "-q", "--batch-client", "python:away:ask", "--batch-profile", "quick")
    assert ended.status == 3, ended.text
    assert "no request of the client python:away:ask arrived" in ended.text
    assert ended.report()["verdict"] == "error"


def test_calls_without_a_request_are_reported_once() -> None:
    """The clause on the request is broken; no other clause passes or fails because of them."""
    run = _judged(_sometimes_elsewhere)
    verdicts = {result.clause.id: result.verdict for result in run.results}
    assert verdicts["client.request.target"] == "fail"
    for clause in ("error.404", "error.401", "error.500", "fault.reset", "fault.truncated", "retry.bounded"):
        assert verdicts[f"client.{clause}"] in ("pass", "not-exercised"), clause
    reasons = [limit for result in run.results for limit in (*result.limits, result.reason)]
    assert any("explained by client.request.target" in text for text in reasons)
