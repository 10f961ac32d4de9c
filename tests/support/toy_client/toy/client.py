"""A small httpx client. ``TOY_FAULT`` selects one of its faults."""

from __future__ import annotations

import json
import os
import ssl
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

_KINDS = {401: "unauthorized", 404: "not_found", 429: "rate_limited"}
#: Created once: loading certificates takes longer than a call.
_TLS = ssl.create_default_context()
_COUNTS = ("total_generations", "success_count", "failed_count", "pending_count")


class BatchError(Exception):
    """Raised when there is no batch."""

    def __init__(self, kind: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.kind, self.status = kind, status


def get_batch(base_url: str, api_key: str, batch_id: str, timeout: float) -> dict[str, Any]:
    """Read a batch. Raises ``BatchError``."""
    if batch_id in ("", ".", ".."):
        raise BatchError("invalid_argument", "not a batch id")
    url = f"{base_url}/v2/batch/{quote(batch_id, safe='')}"
    status, body = _get(url, api_key, time.monotonic() + timeout)
    if status == 404 and os.environ.get("TOY_FAULT") == "asks-again-on-404":
        status, body = _get(url, api_key, time.monotonic() + timeout)
    if status != 200:
        kind = "server_error" if status >= 500 else _KINDS.get(status, "http")
        raise BatchError(kind, _message(body), status)
    return _batch(body)


def _get(url: str, api_key: str, deadline: float) -> tuple[int, bytes]:
    left = deadline - time.monotonic()
    headers = {"x-api-key": api_key}
    body = b""
    try:
        with (
            httpx.Client(timeout=left, verify=_TLS, trust_env=False) as http,
            http.stream("GET", url, headers=headers) as response,
        ):
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > deadline:
                    raise BatchError("timeout", "the deadline passed")
            return response.status_code, body
    except httpx.TimeoutException as error:
        raise BatchError("timeout", str(error)) from error
    except httpx.HTTPError as error:
        raise BatchError("transport", str(error)) from error


def _message(body: bytes) -> str:
    try:
        said = json.loads(body)["message"]
    except (ValueError, LookupError, TypeError):
        return "no message"
    return "; ".join(map(str, said)) if isinstance(said, list) else str(said)


def _is_whole(count: object) -> bool:
    return type(count) is float and count.is_integer()


def _batch(body: bytes) -> dict[str, Any]:
    try:
        batch = json.loads(body.decode())
        datetime.fromisoformat(batch["created_at"].upper())
        counts = batch["metrics"]
        counts |= {name: int(counts[name]) for name in _COUNTS if _is_whole(counts[name])}
        texts = [batch[name] for name in ("id", "status", "outputUrl")] + [batch.get("webhookUrl") or ""]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BatchError("decode", f"not a batch: {error}") from error
    if any(type(counts[name]) is not int for name in _COUNTS) or not all(isinstance(text, str) for text in texts):
        raise BatchError("decode", "not a batch: wrong types")
    return batch  # type: ignore[no-any-return]
