"""Transport: sends one request at a time, and records the exchange within a deadline and a size limit."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from batch_conformance.http import Exchange, Failure, Intent, Request, Response
from batch_conformance.server_runner.address import Address
from batch_conformance.server_runner.connection import Connection, ConnectionBroken, Deadline
from batch_conformance.server_runner.content import BodyCache, decoded


class Transport:
    """Sends requests to the origin of ``url``.

    ``timeout`` is the longest that one exchange may take, in seconds, from connecting to the last byte.
    Redirects are never followed, environment proxies never used. ``headers`` are sent with each request that
    does not set them itself.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float,
        ssl_context: ssl.SSLContext | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.timeout = timeout
        self._headers = tuple(headers)
        self._address = Address(url, ssl_context)
        self._connections = count(1)
        self._numbers = count(1)
        self._lanes: dict[str, Connection] = {}
        self._bodies = BodyCache()
        self._origin = time.monotonic()

    def exchange(self, request: Request, intent: Intent, *, lane: str = "", timeout: float | None = None) -> Exchange:
        """Send a request on the kept connection named ``lane``, or on a fresh one if that is empty.

        ``timeout`` shortens the transport's own. Never raises for what the target does: the exchange records
        it.
        """
        seconds = min(timeout or self.timeout, self.timeout)
        request = self._with_headers(request)
        recorded = self._send(request, intent, lane, seconds)
        if recorded.reused and recorded.response is None and _closed_while_idle(recorded):
            # A server may close an idle connection at any time (RFC 9112, 9.3.1): a GET is repeated once.
            recorded = self._send(request, intent, lane, seconds)
        return recorded

    def connects(self, seconds: float) -> bool:
        """Whether the target accepts a connection within ``seconds``. Sends nothing."""
        try:
            self._address.connect(Deadline(seconds)).close()
        except ConnectionBroken:
            return False
        return True

    def _with_headers(self, request: Request) -> Request:
        own = {name.lower() for name, _ in request.headers}
        more = tuple(pair for pair in self._headers if pair[0].lower() not in own)
        return replace(request, headers=(*request.headers, *more)) if more else request

    def close(self) -> None:
        """Close all connections."""
        for connection in self._lanes.values():
            connection.close()
        self._lanes.clear()

    def _send(self, request: Request, intent: Intent, lane: str, seconds: float) -> Exchange:
        deadline = Deadline(seconds)
        started = time.monotonic() - self._origin
        connection = self._lanes.pop(lane, None)
        if connection is not None and not connection.is_reusable():
            connection.close()
            connection = None
        response: Response | None = None
        failure: Failure | None
        try:
            connection = connection or Connection(self._address.connect(deadline), next(self._connections))
            response, failure = connection.ask(request, deadline)
        except ConnectionBroken as broken:
            failure = broken.failure
        finally:
            if connection is not None:
                self._put_back(connection, lane)
        ended = time.monotonic() - self._origin
        if response is not None:
            response, failure = self._decoded_response(response, failure)
        return Exchange(
            number=next(self._numbers),
            intent=intent,
            request=request,
            response=response,
            failure=failure,
            started=started,
            ended=ended,
            connection=connection.number if connection else 0,
            reused=connection is not None and connection.served > 1,
        )

    def _put_back(self, connection: Connection, lane: str) -> None:
        if lane:
            self._lanes[lane] = connection
        else:
            connection.close()

    def _decoded_response(self, response: Response, failure: Failure | None) -> tuple[Response, Failure | None]:
        """Return the response with its codings undone, cut to what a run can store."""
        body, decode_failure = decoded(response.body, response.header_values("content-encoding"))
        body, failure = self._bodies.keep(body, failure or decode_failure)
        return Response(response.status, response.headers, body, response.reason, response.http_version), failure


def _closed_while_idle(exchange: Exchange) -> bool:
    return (
        exchange.request.method in ("GET", "HEAD") and exchange.failure is not None and exchange.failure.kind == "reset"
    )
