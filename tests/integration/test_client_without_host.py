"""A client that sends no Host header, as hand-written ones may."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from batch_conformance.reference.client import hello
from tests.support.judging import judged_client, shown

TARGET = "client.request.target"


def _adapter(version: str) -> Any:
    def adapter(request: dict[str, Any]) -> dict[str, Any]:
        base = urlsplit(request["base_url"])
        path = f"{base.path}/v2/batch/{quote(request['batch_id'], safe='')}"
        head = f"GET {path} HTTP/{version}\r\nx-api-key: {request['api_key']}\r\nConnection: close\r\n\r\n"
        with socket.create_connection((base.hostname, base.port), timeout=request["timeout_s"]) as connection:
            connection.sendall(head.encode("latin-1"))
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        status, body = int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]
        if status == 200:
            return {"batch": json.loads(body)}
        return {"error": {"kind": "http", "status": status, "message": "refused"}}

    adapter.hello = hello("hand-written") | {"operations": ["get_batch"]}  # type: ignore[attr-defined]
    return adapter


@pytest.mark.parametrize(("version", "verdict"), [("1.1", "fail"), ("1.0", "pass")])
def test_http_1_1_names_its_host(version: str, verdict: str) -> None:
    """RFC 9112, 3.2; HTTP/1.0 has no such header."""
    run = judged_client(_adapter(version), profile="quick", selected={TARGET}, operations=["get"])
    found = next(result for result in run.results if result.clause.id == TARGET)
    assert found.verdict == verdict, shown(run)
    if verdict == "fail":
        assert found.findings[0].actual.startswith("no Host")
