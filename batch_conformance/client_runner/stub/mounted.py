"""Stub without a socket: the same scripted responses for an httpx client whose transport is mocked.

Faults below HTTP are replaced by the httpx exceptions that they cause.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import httpx

from batch_conformance.client_runner.respx_bridge import Handler, Late, Step, StepBody
from batch_conformance.client_runner.stub.answers import StubResponse
from batch_conformance.client_runner.stub.records import ReceivedRequest, RequestLog, now
from batch_conformance.client_runner.stub.server import Chooser
from batch_conformance.client_runner.stub.wire import RawRequest, content_of, head_headers

#: Repetitions of an endless drip: longer than any deadline with its grace.
_DRIPS = 400


class MountedStub:
    """One origin for clients in this process; ``choose`` gives its responses. ``turn`` as for `StubServer`."""

    def __init__(self, choose: Chooser) -> None:
        self.choose = choose
        self.turn = 0
        self.url = ""
        self.log = RequestLog()

    @property
    def seen(self) -> list[ReceivedRequest]:
        """All requests received so far."""
        return self.log.all()

    @property
    def handler(self) -> Handler:
        """The handler to mount."""
        return self._handle

    def _handle(self, request: httpx.Request) -> httpx.Response | Late:
        raw = raw_request(request)
        arrived = now()
        url = request.url
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        seen = ReceivedRequest(raw, origin, self.log.connected(), False, self.turn, arrived)
        seen.answer = self.choose(raw)
        self.log.add(seen)
        seen.answered = now()
        return outcome_of(seen.answer, raw)


def raw_request(request: httpx.Request) -> RawRequest:
    """Return an httpx request as it would arrive over a socket."""
    try:
        body = request.read()
    except RuntimeError:
        body = b""  # an async body cannot be read from here
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    target = request.url.raw_path.decode("ascii")
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    data = "\r\n".join(lines).encode("latin-1") + body
    return RawRequest(data, request.method, target, "HTTP/1.1", headers, body)


def outcome_of(answer: StubResponse, request: RawRequest) -> httpx.Response | Late:
    """Return a response as httpx sees it. Raises the httpx error of a fault before any response."""
    if (answer.mute or answer.raw is not None) and answer.ending == "hang":
        # Without a socket a head arrives at once or not at all: a dripping one becomes silence.
        return Late(math.inf, httpx.ReadTimeout("no answer"))
    if answer.mute and answer.ending == "reset":
        raise httpx.ReadError("[Errno 104] Connection reset by peer")
    if answer.mute or answer.raw is not None:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    response = httpx.Response(
        answer.status,
        headers=head_headers(answer, request),
        stream=StepBody([] if request.method == "HEAD" else list(_steps(answer, request))),
    )
    return Late(answer.delay, response) if answer.delay else response


def _steps(answer: StubResponse, request: RawRequest) -> Iterator[Step]:
    content = content_of(answer, request)
    sent = content if answer.cut is None else content[: answer.cut]
    size = answer.pieces or max(1, len(sent))
    for start in range(0, len(sent), size):
        yield sent[start : start + size]
        if answer.pause:
            yield answer.pause
    if answer.ending == "reset":
        yield httpx.ReadError("[Errno 104] Connection reset by peer")
    elif answer.ending == "hang" and answer.pause:
        yield from (step for _ in range(_DRIPS) for step in (b" ", answer.pause))
    elif answer.ending == "hang":
        yield math.inf
    elif answer.cut is not None or (answer.announced or 0) > len(sent):
        yield httpx.RemoteProtocolError("peer closed connection without sending complete message body")
