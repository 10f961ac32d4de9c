"""Values of the API key in a request, read from where the contract puts the key."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from batch_conformance.contract import KeyPlace
from batch_conformance.http.model import Request


def key_values(request: Request, place: KeyPlace | None) -> list[str]:
    """Return the raw values at the key's place, in order, including any prefix such as ``Bearer``.

    The list is empty if the contract requires no key.
    """
    if place is None:
        return []
    if place.place == "header":
        return request.header_values(place.name)
    return [value for name, value in pairs_of(request, place) if name == place.name]


def pairs_of(request: Request, place: KeyPlace) -> list[tuple[str, str]]:
    """Return names and values of the query (decoded) or of the cookies, depending on ``place``."""
    if place.place == "query":
        return query_pairs(urlsplit(request.url).query)
    pairs = [pair for line in request.header_values("cookie") for pair in line.split(";")]
    return [(name.strip(), value.strip()) for name, _, value in (pair.partition("=") for pair in pairs)]


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Return names and values of a query, decoded (``+`` is a space), including empty values."""

    def plain(text: str) -> str:
        return unquote(text.replace("+", " "), errors="surrogateescape")

    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [(plain(name), plain(value)) for name, _, value in pairs]
