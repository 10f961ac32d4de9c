"""The expected path, parameters and key of a client's request, by the operation in the contract in use."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from batch_conformance.contract import KeyPlace, Operation
from batch_conformance.contract.sendable import may_be
from batch_conformance.http import Request
from batch_conformance.http.key_values import key_values, pairs_of, query_pairs

_QUERY, _COOKIE = KeyPlace("", "query"), KeyPlace("", "cookie")


def around(operation: Operation, base_url: str) -> tuple[str, str]:
    """Return what comes before and after the id in a request's path, including the base URL's path."""
    before, _, after = operation.raw_path("\0").partition("\0")
    return urlsplit(base_url).path + before, after


def wanted_path(operation: Operation, base_url: str, batch_id: str) -> str:
    """Return the path of a request, including the base URL's path, with the id percent-encoded."""
    return urlsplit(base_url).path + operation.url_path(batch_id)


def is_path_of(operation: Operation, base_url: str, path: str) -> bool:
    """Whether a path is the operation's, with any id."""
    before, after = around(operation, base_url)
    return len(path) >= len(before) + len(after) and path.startswith(before) and path.endswith(after)


def undocumented_query(operation: Operation, query: str) -> list[tuple[str, str]]:
    """Return the pairs of a query that are neither a documented parameter nor the key."""
    known, keys = operation.of_place("query"), {key.name for key in operation.keys if key.place == "query"}
    return [
        (name, value)
        for name, value in query_pairs(query)
        if name not in keys and not any(row.is_named(name) for row in known)
    ]


def lacking(operation: Operation, request: Request) -> Iterator[str]:
    """Yield the required parameters that a request lacks or has with an undocumented value."""
    for row in operation.parameters:
        # Filters are the caller's choice.
        if not row.required or row.place == "path" or row.filter is not None:
            continue
        named = f"the {'query parameter' if row.place == 'query' else row.place} {row.name}"
        if row.place == "header":
            values = request.header_values(row.name)
            sent = [(row.name, ", ".join(values))] if values else []
        else:
            pairs = pairs_of(request, _QUERY if row.place == "query" else _COOKIE)
            sent = [pair for pair in pairs if row.is_named(pair[0])]
        if not sent:
            yield named
        elif not may_be(row, sent):
            yield f"a documented value of {named}"


def key_used(operation: Operation, request: Request) -> KeyPlace | None:
    """Return which of the key's locations a request uses; the operation's first if it has no key."""
    used = (key for key in operation.keys if key_values(request, key))
    return next(used, operation.key)


def keys_in(operation: Operation, request: Request) -> list[str]:
    """Return the values at the key's location, without a prefix such as ``Bearer``."""
    key = key_used(operation, request)
    values = key_values(request, key)
    if key is None or not key.prefix:
        return values
    return [value[len(key.prefix) :] if _has_prefix(value, key) else value for value in values]


def lacks_prefix(operation: Operation, request: Request) -> bool:
    """Whether a key lacks its prefix."""
    key = key_used(operation, request)
    return key is not None and any(not _has_prefix(value, key) for value in key_values(request, key))


def _has_prefix(value: str, key: KeyPlace) -> bool:
    # Authorization schemes are case-insensitive (RFC 9110, 11.1).
    return value[: len(key.prefix)].lower() == key.prefix.lower()


def shown_key(key: KeyPlace, value: str, *, bare: bool = False) -> str:
    """Format a key at its location, for people; ``bare`` without its prefix."""
    if key.place == "header" and bare:
        return f"{key.name}: {value}"
    if key.place == "header":
        return f"{key.name}: {key.prefix}{value}"
    return f"?{key.name}={value}" if key.place == "query" else f"Cookie: {key.name}={value}"


def shown_place(key: KeyPlace) -> str:
    """Describe the location of a key."""
    return key.name if key.place == "header" else f"the {'query' if key.place == 'query' else 'cookie'} ({key.name})"


def without_key(operation: Operation, request: Request) -> Request:
    """Return a request with all key locations removed."""
    for key in operation.keys:
        request = _without(key, request)
    return request


def _without(key: KeyPlace, request: Request) -> Request:
    url, headers = request.url, request.headers
    if key.place == "header":
        headers = tuple(pair for pair in headers if not key.is_named(pair[0]))
    elif key.place == "query":
        path, mark, query = url.partition("?")
        remaining = [part for part in query.split("&") if [name for name, _ in query_pairs(part)] != [key.name]]
        url = path + (mark if remaining else "") + "&".join(remaining)
    else:
        headers = tuple(_without_cookie(name, value, key) for name, value in headers)
    return Request(request.method, url, headers, request.body)


def _without_cookie(name: str, value: str, key: KeyPlace) -> tuple[str, str]:
    if name.lower() != "cookie":
        return name, value
    remaining = (pair for pair in value.split(";") if pair.partition("=")[0].strip() != key.name)
    return name, ";".join(remaining)
