"""What is a batch, what is an error, what is a request for a batch: known by its looks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from batch_conformance.contract.load import COUNTS

#: Stands for an id that a request does not tell: a path parameter, a pattern, or no request at all.
UNKNOWN_ID = "(not recorded)"

_DOCUMENTED = frozenset({"id", "created_at", "status", "metrics", "outputUrl", "webhookUrl"})
#: The counts' names whatever their case, so that a mock in another case is found, and found wrong.
_COUNTS = frozenset(name.replace("_", "") for name in COUNTS)
_ERROR_TEXTS = frozenset({"message", "error", "errorCode"})
#: Members of a generation, which shares most of a batch's names.
_GENERATION = frozenset({"model", "input"})

_PATH = re.compile(r"(?:.*/)?v2/batch/([^/?#]+)")
_LIST_PATH = re.compile(r"(?:.*/)?v2/batch")
_PATTERN_PATH = re.compile(r".*/v2/batch/[\[(.][^/]*/?[^/]*")
_PLACEHOLDER = re.compile(r"^:|[{}<>*()\[\]\\^$+]|%7B|%2A", re.IGNORECASE)


def looks_like_batch(value: object) -> bool:
    """Whether a JSON value is meant to be a batch, right or wrong: it holds something that only batches have.

    That is counts within ``metrics``, an id that begins with ``batch``, or ``created_at`` beside ``outputUrl``.
    """
    if not isinstance(value, Mapping) or not _GENERATION.isdisjoint(value):
        return False
    if len(_DOCUMENTED & value.keys()) < 2:
        return False
    metrics, own = value.get("metrics"), value.get("id")
    return (
        (isinstance(metrics, Mapping) and any(_plain(name) in _COUNTS for name in metrics))
        or (isinstance(own, str) and own.lower().startswith("batch"))
        or {"created_at", "outputUrl"} <= value.keys()
    )


def _plain(name: object) -> str:
    return str(name).replace("_", "").lower()


def looks_like_error(value: object) -> bool:
    """Whether a JSON value is meant to be an error body, right or wrong: ``statusCode`` beside a text."""
    return isinstance(value, Mapping) and "statusCode" in value and not _ERROR_TEXTS.isdisjoint(value)


def asks_for_list(method: str | None, url: str | None) -> bool:
    """Whether a request is List Batches, whatever it filters by."""
    if url is None or (method or "GET").upper() not in ("GET", "ANY", "*"):
        return False
    plain = url.replace("\\/", "/").strip("^$")
    try:
        path = urlsplit(plain).path if "://" in plain else re.split(r"[?#]", plain, maxsplit=1)[0]
    except ValueError:
        return False
    return _LIST_PATH.fullmatch(path) is not None


def asked_id(method: str | None, url: str | None) -> str | None:
    """The id that a Get Batch asked for, percent-encoded as it was; None for any other request.

    ``url`` is a URL, a path, or what mocks match paths with: for these the id is :data:`UNKNOWN_ID`.
    """
    if url is None or (method or "GET").upper() not in ("GET", "ANY", "*"):
        return None
    plain = url.replace("\\/", "/").replace("\\.", ".").strip("^$")
    try:
        path = urlsplit(plain).path if "://" in plain else re.split(r"[?#]", plain, maxsplit=1)[0]
    except ValueError:
        return None
    match = _PATH.fullmatch(path)
    if match is None:
        # Patterns hold the very characters that end a path.
        return UNKNOWN_ID if "/v2/batch/" in plain and _PATTERN_PATH.fullmatch(plain) else None
    return UNKNOWN_ID if _PLACEHOLDER.search(match[1]) else match[1]
