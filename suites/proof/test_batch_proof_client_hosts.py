"""Hosts that get in the way of clients: proxies and certificates named in the environment."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from running import CLIENT, ROOT, run

from batch_conformance.client.call import Call
from batch_conformance.client.driver import DriverPool
from batch_conformance.client.stub import BatchStub

#: Nothing answers at any of these places.
IN_THE_WAY = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "all_proxy": "socks5://127.0.0.1:9",
    "SSL_CERT_FILE": "/nonexistent/certificates.pem",
    "NO_PROXY": "",
    "no_proxy": "",
}
#: As much of the SDK and of pydantic as its driver touches.
_SDK = {
    "sync/__init__.py": (
        "import httpx\n"
        "from types import SimpleNamespace as Box\n"
        "class Sync:\n"
        "    def __init__(self, base_url, api_key, timeout):\n"
        "        self._http, self._url = httpx.Client(timeout=timeout), base_url\n"
        "        self._client_wrapper = Box(httpx_client=Box(httpx_client=self._http))\n"
        "        self.batch = Box(get=lambda name: self._http.get(f'{base_url}/v2/batch/{name}').json())\n"
        "AsyncSync = Sync\n"
    ),
    "sync/core/__init__.py": "",
    "sync/core/api_error.py": "class ApiError(Exception): pass\n",
    "pydantic.py": "class BaseModel: pass\n",
    "syncsdk-0.3.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: syncsdk\nVersion: 0.3.0\n",
}


def test_the_embedded_client_asks_the_server_it_was_given(tmp_path: Path) -> None:
    """Whatever the environment says of proxies and certificates."""
    ended = run(tmp_path, CLIENT, "-q", "--batch-client", "embedded", "--batch-profile", "quick", **IN_THE_WAY)
    assert ended.status == 0, ended.text
    assert set(ended.verdicts().values()) == {"pass"}


@pytest.mark.parametrize("driver", ["python", "template"])
def test_the_drivers_ask_the_server_they_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    """The same for the drivers in Python."""
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
            reply = pool.get_batch(Call(stub.url, "sk-1", "batch_7", 5.0))
            assert reply.batch is not None, reply
            assert reply.batch["id"] == "batch_7"
            assert len(stub.requests) == 1
    finally:
        pool.close()
