"""What a request of a call is to be, by the operation in the contract in use: its path, parameters and key."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from batch_conformance.contract import KeyPlace, Operation
from batch_conformance.contract.sendable import may_be
from batch_conformance.http import Request
from batch_conformance.http.key_values import key_values, pairs_of, query_pairs

_QUERY, _COOKIE = KeyPlace("", "query"), KeyPlace("", "cookie")


def around(operation: Operation, base_url: str) -> tuple[str, str]:
    """What stands before and behind the id in the path of a request, the base's path included."""
    before, _, after = operation.raw_path("\0").partition("\0")
    return urlsplit(base_url).path + before, after


def wanted_path(operation: Operation, base_url: str, batch_id: str) -> str:
    """The path of a request, the base's path included, the id percent-encoded."""
    return urlsplit(base_url).path + operation.url_path(batch_id)


def is_path_of(operation: Operation, base_url: str, path: str) -> bool:
    """Whether a path is the operation's, whatever stands for the id."""
    before, after = around(operation, base_url)
    return len(path) >= len(before) + len(after) and path.startswith(before) and path.endswith(after)


def undocumented_query(operation: Operation, query: str) -> list[tuple[str, str]]:
    """What of a query is neither a documented parameter nor the key."""
    known, keys = operation.of_place("query"), {key.name for key in operation.keys if key.place == "query"}
    return [
        (name, value)
        for name, value in query_pairs(query)
        if name not in keys and not any(row.is_named(name) for row in known)
    ]


def lacking(operation: Operation, request: Request) -> Iterator[str]:
    """Required parameters that a request does not have, or not as documented: place and name."""
    for row in operation.parameters:
        # Whether there is a filter is for the caller to say.
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
    """Where a request has its key, of the places that security allows; the first of them where it has none."""
    used = (key for key in operation.keys if key_values(request, key))
    return next(used, operation.key)


def keys_in(operation: Operation, request: Request) -> list[str]:
    """The values in the place of the key, without what stands before a key (``Bearer ``)."""
    key = key_used(operation, request)
    values = key_values(request, key)
    if key is None or not key.prefix:
        return values
    return [value[len(key.prefix) :] if _has_prefix(value, key) else value for value in values]


def lacks_prefix(operation: Operation, request: Request) -> bool:
    """Whether the key stands in its place without what is to stand before it."""
    key = key_used(operation, request)
    return key is not None and any(not _has_prefix(value, key) for value in key_values(request, key))


def _has_prefix(value: str, key: KeyPlace) -> bool:
    # Schemes of Authorization are the same in any case (RFC 9110, 11.1).
    return value[: len(key.prefix)].lower() == key.prefix.lower()


def shown_key(key: KeyPlace, value: str, *, bare: bool = False) -> str:
    """A key as it stands in its place, for people; ``bare`` without what is to stand before it."""
    if key.place == "header" and bare:
        return f"{key.name}: {value}"
    if key.place == "header":
        return f"{key.name}: {key.prefix}{value}"
    return f"?{key.name}={value}" if key.place == "query" else f"Cookie: {key.name}={value}"


def shown_place(key: KeyPlace) -> str:
    """Where a key goes, in words."""
    return key.name if key.place == "header" else f"the {'query' if key.place == 'query' else 'cookie'} ({key.name})"


def without_key(operation: Operation, request: Request) -> Request:
    """A request without what stands in any place of the key."""
    for key in operation.keys:
        request = _without(key, request)
    return request


def _without(key: KeyPlace, request: Request) -> Request:
    url, headers = request.url, request.headers
    if key.place == "header":
        headers = tuple(pair for pair in headers if not key.is_named(pair[0]))
    elif key.place == "query":
        path, mark, query = url.partition("?")
        kept = [part for part in query.split("&") if [name for name, _ in query_pairs(part)] != [key.name]]
        url = path + (mark if kept else "") + "&".join(kept)
    else:
        headers = tuple(_without_cookie(name, value, key) for name, value in headers)
    return Request(request.method, url, headers, request.body)


def _without_cookie(name: str, value: str, key: KeyPlace) -> tuple[str, str]:
    if name.lower() != "cookie":
        return name, value
    kept = (pair for pair in value.split(";") if pair.partition("=")[0].strip() != key.name)
    return name, ";".join(kept)
