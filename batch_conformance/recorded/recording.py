"""One recorded exchange: the facts in its file, and what is derived from them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import read
from batch_conformance.contract.statuses import status_member
from batch_conformance.http import Exchange, Intent, Request, Response, read_json
from batch_conformance.recorded.detection import (
    UNKNOWN_ID,
    asked_id,
    asks_for_list,
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
    """Derive a recording from a draft; None for exchanges of neither Get Batch nor List Batches.

    A 2xx implies a known id and a valid key. A 401, a 404 or another 4xx does not tell which key or id was
    rejected. A 5xx does not tell its cause, so it counts as staged.
    """
    segment = asked_id(draft.method, draft.url)
    listed = asks_for_list(draft.method, draft.url)
    if draft.url is not None and segment is None and not listed:
        return None
    value = read_json(draft.body).value if draft.body else None
    if segment is None and not listed and not looks_like_batch(value) and not looks_like_error(value):
        return None
    status = _assumed_status(value) if draft.status is None else draft.status
    if draft.body is None and draft.status is None:
        return SetAside(draft.place, "it has no answer")
    if status < 200 or status == 304 or draft.reason == "Internal Redirect":
        return SetAside(draft.place, f"its status, {status}, is not the API's answer")
    recorded = {
        "status": draft.status is not None,
        "headers": draft.headers is not None,
        "body": draft.body is not None,
        "text": draft.body is not None and draft.text,
        "order": draft.order is not None,
        "target": segment is not None or listed,
    }
    knows_id = segment not in (None, UNKNOWN_ID) and not _is_template(value)
    exchange = Exchange(
        number=next(_numbers),
        intent=_list_intent(status)
        if listed
        else _intent(status, unquote(segment or "") if knows_id else _own_id(value)),
        request=Request((draft.method or "GET").upper(), _absolute(draft.url or ""), draft.sent or ()),
        response=Response(status, draft.headers or (), draft.body or b"", draft.reason),
        started=draft.at,
        ended=draft.until,
    )
    facts: frozenset[Any] = frozenset(name for name, known in recorded.items() if known)
    return Recording(draft.place, exchange, facts, draft.order, knows_id, shows=draft.url is not None)


def _intent(status: int, batch_id: str) -> Intent:
    if status < 300:
        return Intent("reads", batch_id, "known", "valid")
    odd = batch_id != UNKNOWN_ID and not _PLAIN_ID.fullmatch(batch_id)
    return Intent(
        "recorded", batch_id, "hostile" if odd else "unknown", "valid", staged=status if status >= 500 else None
    )


def _list_intent(status: int) -> Intent:
    if status < 300:
        return Intent("reads", "", "known", "valid", operation="list")
    return Intent("recorded", "", "known", "valid", staged=status if status >= 500 else None, operation="list")


def _assumed_status(value: object) -> int:
    """Return the likely status of a response recorded without one: that of an error body, else 200."""
    if looks_like_batch(value) or not isinstance(value, Mapping) or (name := status_member()) not in value:
        return 200
    match = re.fullmatch(r"\s*([45]\d\d)(\.0)?\s*", str(value[name]))
    return int(match[1]) if match else 400


def _own_id(value: object) -> str:
    echo = entity_of("get").echo
    own = read(dict(value), echo) if echo and isinstance(value, Mapping) else None
    return own if isinstance(own, str) else UNKNOWN_ID


def _is_template(value: object) -> bool:
    """Whether the id in a mock is a template expression, e.g. ``{{request.path.2}}``."""
    return "{{" in _own_id(value)


def _absolute(url: str) -> str:
    return url if "://" in url else f"{BASE}/{url.lstrip('*/^')}"
