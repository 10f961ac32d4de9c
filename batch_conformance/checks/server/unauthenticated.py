"""Evaluation of requests without a valid key: refused, admitted, or admitted for an earlier valid key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import Record
from batch_conformance.contract.statuses import refusals
from batch_conformance.http import Exchange

EVERY_REQUEST = "server.auth.every-request"
#: Clauses that report, by kind of key, requests that are admitted even before any valid key was sent.
FIRST_BLAMED = {
    "missing": "server.auth.missing-key",
    "empty": "server.auth.empty-key",
    "invalid": "server.auth.invalid-key",
    "near": "server.auth.near-key",
}
#: How an earlier valid key lets later requests in: ``cache``, its responses are served to any request for the
#: same URL; ``caller``, the server remembers the client.
Carried = Literal["", "cache", "caller"]


def is_let_in(exchange: Exchange) -> bool:
    """Whether a response has a status below 400."""
    return exchange.status is not None and exchange.status < 400


def admission(exchange: Exchange) -> str:
    """Return the finding code of a response that is not the expected refusal."""
    return "admitted" if is_let_in(exchange) else "status"


def carried_over(record: Record) -> Carried:
    """Return how an earlier valid key lets in requests without one, on connections that never carried it.

    It is "" if no such thing is seen. A server that remembers the client admits it for every id; a cache
    keyed on the URL only serves URLs that were requested with the key.
    """
    unkeyed = [exchange for exchange in record.answered if _is_unkeyed_get(exchange)]
    before_first_auth = [exchange for exchange in unkeyed if exchange.intent.probe == "before-first-auth"]
    fresh = [
        exchange
        for exchange in unkeyed
        if exchange.intent.probe == "auth-per-request"
        and not exchange.reused
        and not exchange.request.header_values("cookie")
    ]
    if not fresh or any(exchange.status != 200 for exchange in fresh) or not all_refused(before_first_auth):
        return ""
    unknown = [exchange for exchange in unkeyed if exchange.intent.id_kind == "unknown"]
    refused = [
        exchange
        for exchange in unkeyed
        if exchange.intent.id_kind == "known" and exchange.status in refusals(record.operation)
    ]
    if unknown and all_refused(unknown) and (refused or before_first_auth):
        return "cache"
    return "caller" if before_first_auth else ""


def _is_unkeyed_get(exchange: Exchange) -> bool:
    return exchange.intent.key_kind in ("missing", "misplaced") and exchange.request.method == "GET"


def all_refused(exchanges: Sequence[Exchange]) -> bool:
    """Whether each response has the status of a refusal."""
    return all(exchange.status in refusals(exchange.intent.operation) for exchange in exchanges)


def is_carried_over(exchange: Exchange, record: Record, carried: Carried) -> bool:
    """Whether a request was admitted because of an earlier valid key.

    ``carried`` is from :func:`carried_over`.
    """
    if not carried or exchange.intent.probe == "before-first-auth" or exchange.status not in (200, 304):
        return False
    return carried == "caller" or bool(keyed_before(exchange, record, same_url=True))


def keyed_before(exchange: Exchange, record: Record, *, same_url: bool = False) -> tuple[Exchange, ...]:
    """Return the last success with the valid key before an exchange, as a tuple of at most one.

    With ``same_url``, it is the last one for the same URL; on a reused connection, the last one on that
    connection if there is one; else the last one of all.
    """
    earlier = [other for other in record.good if other.ended <= exchange.started]
    if same_url:
        earlier = [other for other in earlier if other.request.url == exchange.request.url]
    elif exchange.reused:
        on_connection = [other for other in earlier if other.connection == exchange.connection]
        earlier = on_connection or earlier
    return tuple(earlier[-1:])


def usual(record: Record, kind: str) -> frozenset[int | None]:
    """Return the statuses other than a refusal that ordinary requests with a kind of key get.

    Another clause reports these already. Statuses below 400 are only included if none of the requests is
    refused.
    """
    plain = record.of("missing-key", "invalid-keys", "before-first-auth")
    statuses = {exchange.status for exchange in plain if exchange.intent.key_kind == kind}
    errors = {status for status in statuses if status is not None and status >= 400}
    proper = refusals(record.operation)
    return frozenset((statuses if proper.isdisjoint(statuses) else errors) - proper)


def read_of(exchange: Exchange) -> str:
    """Return a request in words: "a read of a known batch with an empty key"."""
    return f"a read of {'a known batch' if exchange.intent.id else 'the list'} with {exchange.intent.label}"


def _is_a_page(exchange: Exchange) -> bool:
    """Whether the body is not a JSON object or array, such as a web server's page for unknown paths."""
    response = exchange.response
    if response is None or exchange.request.method == "HEAD" or not response.body:
        return False
    return not (response.json.ok and isinstance(response.json.value, dict | list))


def report_admitted(record: Record, result: CheckResult) -> None:
    """Report HEAD requests and odd paths that get a 2xx without a key, if ordinary requests do not."""
    ordinary_admitted = any(200 <= (exchange.status or 0) < 300 for exchange in record.of("missing-key"))
    for exchange in record.of("respelled", "list-head"):
        result.observe()
        # The form of the refusal is left open: a proxy or router may answer first, even with an HTML page.
        if 200 <= (exchange.status or 0) < 300 and not ordinary_admitted and not _is_a_page(exchange):
            result.fail(
                exchange,
                read_of(exchange),
                code="admitted",
                expected="a refusal",
                actual=exchange.outcome(),
            )
