"""The stub by hand: ``python -m batch_conformance.client_runner.stub --port 3001``, an id for each thing to meet."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from batch_conformance.client_runner.mainthread import wait_until_interrupted
from batch_conformance.client_runner.stub import answers
from batch_conformance.client_runner.stub.answers import StubResponse
from batch_conformance.client_runner.stub.server import StubServer
from batch_conformance.client_runner.stub.staged import STATES, with_asked_id
from batch_conformance.client_runner.stub.wire import RawRequest
from batch_conformance.contract import current_contract
from batch_conformance.http import Redactor, Request
from batch_conformance.http.key_values import key_values

#: What each id leads to.
IDS: dict[str, tuple[StubResponse, ...]] = {
    "batch_abc123": (answers.batch(),),
    "batch_completed": (answers.batch(),),
    "batch_failed": (STATES["FAILED"],),
    "batch_pending": (STATES["PENDING"],),
    "batch_moving": tuple(STATES.values())[:4],
    "batch_new_status": (answers.batch(status="ARCHIVED"),),
    "batch_chunked": (answers.batch().chunked(7),),
    "batch_unauthorized": (answers.error(401),),
    "batch_rate_limited": (answers.error(429).with_header("Retry-After", "1"), answers.batch()),
    "batch_error": (answers.error(500),),
    "batch_unavailable": (answers.html(503, "Service Unavailable"),),
    "batch_html": (answers.html(),),
    "batch_null": (answers.json_body(None),),
    "batch_cut_off": (answers.batch().cut_off(),),
    "batch_reset": (answers.batch().reset(),),
    "batch_silent": (answers.silence(),),
    "batch_drip": (answers.batch().dripping(every=0.2),),
    "batch_loop": (answers.redirect(302, "{own}{path}"),),
}


class ByHand:
    """Answers by id; 401 without a key, 404 for ids it does not know. Shows every request, its key hidden."""

    def __init__(self) -> None:
        self.own = ""
        self._asked: Counter[str] = Counter()

    def __call__(self, request: RawRequest) -> StubResponse:
        """The answer for the id in the request's path."""
        operation = current_contract().operation("get")
        batch_id = operation.raw_segment(request.target.partition("?")[0])
        known = IDS.get(batch_id)
        if operation.key is not None and not any(_keys(request)):
            answer = answers.error(401).with_header("WWW-Authenticate", "ApiKey")
        elif known is None:
            answer = answers.error(404, "Batch not found")
        else:
            answer = known[min(self._asked[batch_id], len(known) - 1)]
            self._asked[batch_id] += 1
        sys.stdout.write(_shown(request, answer))
        sys.stdout.flush()
        path = operation.url_path(batch_id) if batch_id else ""
        return with_asked_id(answer, request).placed({"own": self.own, "path": path})


def _keys(request: RawRequest) -> list[str]:
    """What stands in the place of the key."""
    sent = Request(request.method, request.target, request.headers)
    return key_values(sent, current_contract().operation("get").key)


def _shown(request: RawRequest, answer: StubResponse) -> str:
    headers = "".join(f"    {name}: {value}\n" for name, value in request.headers)
    outcome = "no answer" if answer.mute else str(answer.status)
    text = f"{request.method} {request.target} -> {outcome}\n{headers}"
    for key in sorted(_keys(request), key=len, reverse=True):
        text = Redactor({key: "[api-key]"}).text(text)
    return text


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m batch_conformance.client_runner.stub",
        description="A stub of Get Batch to try a client against. Any key will do. Ids: "
        + ", ".join(IDS)
        + ".",
    )
    parser.add_argument(
        "--port", type=int, default=3001, help="the port on 127.0.0.1 (default: 3001; 0: any)"
    )
    port = parser.parse_args(arguments).port
    choose = ByHand()
    try:
        server = StubServer(choose, port=port)
    except OSError as error:
        parser.exit(3, f"port {port} cannot be used: {error.strerror}\n")
    choose.own = server.url
    with server:
        operation = current_contract().operation("get")
        where = f"{server.url}{operation.raw_path('ID')}"
        key = f" with any {operation.key.name}" if operation.key else ""
        sys.stdout.write(f"{where}{key}; ids: {', '.join(IDS)}\n")
        sys.stdout.flush()
        wait_until_interrupted()


if __name__ == "__main__":
    main()
