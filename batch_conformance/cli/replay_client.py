"""Stub server that repeats the answers of one case, for a client that is run under a debugger."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from batch_conformance.cli import PASSED, Misuse
from batch_conformance.client_runner.cases.recipe import CallToReplay, answer_from, calls_from, repeated
from batch_conformance.client_runner.mainthread import wait_until_interrupted
from batch_conformance.client_runner.stub.answers import StubResponse, error
from batch_conformance.client_runner.stub.choose import segment_of
from batch_conformance.client_runner.stub.server import StubServer
from batch_conformance.client_runner.stub.wire import RawRequest
from batch_conformance.contract import current_contract
from batch_conformance.http import Request
from batch_conformance.http.key_values import key_values
from batch_conformance.http.text import cut, log_safe


class Answering:
    """Answers of a case by requested id, any number of times."""

    def __init__(self, recipe: Mapping[str, Any]) -> None:
        self.calls = calls_from(recipe)
        self.elsewhere = tuple(repeated(recipe.get("elsewhere", [])))
        self.places: dict[str, str] = {}
        self._answered: Counter[str] = Counter()
        for rows in (*(call.answers for call in self.calls), self.elsewhere):
            for row in rows:
                answer_from(row, lambda *_: "")

    def own(self, request: RawRequest) -> StubResponse:
        """Return the answer to a request at the base URL of the client."""
        call = self._call(request)
        rows = [row for one in self.calls if one.batch_id == call.batch_id for row in one.answers]
        return self._next("own " + call.batch_id, rows, request)

    def other(self, request: RawRequest) -> StubResponse:
        """Return the answer to a request at the other origin, which redirects lead to."""
        return self._next("other", list(self.elsewhere or self.calls[0].answers), request)

    def _call(self, request: RawRequest) -> CallToReplay:
        batch_id = unquote(segment_of(request), errors="replace")
        return next((call for call in self.calls if call.batch_id == batch_id), self.calls[0])

    def _next(self, whose: str, rows: list[Mapping[str, Any]], request: RawRequest) -> StubResponse:
        call = self._call(request)
        place = current_contract().operation(call.operation).key
        keys = key_values(Request(request.method, request.target, request.headers), place)
        row = rows[min(self._answered[whose], len(rows) - 1)] if rows else {}
        self._answered[whose] += 1
        # A key in an answer is the key that the client sent, as in the run.
        answer = answer_from(row, lambda *_: keys[0] if keys else "") if rows else error(404)
        path = current_contract().operation("get").url_path(call.batch_id)
        answer = answer.placed({**self.places, "id": call.batch_id, "path": path})
        outcome = "no answer" if answer.mute else str(answer.status)
        print(
            f"  {request.method} {cut(log_safe(_hidden(request.target, keys), lines=False), 300)} -> {outcome}",
            flush=True,
        )
        return answer


def _hidden(text: str, keys: list[str]) -> str:
    for key in filter(None, keys):
        text = text.replace(key, "[api-key]")
    return text


def hold_stub(recipe: Mapping[str, Any], port: int) -> int:
    """Serve the answers until Ctrl-C. Raises :class:`Misuse` for a malformed recipe and for a port in use."""
    try:
        answering = Answering(recipe)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Misuse(f"the report's answers cannot be served again ({type(problem).__name__})") from None
    try:
        own = StubServer(answering.own, port=port, by_name=True)
    except OSError as problem:
        raise Misuse(f"port {port} cannot be used: {problem.strerror}") from None
    with own, StubServer(answering.other, by_name=True) as other:
        answering.places = {
            "own": own.url,
            "other": other.url,
            "alias": own.url.replace("//127.0.0.1:", "//localhost:"),
            "other_alias": other.url.replace("//127.0.0.1:", "//localhost:"),
            "secure": other.url.replace("http://", "https://"),
            "bare_other": other.url.partition("://")[2],
        }
        print(f"\nbase URL  {own.url}{recipe.get('base_path', '')}")
        for call in answering.calls:
            print(f"call      {log_safe(call.words, lines=False)}, any key, deadline {call.timeout_s:g} s")
        if recipe.get("together"):
            print("          at the same time, each by a client of its own with a key of its own")
        print("The stub gives the same answers as in the run, until Ctrl-C.", flush=True)
        wait_until_interrupted()
        sys.stdout.write("\n")
    return PASSED
