"""Secrets in recordings: found by where they stand, taken out of what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from urllib.parse import unquote

from batch_conformance.exchange import Exchange, Redactor, Request
from batch_conformance.recorded.recording import Headers

#: Shorter values are only hidden where they stand: as a part of other texts they would be no secret, but noise.
_TELLING = 8
_SECRET_NAME = r"(?:key|token|secret|auth|cookie|session|passw|credential|signature)"
_SECRET_HEADER = re.compile(rf"(?!(?:www|proxy)-authenticate$).*{_SECRET_NAME}", re.IGNORECASE)
#: Headers whose values are few in a file, and hidden in all of it.
_KEY_HEADERS = frozenset({"x-api-key", "authorization"})
#: A query parameter that opens something, as in a signed URL.
_SECRET_QUERY = re.compile(
    rf"(?P<name>[?&](?:[^=&#\s\"']*{_SECRET_NAME}[^=&#\s\"']*|sig|code)=)(?P<value>[^&#\s\"'\\]+)",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/?#@\s]+@")


#: A secret, and the name to show for it.
Secret = tuple[str, str]


def keys_hidden(requests: Iterable[Request]) -> Redactor:
    """Hides the keys of all these requests."""
    return _hiding(
        set(_of_headers(row for request in requests for row in request.headers if _is_key(row[0])))
    )


def redactor_of(exchange: Exchange) -> Redactor:
    """Hides every secret of one exchange, wherever in it that turns up."""
    response = exchange.response
    headers = (*exchange.request.headers, *(response.headers if response else ()))
    body = response.body.decode("utf-8", "replace") if response else ""
    texts = (exchange.request.url, body, *(value for _, value in headers))
    return _hiding_the_same(frozenset((*_of_headers(headers), *_of_queries(texts))))


def _hiding(secrets: Iterable[Secret]) -> Redactor:
    redactor = Redactor()
    for secret, name in sorted(secrets):
        redactor.add(secret, name)
    return redactor


@lru_cache(maxsize=64)
def _hiding_the_same(secrets: frozenset[Secret]) -> Redactor:
    """The exchanges of a recording mostly share their secrets, and a redactor takes its time to make."""
    return _hiding(secrets)


def _is_key(header: str) -> bool:
    return header.lower() in _KEY_HEADERS


def _of_headers(headers: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    for name, value in headers:
        if _SECRET_HEADER.match(name):
            yield from ((part, _label(name)) for part in _values(name, value) if len(part) >= _TELLING)


def _of_queries(texts: Iterable[str]) -> Iterator[Secret]:
    for text in texts:
        for match in _SECRET_QUERY.finditer(text):
            parts = {match["value"], unquote(match["value"])}
            yield from ((part, "[hidden]") for part in parts if len(part) >= _TELLING)


def _label(header: str) -> str:
    return "[api-key]" if header.lower() == "x-api-key" else f"[{header.lower()}]"


def _values(name: str, value: str) -> Iterator[str]:
    """A header's value, and the parts of it that are secrets by themselves."""
    yield value
    if "auth" in name.lower():
        yield value.partition(" ")[2].strip()
    if "cookie" in name.lower():
        for pair in value.split(";"):
            yield pair.partition("=")[2].strip()


def safe(exchange: Exchange) -> Exchange:
    """The exchange as it may be shown: secrets replaced where they stand, however short, and where they are echoed."""
    request, response, redactor = exchange.request, exchange.response, redactor_of(exchange)
    url = _SECRET_QUERY.sub(
        lambda match: match["name"] + "[hidden]", _USERINFO.sub("[userinfo]@", request.url)
    )
    if response is not None:
        text = response.body.decode("utf-8", "surrogateescape")
        body = redactor.text(text).encode("utf-8", "surrogateescape")
        response = replace(response, headers=_masked(response.headers, redactor), body=body)
    request = replace(request, url=redactor.text(url), headers=_masked(request.headers, redactor))
    return replace(exchange, request=request, response=response)


def _masked(headers: Headers, redactor: Redactor) -> Headers:
    return tuple(
        (name, _label(name) if value and _SECRET_HEADER.match(name) else redactor.text(value))
        for name, value in headers
    )
