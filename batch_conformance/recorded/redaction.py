"""Redacts secrets in recordings, detected by their position (headers, query parameters)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from batch_conformance.contract import base_contract, current_contract
from batch_conformance.http import Exchange, Redactor, Request
from batch_conformance.http.key_values import key_values
from batch_conformance.http.redact import hiding
from batch_conformance.http.sensitive import (
    SECRET_NAME,
    TELLING,
    Secret,
    hide_queries,
    hide_userinfo,
    query_secrets,
)
from batch_conformance.recorded.recording import Headers

_SECRET_HEADER = re.compile(rf"(?!(?:www|proxy)-authenticate$).*{SECRET_NAME}", re.IGNORECASE)


def keys_hidden(requests: Iterable[Request]) -> Redactor:
    """Return a redactor for the API keys of all these requests."""
    rows = list(requests)
    keys = set(_of_headers(row for request in rows for row in request.headers if _is_key(row[0])))
    keys |= {row for request in rows for row in _of_place(request)}
    redactor = Redactor()
    for secret, name in sorted(keys):
        redactor.add(secret, name, pieces=name)
    return redactor


def redactor_of(exchange: Exchange) -> Redactor:
    """Return a redactor for every secret of one exchange, wherever it occurs."""
    response = exchange.response
    headers = (*exchange.request.headers, *(response.headers if response else ()))
    body = response.body.decode("utf-8", "replace") if response else ""
    texts = (exchange.request.url, body, *(value for _, value in headers))
    return hiding(frozenset((*_of_headers(headers), *query_secrets(texts), *_of_place(exchange.request))))


def _is_key(header: str) -> bool:
    """Whether a header carries a key. Keys are redacted in the whole file, since there are only few."""
    return header.lower() == "authorization" or header.lower() in _key_headers()


def _key_headers() -> frozenset[str]:
    """Return the key headers of the contract in use and of the one without overlays."""
    contracts = (current_contract(), base_contract())
    names = (operation.key_header for contract in contracts for operation in contract.operations.values())
    return frozenset(name.lower() for name in names if name)


def _of_place(request: Request) -> Iterator[Secret]:
    """Yield the key of a request where the contract puts it into the query or a cookie."""
    for place in {operation.key for operation in current_contract().operations.values()}:
        if place is None or place.place == "header":
            continue
        yield from ((value, "[api-key]") for value in key_values(request, place) if len(value) >= TELLING)


def _of_headers(headers: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    for name, value in headers:
        if _is_secret(name):
            yield from ((part, _label(name)) for part in _values(name, value) if len(part) >= TELLING)


def _label(header: str) -> str:
    return "[api-key]" if header.lower() in _key_headers() else f"[{header.lower()}]"


def _is_secret(header: str) -> bool:
    return _SECRET_HEADER.match(header) is not None or header.lower() in _key_headers()


def _values(name: str, value: str) -> Iterator[str]:
    """Yield a header's value, and its parts that are secrets of their own."""
    yield value
    if "auth" in name.lower():
        yield value.partition(" ")[2].strip()
    if "cookie" in name.lower():
        for pair in value.split(";"):
            yield pair.partition("=")[2].strip()


def safe(exchange: Exchange) -> Exchange:
    """Return the exchange with secrets redacted, both in their headers, however short, and where echoed."""
    request, response, redactor = exchange.request, exchange.response, redactor_of(exchange)
    url = hide_queries(hide_userinfo(request.url))
    if response is not None:
        text = response.body.decode("utf-8", "surrogateescape")
        body = redactor.text(text).encode("utf-8", "surrogateescape")
        response = replace(response, headers=_masked(response.headers, redactor), body=body)
    request = replace(request, url=redactor.text(url), headers=_masked(request.headers, redactor))
    return replace(exchange, request=request, response=response)


def _masked(headers: Headers, redactor: Redactor) -> Headers:
    return tuple(
        (name, _label(name) if value and _is_secret(name) else redactor.text(value)) for name, value in headers
    )
