"""The stub server by hand, as a command."""

from __future__ import annotations

import subprocess
import sys
import threading

import httpx


def test_stub_by_hand() -> None:
    """One command serves an id for each thing to meet, and shows requests without their key."""
    command = [sys.executable, "-m", "batch_conformance.client_runner.stub", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(20, process.kill)
        watchdog.start()
        try:
            url = process.stdout.readline().split("/v2/")[0]
            with httpx.Client(base_url=url, headers={"x-api-key": "sk-secret"}) as client:
                statuses = [client.get("/v2/batch/batch_moving").json()["status"] for _ in range(4)]
                assert statuses == ["PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED"]
                assert client.get("/v2/batch/nope").status_code == 404
                assert httpx.get(f"{url}/v2/batch/batch_abc123").status_code == 401
        finally:
            watchdog.cancel()
            process.terminate()
        shown = process.stdout.read()
    assert "GET /v2/batch/batch_moving -> 200" in shown
    assert "sk-secret" not in shown
