"""What a request carries for a key, wherever the contract wants the key to be."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from batch_conformance.contract import KeyPlace
from batch_conformance.http.model import Request


def key_values(request: Request, place: KeyPlace | None) -> list[str]:
    """The values in the key's place, in order, as they were sent: what stands before a key is part of them.

    None at all where the contract asks for no key.
    """
    if place is None:
        return []
    if place.place == "header":
        return request.header_values(place.name)
    return [value for name, value in pairs_of(request, place) if name == place.name]


def pairs_of(request: Request, place: KeyPlace) -> list[tuple[str, str]]:
    """Names and values of a request's query or cookies, those of the query decoded."""
    if place.place == "query":
        return query_pairs(urlsplit(request.url).query)
    pairs = [pair for line in request.header_values("cookie") for pair in line.split(";")]
    return [(name.strip(), value.strip()) for name, _, value in (pair.partition("=") for pair in pairs)]


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Names and values of a query, decoded (``+`` is a space); empty values count."""

    def plain(text: str) -> str:
        return unquote(text.replace("+", " "), errors="surrogateescape")

    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [(plain(name), plain(value)) for name, _, value in pairs]
