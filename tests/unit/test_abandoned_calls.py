"""Requests of abandoned calls, which arrive at a port that another stub uses by now."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from batch_conformance.client_runner.cases import Case, CaseFactory
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.player import play
from batch_conformance.reference.client import adapter, hello

_FACTORY = CaseFactory(0)


class _Hasty:
    """Requests another batch first, as an abandoned call does that goes on, at the port of the current stub."""

    hello = hello("hasty")

    def __call__(self, request: dict[str, Any]) -> Any:
        url = f"{request['base_url']}/v2/batch/batch_of_before"
        with httpx.Client(trust_env=False) as http:
            http.get(url)
        return adapter(request)


@pytest.mark.parametrize("given_up", [True, False])
def test_requests_of_abandoned_calls_are_ignored(given_up: bool) -> None:
    """Only requests of abandoned calls are ignored, not other requests for another batch."""
    client = InProcessClient(_Hasty(), spec="python:hasty")
    client.abandoned = frozenset({"batch_of_before"} if given_up else ())
    batch = _FACTORY.batch()
    try:
        result = play(Case("plain", ("client.decode.fields",), (_FACTORY.valid(batch),)), client, ["sk-1"])
    finally:
        client.close()
    (call_result,) = result.turns
    assert call_result.requests == len(call_result.seen) == (1 if given_up else 2)
