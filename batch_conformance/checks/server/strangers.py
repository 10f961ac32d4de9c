"""Why a stranger was let in: because everybody is, or because somebody with the valid key was there before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import Record
from batch_conformance.contract.statuses import refusals
from batch_conformance.http import Exchange

EVERY_REQUEST = "server.auth.every-request"
#: The clause that answers for strangers with a kind of key being let in to begin with.
FIRST_BLAMED = {
    "missing": "server.auth.missing-key",
    "empty": "server.auth.empty-key",
    "invalid": "server.auth.invalid-key",
    "near": "server.auth.near-key",
}
#: ``cache``: what the valid key was given is handed to whoever asks for the same URL. ``caller``: who came with the
#: valid key needs none any more.
Carried = Literal["", "cache", "caller"]


def is_let_in(exchange: Exchange) -> bool:
    """Whether an answer is no refusal."""
    return exchange.status is not None and exchange.status < 400


def admission(exchange: Exchange) -> str:
    """The code of an answer that is not the refusal it should be: of being let in, or of another status."""
    return "admitted" if is_let_in(exchange) else "status"


def carried_over(record: Record) -> Carried:
    """What lets strangers in after a valid key was used, on connections that never carried it; "" if nothing does.

    A caller who is remembered is let in for every id, a cache keyed on the URL only knows URLs that were asked for.
    """
    unkeyed = [exchange for exchange in record.answered if _is_unkeyed_get(exchange)]
    before_first_auth = [exchange for exchange in unkeyed if exchange.intent.probe == "before-first-auth"]
    apart = [
        exchange
        for exchange in unkeyed
        if exchange.intent.probe == "auth-per-request"
        and not exchange.reused
        and not exchange.request.header_values("cookie")
    ]
    if not apart or any(exchange.status != 200 for exchange in apart) or not all_refused(before_first_auth):
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
    """Whether each was answered with the status of a refusal."""
    return all(exchange.status in refusals(exchange.intent.operation) for exchange in exchanges)


def is_carried_over(exchange: Exchange, record: Record, how: Carried) -> bool:
    """Whether a stranger got an answer because of an earlier valid key, going by what :func:`carried_over` found."""
    if not how or exchange.intent.probe == "before-first-auth" or exchange.status not in (200, 304):
        return False
    return how == "caller" or bool(keyed_before(exchange, record, same_url=True))


def keyed_before(exchange: Exchange, record: Record, *, same_url: bool = False) -> tuple[Exchange, ...]:
    """The last good answer to the valid key before an exchange, of the same URL or on the same connection; or none.

    Without one on the same connection it is the last one of all.
    """
    earlier = [other for other in record.good if other.ended <= exchange.started]
    if same_url:
        earlier = [other for other in earlier if other.request.url == exchange.request.url]
    elif exchange.reused:
        together = [other for other in earlier if other.connection == exchange.connection]
        earlier = together or earlier
    return tuple(earlier[-1:])


def usual(record: Record, kind: str) -> frozenset[int | None]:
    """What plain requests of a kind get in place of a refusal: another clause has the blame for it already.

    Being let in is only usual where none of them is refused.
    """
    plain = record.of("missing-key", "invalid-keys", "before-first-auth")
    statuses = {exchange.status for exchange in plain if exchange.intent.key_kind == kind}
    errors = {status for status in statuses if status is not None and status >= 400}
    proper = refusals(record.operation)
    return frozenset((statuses if proper.isdisjoint(statuses) else errors) - proper)


def read_of(exchange: Exchange) -> str:
    """What a request was, in words: "a read of a known batch with an empty key"."""
    return f"a read of {'a known batch' if exchange.intent.id else 'the list'} with {exchange.intent.label}"


def _is_a_page(exchange: Exchange) -> bool:
    """Whether a body came that is no JSON object or array: what a web server shows under paths that nobody serves."""
    response = exchange.response
    if response is None or exchange.request.method == "HEAD" or not response.body:
        return False
    return not (response.json.ok and isinstance(response.json.value, dict | list))


def blame_let_in(record: Record, result: CheckResult) -> None:
    """Blame what got in without a key by another spelling of the path or by HEAD, where nobody does otherwise."""
    everybody = any(200 <= (exchange.status or 0) < 300 for exchange in record.of("missing-key"))
    for exchange in record.of("respelled", "list-head"):
        result.observe()
        # How such a request is refused is left open: proxies and routers may answer first, with a page for people too.
        if 200 <= (exchange.status or 0) < 300 and not everybody and not _is_a_page(exchange):
            result.fail(
                exchange,
                read_of(exchange),
                code="admitted",
                expected="a refusal",
                actual=exchange.outcome(),
            )
