"""Detects batches, error bodies and requests of the contract's operations in recorded files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.operation import Operation
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
    status, errors = status_member("get"), error_body("get")
    texts = _ERROR_TEXTS | (frozenset(errors.members) - {status} if errors else frozenset())
    return isinstance(value, Mapping) and status in value and not texts.isdisjoint(value)


@dataclass(frozen=True)
class RecordedCall:
    """The operation of a recorded request, and the id asked for, percent-encoded as recorded.

    ``segment`` is :data:`UNKNOWN_ID` for the pattern of a mock, and None where the operation takes no id.
    """

    operation: str
    segment: str | None = None


@cached_by_contract
def _paths() -> tuple[tuple[Operation, re.Pattern[str], re.Pattern[str]], ...]:
    """Return patterns for the paths of each operation's requests, and for the path patterns of mocks.

    Paths without an id come first, then long ones: a pattern for an id may match what follows it.
    """
    rows = []
    for operation in current_contract().operations.values():
        before, by_id, after = operation.raw_path("\0").partition("\0")
        known, end = re.escape(before.strip("/") if not by_id else before.lstrip("/")), re.escape(after)
        whole = re.compile(rf"(?:.*/)?{known}" + (rf"([^/?#]+){end}" if by_id else "/*"))
        mock = re.compile(rf".*/{known}[\[(.][^/]*/?[^/]*{end}" if by_id else "(?!)")
        rows.append((operation, whole, mock))
    return tuple(sorted(rows, key=lambda row: (row[0].id_parameter is not None, -len(row[0].path))))


def call_of(method: str | None, url: str | None) -> RecordedCall | None:
    """Return the call that a recorded request is; None for requests of no operation.

    ``url`` is a URL, a path, or a path pattern of a mock.
    """
    if url is None:
        return None
    plain = url.replace("\\/", "/").replace("\\.", ".").strip("^$")
    try:
        path = urlsplit(plain).path if "://" in plain else re.split(r"[?#]", plain, maxsplit=1)[0]
    except ValueError:
        return None
    for operation, whole, mock in _paths():
        if method is not None and method.upper() not in (operation.method, "ANY", "*"):
            continue
        match = whole.fullmatch(path)
        if match is not None:
            segment = match[1] if match.groups() else None
            is_pattern = segment is not None and _PLACEHOLDER.search(segment)
            return RecordedCall(operation.name, UNKNOWN_ID if is_pattern else segment)
        # Patterns may contain ? and #, which end a path.
        if mock.fullmatch(plain):
            return RecordedCall(operation.name, UNKNOWN_ID)
    return None
