"""Odd spellings of a path, which a gateway or framework may answer before the application (decision 12)."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urljoin, urlsplit

from batch_conformance.contract import current_contract
from batch_conformance.contract.id_form import is_plain
from batch_conformance.http import Exchange

_REDIRECTS = frozenset({301, 307, 308})


def segment(exchange: Exchange) -> str:
    """Return the id as it was sent: the raw rest of the path."""
    operation = current_contract().operation(exchange.intent.operation)
    return operation.raw_segment(urlsplit(exchange.request.url).path)


def is_odd_path(exchange: Exchange) -> bool:
    """Whether a path has an encoded slash, a backslash, a NUL, dot segments, or a broken or double escape."""
    raw = segment(exchange)
    once = unquote(raw, errors="replace")
    # A percent sign that is left after decoding was part of a double or broken escape.
    return once in (".", "..") or any(char in once for char in "/\\\0%")


def is_canonical_redirect(exchange: Exchange) -> bool:
    """Whether an odd path was redirected to the canonical one on the same host."""
    response = exchange.response
    if response is None or response.status not in _REDIRECTS or is_plain(segment(exchange)):
        return False
    locations = response.header_values("location")
    if len(locations) != 1:
        return False
    requested = urlsplit(exchange.request.url)
    try:
        redirected = urlsplit(urljoin(exchange.request.url, locations[0]))
        same_host = redirected.hostname == requested.hostname
    except ValueError:
        return False
    if not same_host or redirected.path == requested.path:
        return False
    # The redirect's path may be percent-encoded once more, or not.
    canonical = _canonical(unquote(requested.path, errors="replace"))
    decoded = unquote(redirected.path, errors="replace")
    return not canonical.isdisjoint(_canonical(redirected.path) | _canonical(decoded))


def _canonical(path: str) -> set[str]:
    """Resolve slashes and dot segments of a decoded path, with backslashes kept and taken for slashes."""
    return {posixpath.normpath("/" + text.lstrip("/")) for text in (path, path.replace("\\", "/"))}
