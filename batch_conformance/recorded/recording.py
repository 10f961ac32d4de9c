"""One recorded exchange: the facts in its file, and what is derived from them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.operation import Operation
from batch_conformance.contract.pointers import read
from batch_conformance.contract.statuses import status_member
from batch_conformance.http import Exchange, Intent, Request, Response, read_json
from batch_conformance.http.model import IdKind
from batch_conformance.recorded.detection import (
    UNKNOWN_ID,
    call_of,
    looks_like_batch,
    looks_like_error,
)

Headers = tuple[tuple[str, str], ...]
#: Facts that a file may hold: the status; the response headers; the body as a JSON value; its exact
#: characters; its position in the order of exchanges; the request.
Fact = Literal["status", "headers", "body", "text", "order", "target"]

_PLAIN_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
#: Placeholder for the origin of a request that was recorded without one.
BASE = "${BASE_URL}"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Draft:
    """The contents of a file about one exchange, None for missing parts; ``place``: ``a.har: entry 3``.

    ``url`` may be a path or a pattern. ``order`` names the recording in which ``at`` and ``until`` (start and
    end in seconds) order the exchanges. ``text`` is true if the body has exactly the characters that were
    sent.
    """

    place: str
    method: str | None = None
    url: str | None = None
    sent: Headers | None = None
    status: int | None = None
    reason: str = ""
    headers: Headers | None = None
    body: bytes | None = None
    text: bool = False
    order: str | None = None
    at: float = 0.0
    until: float = 0.0


@dataclass(frozen=True)
class Recording:
    """A recorded exchange, ready to be checked. Only the ``facts`` of ``exchange`` are known.

    ``knows_id`` is true if the requested id is known, ``shows`` if there is a request to show.
    """

    place: str
    exchange: Exchange
    facts: frozenset[Fact]
    order: str | None = None
    knows_id: bool = False
    shows: bool = False


@dataclass(frozen=True)
class SetAside:
    """An exchange of the API that cannot be checked, and why."""

    place: str
    why: str


def recording_of(draft: Draft) -> Recording | SetAside | None:
    """Derive a recording from a draft; None for exchanges of no operation of the contract.

    A 2xx implies a known id and a valid key. A 401, a 404 or another 4xx does not tell which key or id was
    rejected. A 5xx does not tell its cause, so it counts as staged.
    """
    call = call_of(draft.method, draft.url)
    if draft.url is not None and call is None:
        return None
    value = read_json(draft.body).value if draft.body else None
    if call is None and not looks_like_batch(value) and not looks_like_error(value):
        return None
    operation = current_contract().operation(call.operation if call else "get")
    status = _assumed_status(value, operation.name) if draft.status is None else draft.status
    if draft.body is None and draft.status is None:
        return SetAside(draft.place, "it has no answer")
    if status < 200 or status == 304 or draft.reason == "Internal Redirect":
        return SetAside(draft.place, f"its status, {status}, is not the API's answer")
    if 300 <= status < 400 and urlsplit(draft.url or "").path.endswith("/"):
        return SetAside(draft.place, "its path ends with a slash, and a redirect to that without one is allowed")
    recorded = {
        "status": draft.status is not None,
        "headers": draft.headers is not None,
        "body": draft.body is not None,
        "text": draft.body is not None and draft.text,
        "order": draft.order is not None,
        "target": call is not None,
    }
    segment = call.segment if call else None
    own_id = _own_id(value, operation.name)
    # A mock may fill in the id: {{request.path.2}}.
    knows_id = segment not in (None, UNKNOWN_ID) and "{{" not in own_id
    exchange = Exchange(
        number=next(_numbers),
        intent=_intent(operation, status, unquote(segment or "") if knows_id else own_id),
        request=Request((draft.method or "GET").upper(), _absolute(draft.url or ""), draft.sent or ()),
        response=Response(status, draft.headers or (), draft.body or b"", draft.reason),
        started=draft.at,
        ended=draft.until,
    )
    facts: frozenset[Any] = frozenset(name for name, known in recorded.items() if known)
    return Recording(draft.place, exchange, facts, draft.order, knows_id, shows=draft.url is not None)


def _intent(operation: Operation, status: int, batch_id: str) -> Intent:
    if operation.id_parameter is None:
        batch_id = ""
    if status < 300:
        return Intent("reads", batch_id, "known", "valid", operation=operation.name)
    staged = status if status >= 500 else None
    odd = batch_id not in ("", UNKNOWN_ID) and not _PLAIN_ID.fullmatch(batch_id)
    kind: IdKind = "hostile" if odd else "unknown" if operation.id_parameter else "known"
    return Intent("recorded", batch_id, kind, "valid", staged=staged, operation=operation.name)


def _assumed_status(value: object, operation: str) -> int:
    """Return the likely status of a response recorded without one: that of an error body, else 200."""
    if looks_like_batch(value) or not isinstance(value, Mapping) or (name := status_member(operation)) not in value:
        return 200
    match = re.fullmatch(r"\s*([45]\d\d)(\.0)?\s*", str(value[name]))
    return int(match[1]) if match else 400


def _own_id(value: object, operation: str) -> str:
    echo = entity_of(operation).echo
    own = read(dict(value), echo) if echo and isinstance(value, Mapping) else None
    return own if isinstance(own, str) else UNKNOWN_ID


def _absolute(url: str) -> str:
    return url if "://" in url else f"{BASE}/{url.lstrip('*/^')}"
