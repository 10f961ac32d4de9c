#!/usr/bin/env python3
"""Driver for the official Python SDK `syncsdk` (driver protocol version 1).

    driver.py            the sync client, sync.Sync
    driver.py --async    the async client, sync.AsyncSync

It only converts: the reply is what the SDK returns to its caller, right or wrong.
Tried with syncsdk 0.2.0, 0.2.3, 0.2.7 and 0.3.0.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import functools
import json
import math
import os
import ssl
import sys
from importlib import metadata

try:
    import httpx
    import pydantic
    from sync import AsyncSync, Sync
    from sync.core.api_error import ApiError
except ImportError as problem:
    sys.exit(f"syncsdk cannot be imported by {sys.executable}: {problem}")

# The suite's server is local, so proxies and certificates of the environment must not be used.
for name in list(os.environ):
    if name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        del os.environ[name]
os.environ["NO_PROXY"] = "*"  # some systems also configure proxies outside of the environment

# Each SDK client loads the CA bundle again, which takes some 50 ms; cache it.
ssl.create_default_context = functools.cache(ssl.create_default_context)

# Wire name to the SDK's attribute.
BATCH = {
    "id": "id",
    "created_at": "created_at",
    "status": "status",
    "metrics": "metrics",
    "outputUrl": "output_url",
    "webhookUrl": "webhook_url",
}
FILTERS = ("status", "created_after", "created_before")
OPERATIONS = ["get_batch", "list_batches"]
COUNTS = ("total_generations", "success_count", "failed_count", "pending_count")


# --- calling the SDK ---------------------------------------------------------------------------


def call_sync(options: dict, call):
    """Make one call with a new client."""
    client = Sync(**options)
    try:
        return call(client.batch)
    finally:
        transport_of(client).close()


async def call_async(options: dict, call):
    """Make one call with a new async client."""
    client = AsyncSync(**options)
    try:
        return await call(client.batch)
    finally:
        await transport_of(client).aclose()


def requested_call(request: dict):
    """Return a function that makes the requested call on the SDK's batch client, with given filters only."""
    if request["op"] == "get_batch":
        return lambda batches: batches.get(request["batch_id"])
    given = {name: request[name] for name in FILTERS if request[name] is not None}
    # The SDK takes datetimes; one without an offset stays naive.
    texts = {name: given[name].replace("Z", "+00:00") for name in given.keys() - {"status"}}
    dates = {name: datetime.datetime.fromisoformat(text) for name, text in texts.items()}
    return lambda batches: batches.list(**{**given, **dates})


def transport_of(client):
    """Return the HTTP client inside, to close it: the SDK has no close(), and sockets would stay open."""
    return client._client_wrapper.httpx_client.httpx_client


# --- results of the SDK as JSON ----------------------------------------------------------------


def plain(value):
    """Convert a value to JSON; its type is kept, right or wrong."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()  # without an offset if naive
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return repr(value)


def batch_as_json(batch):
    """Return the documented members under their wire names; other values unchanged."""
    if not isinstance(batch, pydantic.BaseModel):
        return plain(batch)
    found = {wire: getattr(batch, name) for wire, name in BATCH.items() if hasattr(batch, name)}
    return {wire: metrics_as_json(item) if wire == "metrics" else plain(item) for wire, item in found.items()}


def metrics_as_json(metrics):
    """Return the four counts; other values unchanged."""
    if not isinstance(metrics, pydantic.BaseModel):
        return plain(metrics)
    return {name: plain(getattr(metrics, name)) for name in COUNTS if hasattr(metrics, name)}


# --- exceptions of the SDK ---------------------------------------------------------------------


def error_as_json(error: Exception) -> dict:
    """Classify an exception, by its type and its status_code alone."""
    status = error.status_code if isinstance(error, ApiError) else None
    return {"kind": kind_of(error, status), "status": status, "message": message_of(error)}


def kind_of(error: Exception, status: int | None) -> str:
    """Return the protocol's error kind for an exception."""
    if status is not None:
        return kind_of_status(status)
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    if isinstance(error, (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError)):
        return "invalid_argument"  # raised while the request is built: nothing was sent
    if isinstance(error, (httpx.DecodingError, UnicodeDecodeError, json.JSONDecodeError)):
        return "decode"
    if isinstance(error, httpx.RequestError):
        return "transport"
    return "other"


def kind_of_status(status: int) -> str:
    """Return the protocol's error kind for a status that the SDK reports."""
    if 200 <= status < 300:
        return "decode"  # an ApiError with a success status: the body was not JSON
    if 500 <= status < 600:
        return "server_error"
    return {401: "unauthorized", 404: "not_found", 429: "rate_limited"}.get(status, "http")


def message_of(error: Exception) -> str:
    """Return the exception as text, and the message of its body if the text shows it only escaped."""
    printed = str(error) or repr(error)
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else getattr(body, "message", None)
    parts = message if isinstance(message, list) else [message]
    return "\n".join([printed] + [part for part in parts if isinstance(part, str) and part not in printed])


# --- the protocol ------------------------------------------------------------------------------


def answer(request: dict, use_async: bool, loop: asyncio.AbstractEventLoop) -> dict:
    """Return the reply to a request, without its seq."""
    operation = request.get("op")
    if operation == "hello":
        name = "syncsdk (async)" if use_async else "syncsdk"
        hello = {"protocol": 1, "name": name, "version": metadata.version("syncsdk"), "language": "python"}
        return {"hello": {**hello, "operations": OPERATIONS}}
    if operation not in OPERATIONS:
        return {"error": {"kind": "other", "status": None, "message": f"unknown op: {operation!r}"}}
    options = {name: request[name] for name in ("base_url", "api_key")}
    options["timeout"] = request["timeout_s"]
    try:
        if use_async:
            result = loop.run_until_complete(call_async(options, requested_call(request)))
        else:
            result = call_sync(options, requested_call(request))
    except Exception as error:  # any exception of the SDK is a result
        return {"error": error_as_json(error)}
    if operation == "list_batches":
        several = isinstance(result, list)
        return {"batches": [batch_as_json(row) for row in result] if several else batch_as_json(result)}
    return {"batch": batch_as_json(result)}


def main() -> None:
    """Reply to requests until bye or the end of input."""
    parser = argparse.ArgumentParser(description="Driver for syncsdk, driver protocol version 1.")
    parser.add_argument("--async", action="store_true", dest="use_async", help="drive AsyncSync")
    use_async = parser.parse_args().use_async

    # stdout is reserved for the protocol: prints of the SDK and its libraries go to stderr.
    protocol = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)

    loop = asyncio.new_event_loop()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request.get("op") == "bye":
            return
        # json.dumps escapes to ASCII, so that lone surrogates can be written, too.
        reply = {"seq": request.get("seq"), **answer(request, use_async, loop)}
        print(json.dumps(reply, allow_nan=False), file=protocol, flush=True)


if __name__ == "__main__":
    main()
