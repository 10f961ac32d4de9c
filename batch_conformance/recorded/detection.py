"""Detects batches, error bodies and requests of Get Batch and List Batches in recorded files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import split
from batch_conformance.contract.statuses import error_body, status_member

#: Placeholder for an id that is not recorded: a path parameter, a pattern, or no request at all.
UNKNOWN_ID = "(not recorded)"

#: Members of error bodies, of this API and others, in addition to those of the contract.
_ERROR_TEXTS = frozenset({"message", "error"})
#: Members of a generation, an object that shares most member names with a batch.
_GENERATION = frozenset({"model", "input"})

_PLACEHOLDER = re.compile(r"^:|[{}<>*()\[\]\\^$+]|%7B|%2A", re.IGNORECASE)


def looks_like_batch(value: object) -> bool:
    """Whether a JSON value is meant to be a batch, valid or not.

    It must have two documented members, and one of: a nested object with a documented member, an id that
    begins with ``batch``, or all required members with unusual names.
    """
    if not isinstance(value, Mapping) or not _GENERATION.isdisjoint(value):
        return False
    entity = entity_of("get")
    if len(set(entity.members) & value.keys()) < 2:
        return False
    own = entity.value_at(dict(value), entity.echo) if entity.echo else None
    telling = {name for name in entity.required if _plain(name) != name}
    return (
        any(_holds_documented(name, value.get(name)) for name in entity.members)
        or (isinstance(own, str) and own.lower().startswith("batch"))
        or (len(telling) > 1 and telling <= value.keys())
    )


def _holds_documented(name: str, value: object) -> bool:
    """Whether a member is an object with a documented name, in any case and with or without underscores."""
    if not isinstance(value, Mapping):
        return False
    known = _members_below(name)
    return any(_plain(inner) in known for inner in value)


@cached_by_contract
def _members_below(name: str) -> frozenset[str]:
    below = [split(place.pointer) for place in entity_of("get").places]
    return frozenset(_plain(parts[1]) for parts in below if len(parts) > 1 and parts[0] == name and parts[1] != "*")


def _plain(name: object) -> str:
    return str(name).replace("_", "").lower()


def looks_like_error(value: object) -> bool:
    """Whether a JSON value is meant to be an error body, valid or not: it has a status and a message."""
    status, errors = status_member(), error_body()
    texts = _ERROR_TEXTS | (frozenset(errors.members) - {status} if errors else frozenset())
    return isinstance(value, Mapping) and status in value and not texts.isdisjoint(value)


@cached_by_contract
def _paths() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return patterns for the path of a Get Batch request, and for the path patterns of mocks."""
    before, _, after = current_contract().operation("get").raw_path("\0").partition("\0")
    known, end = re.escape(before.lstrip("/")), re.escape(after)
    return re.compile(rf"(?:.*/)?{known}([^/?#]+){end}"), re.compile(rf".*/{known}[\[(.][^/]*/?[^/]*{end}")


def asks_for_list(method: str | None, url: str | None) -> bool:
    """Whether a request is List Batches, with filters or without."""
    if url is None or (method or "GET").upper() not in ("GET", "ANY", "*"):
        return False
    plain = url.replace("\\/", "/").strip("^$")
    try:
        path = urlsplit(plain).path if "://" in plain else re.split(r"[?#]", plain, maxsplit=1)[0]
    except ValueError:
        return False
    listing = current_contract().operations.get("list")
    return listing is not None and path.rstrip("/").endswith("/" + listing.url_path().strip("/"))


def asked_id(method: str | None, url: str | None) -> str | None:
    """Return the id of a Get Batch request, percent-encoded as recorded; None for other requests.

    ``url`` is a URL, a path, or a path pattern of a mock. For a pattern, the id is :data:`UNKNOWN_ID`.
    """
    if url is None or (method or "GET").upper() not in ("GET", "ANY", "*"):
        return None
    plain = url.replace("\\/", "/").replace("\\.", ".").strip("^$")
    try:
        path = urlsplit(plain).path if "://" in plain else re.split(r"[?#]", plain, maxsplit=1)[0]
    except ValueError:
        return None
    whole, pattern = _paths()
    match = whole.fullmatch(path)
    if match is None:
        # Patterns may contain ? and #, which end a path.
        return UNKNOWN_ID if pattern.fullmatch(plain) else None
    return UNKNOWN_ID if _PLACEHOLDER.search(match[1]) else match[1]
