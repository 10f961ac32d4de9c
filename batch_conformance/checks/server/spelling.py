"""Odd spellings of a path: what a gateway or a framework may answer before the application does (decision 12)."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urljoin, urlsplit

from batch_conformance.contract import current_contract
from batch_conformance.contract.id_form import is_plain
from batch_conformance.http import Exchange

_REDIRECTS = frozenset({301, 307, 308})


def segment(exchange: Exchange) -> str:
    """The id as it was sent: the raw rest of the path."""
    operation = current_contract().operation(exchange.intent.operation)
    return operation.raw_segment(urlsplit(exchange.request.url).path)


def is_odd_path(exchange: Exchange) -> bool:
    """Whether a gateway may find no such path: an encoded slash, a NUL, dot segments, a broken or a double escape.

    A backslash counts as well, which some take for a slash.
    """
    raw = segment(exchange)
    once = unquote(raw, errors="replace")
    # What is left of a percent sign once decoded was a double escape, or a broken one.
    return once in (".", "..") or any(char in once for char in "/\\\0%")


def is_canonical_redirect(exchange: Exchange) -> bool:
    """Whether an odd spelling of the path was redirected to the canonical one, on the same host."""
    answer = exchange.response
    if answer is None or answer.status not in _REDIRECTS or is_plain(segment(exchange)):
        return False
    places = answer.header_values("location")
    if len(places) != 1:
        return False
    asked = urlsplit(exchange.request.url)
    try:
        told = urlsplit(urljoin(exchange.request.url, places[0]))
        same_host = told.hostname == asked.hostname
    except ValueError:
        return False
    if not same_host or told.path == asked.path:
        return False
    # The place told may hold what was decoded as it is, or encoded again.
    canonical = _canonical(unquote(asked.path, errors="replace"))
    return not canonical.isdisjoint(_canonical(told.path) | _canonical(unquote(told.path, errors="replace")))


def _canonical(path: str) -> set[str]:
    """A decoded path with its slashes and dot segments resolved; with backslashes as they are, and as slashes."""
    return {posixpath.normpath("/" + text.lstrip("/")) for text in (path, path.replace("\\", "/"))}
