"""Secrets in recordings: found by where they stand, taken out of what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import unquote

from batch_conformance.exchange import Exchange, Redactor
from batch_conformance.recorded.recording import Headers

#: Shorter values are only hidden where they stand: as a part of other texts they would be no secret, but noise.
_TELLING = 8
_SECRET_NAME = r"(?:key|token|secret|auth|cookie|session|passw|credential|signature)"
_SECRET_HEADER = re.compile(_SECRET_NAME, re.IGNORECASE)
#: A query parameter that opens something, as in a signed URL.
_SECRET_QUERY = re.compile(
    rf"(?P<name>[?&](?:[^=&#\s\"']*{_SECRET_NAME}[^=&#\s\"']*|sig|code)=)(?P<value>[^&#\s\"'\\]+)",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/?#@\s]+@")


def redactor_of(exchanges: Iterable[Exchange]) -> Redactor:
    """Hides every secret of these exchanges, wherever it turns up."""
    redactor = Redactor()
    for exchange in exchanges:
        response = exchange.response
        headers = (*exchange.request.headers, *(response.headers if response else ()))
        for name, value in headers:
            if _SECRET_HEADER.search(name):
                _hide(redactor, _values(name, value), _label(name))
        body = response.body.decode("utf-8", "replace") if response else ""
        for text in (exchange.request.url, body, *(value for _, value in headers)):
            for match in _SECRET_QUERY.finditer(text):
                _hide(redactor, (match["value"], unquote(match["value"])), "[hidden]")
    return redactor


def _hide(redactor: Redactor, values: Iterable[str], label: str) -> None:
    for value in values:
        if len(value) >= _TELLING:
            redactor.add(value, label)


def _label(header: str) -> str:
    return "[api-key]" if header.lower() == "x-api-key" else f"[{header.lower()}]"


def _values(name: str, value: str) -> Iterator[str]:
    """A header's value, and the parts of it that are secrets by themselves."""
    yield value
    scheme, _, rest = value.partition(" ")
    if rest and "auth" in name.lower():
        yield rest.strip()
    if "cookie" in name.lower():
        for pair in value.split(";"):
            yield pair.partition("=")[2].strip()
    del scheme


def safe(exchange: Exchange) -> Exchange:
    """The exchange as it may be shown: secrets are replaced where they stand, however short."""
    request, response = exchange.request, exchange.response
    url = _SECRET_QUERY.sub(
        lambda match: match["name"] + "[hidden]", _USERINFO.sub("[userinfo]@", request.url)
    )
    return replace(
        exchange,
        request=replace(request, url=url, headers=_masked(request.headers)),
        response=replace(response, headers=_masked(response.headers)) if response else None,
    )


def _masked(headers: Headers) -> Headers:
    return tuple(
        (name, _label(name) if value and _SECRET_HEADER.search(name) else value) for name, value in headers
    )
