"""Time of a verdict on ordinary clients behind drivers.

``python -m benchmarks.clients NAME`` is the driver of one: the template with another HTTP library.
"""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from batch_conformance.client_runner.open import open_client
from batch_conformance.client_runner.session import judge_client

_TEMPLATE = Path(__file__).parents[1] / "drivers" / "template" / "driver.py"
#: Sends a request to a URL with a key and a timeout in seconds; returns status and body.
Ask = Callable[[str, str, float], tuple[int, bytes]]


@dataclass(frozen=True)
class Judged:
    """Result for one client: seconds of a ``default`` run, and the number of broken clauses."""

    name: str
    seconds: float
    failed: int


def measure() -> list[Judged]:
    """Run the suite on each client once."""
    return [_judged(name) for name in ("template", *_CLIENTS)]


def _judged(name: str) -> Judged:
    command = [sys.executable, "-m", "benchmarks.clients", name]
    if name == "template":
        command = [sys.executable, str(_TEMPLATE)]
    client = open_client(f"exec:{shlex.join(command)}")
    try:
        run = judge_client(client)
    finally:
        client.close()
    return Judged(name, run.seconds, sum(result.verdict == "fail" for result in run.results))


def _requests(driver: Any, *, retries: bool = False) -> Ask:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    session = requests.Session()
    session.trust_env = False
    if retries:
        policy = Retry(3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504], raise_on_status=False)
        session.mount("http://", HTTPAdapter(max_retries=policy))

    def ask(url: str, key: str, seconds: float) -> tuple[int, bytes]:
        headers = {"x-api-key": key, "accept": "application/json"}
        try:
            answer = session.get(url, headers=headers, timeout=seconds, allow_redirects=False)
        except requests.exceptions.InvalidHeader as error:
            raise driver.ClientError("invalid_argument", "the key cannot travel") from error
        except requests.RequestException as error:
            late = isinstance(error, requests.Timeout) or "timed out" in str(error)
            raise driver.ClientError("timeout" if late else "transport", repr(error)) from error
        return answer.status_code, answer.content

    return ask


def _httpx(driver: Any) -> Ask:
    import httpx

    client = httpx.Client(trust_env=False)

    def ask(url: str, key: str, seconds: float) -> tuple[int, bytes]:
        try:
            answer = client.get(url, headers={"x-api-key": key, "accept": "application/json"}, timeout=seconds)
        except httpx.LocalProtocolError as error:
            raise driver.ClientError("invalid_argument", "the key cannot travel") from error
        except httpx.HTTPError as error:
            kind = "timeout" if isinstance(error, httpx.TimeoutException) else "transport"
            raise driver.ClientError(kind, repr(error)) from error
        return answer.status_code, answer.content

    return ask


_CLIENTS: dict[str, Callable[[Any], Ask]] = {
    "requests": _requests,
    "requests, with three retries": lambda driver: _requests(driver, retries=True),
    "httpx": _httpx,
}


def main(name: str) -> None:
    """Run as the driver of a client."""
    spec = importlib.util.spec_from_file_location("template_driver", _TEMPLATE)
    assert spec is not None
    assert spec.loader is not None
    driver: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    ask = _CLIENTS[name](driver)

    def get_batch(base_url: str, api_key: str, batch_id: str, timeout_s: float) -> object:
        if batch_id in ("", ".", ".."):
            raise driver.ClientError("invalid_argument", "not a batch id")
        status, body = ask(f"{base_url}/v2/batch/{quote(batch_id, safe='')}", api_key, timeout_s)
        if status != 200:
            raise driver.ClientError(driver.kind_of_status(status), driver.message_of(status, body), status)
        try:
            return driver.checked(driver.json.loads(body.decode("utf-8")))
        except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise driver.ClientError("decode", f"not a batch: {error}", status) from error

    driver.get_batch = get_batch
    driver.main()


if __name__ == "__main__":
    main(sys.argv[1])
