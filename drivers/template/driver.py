#!/usr/bin/env python3
"""Template of a driver (driver protocol version 1), with only the standard library of Python.

It works unchanged, with the small client of part 1. To test your own client:

1. replace part 1 with your client;
2. adapt part 2, which converts its results and exceptions to the protocol;
3. keep part 3 unchanged.

In another language, translate parts 2 and 3: a loop over lines of JSON.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import sys
import threading
import time
from urllib.parse import quote, urlencode, urlsplit

# --- 1. The client: replace it with yours ------------------------------------------------------

COUNTS = ("total_generations", "success_count", "failed_count", "pending_count")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class ClientError(Exception):
    """Raised by this client, with an error kind, and the HTTP status if there was a response."""

    def __init__(self, kind: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


def get_batch(base_url: str, api_key: str, batch_id: str, timeout_s: float) -> dict:
    """Read a batch: GET <base_url>/v2/batch/<batch_id>, without retries or redirects."""
    if batch_id in ("", ".", ".."):
        raise ClientError("invalid_argument", "a batch id cannot be empty, . or ..")
    status, value = fetch(base_url, f"/{quote(batch_id, safe='')}", api_key, timeout_s)
    with decode_errors(status):
        return checked(value)


def list_batches(base_url: str, api_key: str, timeout_s: float, **filters: str | None) -> list[dict]:
    """List batches: GET <base_url>/v2/batch with the given filters; dates need an offset."""
    given = {name: value for name, value in filters.items() if value is not None}
    for name in given.keys() - {"status"}:
        if not RFC_3339.fullmatch(given[name]):
            raise ClientError("invalid_argument", f"{name} is not a date-time with an offset")
    # urlencode encodes the + of an offset as %2B; unescaped, it would be read as a space.
    status, value = fetch(base_url, f"?{urlencode(given)}" if given else "", api_key, timeout_s)
    with decode_errors(status):
        if not isinstance(value, list):
            raise TypeError("the answer is not an array")
        return [checked(entry) for entry in value]


@contextlib.contextmanager
def decode_errors(status: int):
    """Raise a decode error for exceptions while a response is read."""
    try:
        yield
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ClientError("decode", f"not what is documented: {error}", status) from error


def fetch(base_url: str, rest: str, api_key: str, timeout_s: float) -> tuple[int, object]:
    """GET <base_url>/v2/batch<rest>: return the status, always 200, and the JSON value of the response."""
    url = urlsplit(base_url)
    connection_types = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if url.scheme not in connection_types or url.hostname is None:
        raise ClientError("invalid_argument", "base_url is not an http(s) URL")
    try:
        connection = connection_types[url.scheme](url.hostname, url.port)
        path = f"{url.path.rstrip('/')}/v2/batch{rest}"
    except ValueError as error:
        raise ClientError("invalid_argument", str(error)) from error
    status, body = exchange(connection, path, api_key, timeout_s)
    if status != 200:
        message = message_of(status, body)
        if api_key:  # a key that the server echoes must not reach the caller's logs
            message = message.replace(api_key, "***")
        raise ClientError(kind_of_status(status), message, status)
    with decode_errors(status):
        return status, json.loads(body.decode("utf-8"))


def exchange(connection, path: str, api_key: str, timeout_s: float) -> tuple[int, bytes]:
    """Send the request and read the whole response, within timeout_s in total."""
    deadline = time.monotonic() + timeout_s
    expired = threading.Event()

    def expire(sock: socket.socket) -> None:
        expired.set()
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)  # ends a read even if bytes keep arriving

    timer = None
    connection.timeout = timeout_s
    try:
        connection.connect()
        timer = threading.Timer(deadline - time.monotonic(), expire, [connection.sock])
        timer.start()
        connection.request("GET", path, headers={"x-api-key": api_key, "accept": "application/json"})
        response = connection.getresponse()
        status, body = response.status, response.read()
    except ValueError as error:  # nothing was sent; the exception's text would show the key
        raise ClientError("invalid_argument", "the api key cannot travel in an HTTP header") from error
    except (OSError, http.client.HTTPException) as error:
        late = expired.is_set() or isinstance(error, TimeoutError)
        raise ClientError("timeout" if late else "transport", repr(error)) from error
    finally:
        if timer is not None:
            timer.cancel()
        connection.close()
    if expired.is_set():  # without a length, a body cut off looks complete
        raise ClientError("timeout", f"no whole answer within {timeout_s} s")
    return status, body


def kind_of_status(status: int) -> str:
    """Return the protocol's error kind for an HTTP status."""
    if 500 <= status < 600:
        return "server_error"
    if 200 <= status < 300:
        return "decode"
    return {401: "unauthorized", 404: "not_found", 429: "rate_limited"}.get(status, "http")


def message_of(status: int, body: bytes) -> str:
    """Return the message of an error body, which may be a string, an array of strings, or no JSON at all."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        message = []
    lines = [message] if isinstance(message, str) else message if isinstance(message, list) else []
    return "; ".join([f"HTTP {status}", *(line for line in lines if isinstance(line, str))])


def checked(batch: object) -> dict:
    """Return the batch if its members have the documented types; unknown members and statuses may occur."""
    counts = [batch["metrics"][name] for name in COUNTS]
    texts = [batch[name] for name in ("id", "created_at", "status", "outputUrl")]
    if not all(type(count) in (int, float) and count == int(count) >= 0 for count in counts):
        raise ValueError("a count is not a whole number")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a member is not a string")
    if not isinstance(batch.get("webhookUrl"), (str, type(None))):
        raise TypeError("webhookUrl is neither a string nor null")
    if not RFC_3339.fullmatch(batch["created_at"]):
        raise ValueError("created_at is not a date-time with an offset")
    return batch


# --- 2. The translation: adapt it to your client -----------------------------------------------

HELLO = {
    "protocol": 1,
    "name": "my-client",
    "version": "0.1.0",
    "language": "python",
    "operations": ["get_batch", "list_batches"],
}


def call(request: dict) -> dict:
    """Call the client, and return its result under the wire names, converted to JSON but never corrected.

    A date object becomes an RFC 3339 string; a missing member is left out; a wrong value is kept.
    """
    common = (request["base_url"], request["api_key"])
    try:
        if request["op"] == "list_batches":
            filters = {name: request[name] for name in ("status", "created_after", "created_before")}
            return {"batches": list_batches(*common, request["timeout_s"], **filters)}
        return {"batch": get_batch(*common, request["batch_id"], request["timeout_s"])}
    except ClientError as error:
        return {"error": {"kind": error.kind, "status": error.status, "message": str(error)}}
    except Exception as error:  # unexpected exceptions are reported, too
        return {"error": {"kind": "other", "status": None, "message": repr(error)}}


# --- 3. The protocol: keep it ------------------------------------------------------------------


def answer(request: dict) -> dict:
    """Return the reply to a request, without its seq."""
    if request["op"] == "hello":
        return {"hello": HELLO}
    if request["op"] in HELLO["operations"]:
        return call(request)
    return {"error": {"kind": "other", "status": None, "message": f"unknown op: {request['op']!r}"}}


def main() -> None:
    """Reply to requests, one JSON object per line, until bye or the end of input."""
    # stdout is reserved for the protocol: what the client prints goes to stderr.
    protocol = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["op"] == "bye":
            return
        # Flush: the suite waits for this line.
        print(json.dumps({"seq": request["seq"], **answer(request)}), file=protocol, flush=True)


if __name__ == "__main__":
    main()
