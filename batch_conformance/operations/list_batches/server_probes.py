"""What is sent to judge List Batches: GET alone, since POST to the same path is Create.

The probes have the names of Get's where they send the same thing, so that the checks about keys, errors and answers
find them; only the requests differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from batch_conformance.checks.server.statuses import is_success
from batch_conformance.contract import Instant, current_contract
from batch_conformance.contract.filters import other_filters as added
from batch_conformance.generate import keys
from batch_conformance.generate.ids import AskedId
from batch_conformance.generate.keys import EMPTY, MISSING, Key
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.bounds import (
    FAR_AHEAD,
    LONG_AGO,
    bounds_between,
    bounds_beyond,
    spread,
    written,
    zone_across,
)
from batch_conformance.operations.list_batches.combinations_asked import Shown, asked_together
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    STATUS,
    created,
    documented_statuses,
    query_of,
    state_of,
    usable,
    values_for,
    wire_name,
)
from batch_conformance.operations.list_batches.lists import own_id, rows_of
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probes import Probe, ProbeContext

OPERATION = "list"
#: Requests that a run may cost beyond those of Get Batch, by profile; None for no cap.
BUDGETS: Mapping[str, int | None] = {"quick": 20, "default": 80, "thorough": None}
#: What says that a server does not have the operation.
ABSENT = frozenset({404, 405, 501})
#: What no batch is in, and what is no date: a filter with it can select nothing.
UNKNOWN_STATUS = "NO_SUCH_STATUS"
BAD_DATES = ("not-a-date", "2024-13-45T99:00:00Z", "yesterday")

_ASKED = AskedId("", "", "known", "the list of batches")
#: The same, asked for in a way that may be refused.
_ODD = replace(_ASKED, kind="near")


def listing(
    context: ProbeContext,
    probe: str,
    key: Key | None = None,
    *,
    label: str = "",
    query: Mapping[str, str] | None = None,
) -> PlannedRequest:
    """A request for the list, with the valid key unless another is given, and these filters."""
    return PlannedRequest(
        probe,
        _ASKED,
        context.key if key is None else key,
        key_name=context.key_name,
        query=tuple((query or {}).items()),
        label=label or (f"the list with {', '.join(query)}" if query else ""),
        operation=OPERATION,
        lane="valid" if key is None or key is context.key else "anonymous",
    )


def filtered(context: ProbeContext, probe: str, filters: Mapping[str, str], *, label: str = "") -> Probe:
    """A request with filters, by what they mean; none where the contract does not have all of them."""
    query = query_of(filters)
    if query is not None:
        yield listing(context, probe, query=query, label=label)


def _few(context: ProbeContext, quick: int, default: int, thorough: int) -> int:
    return {"quick": quick, "default": default}.get(context.profile.name, thorough)


def _is_quick(context: ProbeContext) -> bool:
    return context.profile.name == "quick"


def before_first_auth(context: ProbeContext) -> Probe:
    """Before any valid key was ever sent: on a fresh connection, no key, an empty one, an unknown one."""
    stranger = next(keys.unknown_keys(context.seed, context.secret))
    for key in (MISSING, EMPTY, stranger)[: _few(context, 1, 3, 3)]:
        yield replace(listing(context, "before-first-auth", key), lane="")


def reads(context: ProbeContext) -> Probe:
    """The whole list."""
    listed: list[Any] = []
    for _ in range(_few(context, 1, 2, 4)):
        listed = entries_of((yield listing(context, "reads"))) or listed
    context.listed = tuple(row for row in listed if isinstance(row, dict))


def listed_reads(context: ProbeContext) -> Probe:
    """Where Get is judged too, a few batches of the list by their ids."""
    if "get" in context.operations:
        asked = [own for own in map(own_id, context.listed) if own is not None and _can_be_asked_for(own)]
        known = [value for value in context.ids if value in asked]
        for value in [*known, *(value for value in asked if value not in known)][: _few(context, 1, 6, 30)]:
            yield replace(context.read("reads", value), label="a batch that the list names")


def reads_again(context: ProbeContext) -> Probe:
    """The whole list once more, so that what Get answered lies between two of it."""
    if "get" in context.operations and not _is_quick(context):
        yield listing(context, "reads", label="the list, after its batches were read one by one")


def _can_be_asked_for(value: str) -> bool:
    return bool(value) and value.isprintable()


def late_reads(context: ProbeContext) -> Probe:
    """The whole list once more, after all that happened in between."""
    yield listing(context, "late-reads")


def header_case(context: ProbeContext) -> Probe:
    """The valid key under another spelling of the header's name."""
    header = current_contract().operation(OPERATION).key_header
    if header and not _is_quick(context):
        own = context.key_name or header
        name = own.upper() if own.upper() != own else own.lower()
        yield replace(listing(context, "header-case", label=f"the valid key under {name}"), key_name=name)


def auth_per_request(context: ProbeContext) -> Probe:
    """Requests with and without the key, in turn, on one connection; then without it on a fresh one."""
    for chain in _auth_per_request(context):
        yield from chain


def _auth_per_request(context: ProbeContext) -> list[Probe]:
    return [_in_turn(context), _on_a_fresh_connection(context)]


def _in_turn(context: ProbeContext) -> Probe:
    stranger = next(keys.unknown_keys(context.seed, context.secret))
    turns = (
        (context.key, MISSING) if _is_quick(context) else (context.key, MISSING, stranger, context.key, EMPTY)
    )
    for key in turns:
        label = "" if key is context.key else f"{key.label}, on a connection that just carried the valid key"
        yield replace(listing(context, "auth-per-request", key, label=label), lane="mixed")


def _on_a_fresh_connection(context: ProbeContext) -> Probe:
    if not _is_quick(context):
        label = "no key, on a fresh connection after the valid key was used on another"
        yield replace(listing(context, "auth-per-request", MISSING, label=label), lane="")


def unauthenticated(context: ProbeContext) -> Probe:
    """No key and an empty one."""
    yield listing(context, "missing-key", MISSING)
    if not _is_quick(context):
        query = query_of({AFTER: LONG_AGO}) or query_of({BEFORE: FAR_AHEAD})
        if query:
            yield listing(context, "missing-key", MISSING, label="no key, with a filter", query=query)
        yield listing(context, "empty-key", EMPTY)
        # On a connection of its own: some servers send a body all the same.
        yield replace(listing(context, "list-head", MISSING, label="no key, by HEAD"), method="HEAD", lane="")


def invalid_keys(context: ProbeContext) -> Probe:
    """Keys nobody issued."""
    for key in islice(keys.unknown_keys(context.seed, context.secret), _few(context, 1, 3, 20)):
        yield listing(context, "invalid-keys", key)


def near_keys(context: ProbeContext) -> Probe:
    """Keys one fault away from the valid one."""
    near = keys.near_keys(context.secret, context.variable, context.seed)
    for key in islice(near, _few(context, 1, 6, 40)):
        yield listing(context, "near-keys", key)


def hostile_keys(context: ProbeContext) -> Probe:
    """Keys that trip parsers."""
    for key in islice(keys.hostile_keys(context.secret, context.variable), _few(context, 0, 2, 20)):
        yield replace(listing(context, "hostile-keys", key), lane="")


def wrong_place(context: ProbeContext) -> Probe:
    """The valid key where it counts for nothing. A place is tried whole; when it opens, name by name."""
    for chain in _wrong_places(context):
        yield from chain


def _wrong_places(context: ProbeContext) -> list[Probe]:
    """What is sent for each place: no place waits for another."""
    places = keys.other_places(context.secret, current_contract().operation(OPERATION))

    def at(place: str) -> Probe:
        exchange = yield _misplaced(context, place, places[place])
        if exchange is not None and exchange.status == 200 and len(places[place]) > 1:
            for pair in places[place][: _few(context, 0, 4, 99)]:
                yield _misplaced(context, place, [pair])

    possible = [place for place in context.profile.places if place in places]
    return [at(place) for place in possible[: _few(context, 1, 6, 99)]]


def _misplaced(context: ProbeContext, place: str, pairs: Sequence[tuple[str, str]]) -> PlannedRequest:
    base = replace(listing(context, "wrong-place", MISSING), key_kind="misplaced")
    names = ", ".join(name for name, _ in pairs)
    if place.startswith("query"):
        return replace(base, query=pairs, label=f"the valid key in the query ({names})")
    if place == "cookie":
        cookie = "; ".join(f"{name}={value}" for name, value in pairs)
        return replace(base, headers=[("Cookie", cookie)], label=f"the valid key in a cookie ({names})")
    if place == "header":
        return replace(base, headers=pairs, label=f"the valid key in another header ({names})")
    scheme = pairs[0][1].partition(" ")[0] if " " in pairs[0][1] else "no scheme"
    return replace(base, headers=pairs, label=f"the valid key in Authorization ({scheme})")


def other_org(context: ProbeContext) -> Probe:
    """The list of another organisation, if there is a key of one."""
    if context.other_key is not None and current_contract().operation("list").key is not None:
        yield replace(listing(context, "list-other-org", context.other_key), lane="")


def revoked_key(context: ProbeContext) -> Probe:
    """A key that was valid once, if there is one."""
    if context.revoked_key is not None and not _is_quick(context):
        yield listing(context, "revoked-key", context.revoked_key)


def filters(context: ProbeContext) -> Probe:
    """Each filter alone and all together, with bounds that lie between the batches of the list."""
    some, none = _by_presence(context.listed)
    statuses = [*some, *none] if not _is_quick(context) else [*some[:1], *none[:1]]
    for status in statuses:
        yield from filtered(context, "list-filters", {STATUS: status})
    bounds = list(bounds_between(context.listed))
    picked = spread(bounds, _few(context, 1, 3, 12))
    for bound in picked:
        yield from filtered(context, "list-filters", {AFTER: written(bound)})
        yield from filtered(context, "list-filters", {BEFORE: written(bound)})
    for number, bound in enumerate(picked[: _few(context, 1, 3, 6)]):
        name = (AFTER, BEFORE)[number % 2]
        zone = zone_across(bound, name, context.listed)
        label = f"{wire_name(name)} written with an offset"
        yield from filtered(context, "list-offsets", {name: written(bound, zone)}, label=label)
    yield from _together(context, (some or statuses) if usable(STATUS) else [], bounds)
    beyond = [one for one in bounds_beyond(context.listed) if query_of(one) is not None]
    for one in beyond[: _few(context, 1, 2, 2)]:
        yield from filtered(context, "list-empty", one)
    if not _is_quick(context):
        crossed = {AFTER: FAR_AHEAD, BEFORE: LONG_AGO}
        if bounds:
            crossed = {AFTER: written(bounds[-1]), BEFORE: written(bounds[0])}
        label = f"{wire_name(AFTER)} later than {wire_name(BEFORE)}"
        for send in filtered(context, "list-crossed", crossed, label=label):
            yield replace(send, asked=_ODD)


def other_filters(context: ProbeContext) -> Probe:
    """The filters that an overlay adds, each with values that some batches of the list fit and others do not."""
    for name in added():
        for value in values_for(name, context.listed)[: _few(context, 1, 2, 4)]:
            yield listing(context, "list-other-filters", query={wire_name(name): value})


def _together(context: ProbeContext, statuses: Sequence[str], bounds: Sequence[Instant]) -> Probe:
    """Several filters at once, as far as the contract has them."""
    queries = []
    for asked in asked_together(_shown(context.listed), statuses, bounds):
        dates = {AFTER: asked.after, BEFORE: asked.before}
        given = {STATUS: asked.status} if asked.status else {}
        given |= {name: written(bound) for name, bound in dates.items() if bound is not None}
        query = query_of(given)
        queries += [query] if query is not None else []
    for query in queries[: _few(context, 1, 4, 4)]:
        yield listing(context, "list-filters", query=query)


def bad_filters(context: ProbeContext) -> Probe:
    """Filters that can select nothing: a status there is none of, dates that are none."""
    rows = [
        {STATUS: UNKNOWN_STATUS},
        {AFTER: BAD_DATES[0]},
        {BEFORE: BAD_DATES[1]},
        {BEFORE: BAD_DATES[0]},
        {AFTER: BAD_DATES[2]},
        # As code reads it that asks whether there is a value at all.
        {AFTER: ""},
        {BEFORE: ""},
    ]
    # What is no status: nothing at all, and a part of one that batches are in.
    parts = [name[:-1] for name in _by_presence(context.listed)[0] if name[:-1] not in documented_statuses()]
    rows += [{STATUS: value} for value in ("", *filter(None, parts[:1]))]
    queries = [query for row in rows if (query := query_of(row)) is not None]
    for query in queries[: _few(context, 2, 9, 9)]:
        said = ", ".join(f"{name}={value}" for name, value in query.items())
        send = listing(context, "list-bad-filters", label=f"the filter {said}", query=query)
        yield replace(send, asked=_ODD)


def unusual_requests(context: ProbeContext) -> Probe:
    """Legal but unusual: an unknown parameter, a date without an offset, other headers: no reason to fail."""
    rows = [
        listing(context, "unusual-requests", label="an unknown query parameter", query={"unknown": "1"}),
        *filtered(context, "unusual-requests", {AFTER: "2024-01-15T10:30:00"}, label="a date without an offset"),
        replace(listing(context, "usual-variants", label="Accept: */*"), headers=[("Accept", "*/*")]),
        replace(
            listing(context, "unusual-requests", label="Accept: text/html"), headers=[("Accept", "text/html")]
        ),
    ]
    for send in rows[: _few(context, 0, 4, 4)]:  # noqa: UP028 - a list takes no answers
        yield send


#: In the order they are sent; those of Get's names send what Get's do.
PROBES: Mapping[str, Callable[[ProbeContext], Probe]] = {
    "reads": reads,
    "list-entries": listed_reads,
    "list-again": reads_again,
    "header-case": header_case,
    "auth-per-request": auth_per_request,
    "unauthenticated": unauthenticated,
    "invalid-keys": invalid_keys,
    "near-keys": near_keys,
    "wrong-place": wrong_place,
    "list-other-org": other_org,
    "revoked-key": revoked_key,
    "list-filters": filters,
    "list-other-filters": other_filters,
    "list-bad-filters": bad_filters,
    "hostile-keys": hostile_keys,
    "unusual-requests": unusual_requests,
    "late-reads": late_reads,
}

#: Probes that are sent wherever another one is.
WITH: Mapping[str, str] = {"list-entries": "reads", "list-again": "reads"}
#: Probes that may be under way together, behind the first one.
TOGETHER: Sequence[Sequence[str]] = (
    ("list-entries",),
    ("list-again",),
    (
        "header-case", "auth-per-request", "unauthenticated", "invalid-keys", "near-keys", "wrong-place",
        "list-other-org", "revoked-key", "list-filters", "list-other-filters", "list-bad-filters",
    ),
    # What may leave a server in a bad state comes after all that needs it in a good one.
    ("hostile-keys", "unusual-requests"),
    ("late-reads",),
)  # fmt: skip
#: Probes of chains: each of one request after the answer to the other, and none waiting for another.
CHAINS: Mapping[str, Callable[[ProbeContext], list[Probe]]] = {
    "auth-per-request": _auth_per_request,
    "wrong-place": _wrong_places,
}


def entries_of(exchange: Exchange | None) -> list[Any]:
    """What a success lists; nothing where there is no list."""
    return (rows_of(exchange) or []) if exchange is not None and is_success(exchange.status, OPERATION) else []


def _by_presence(listed: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """The documented statuses that batches of the list are in, and the others."""
    there = [state_of(row) for row in listed]
    statuses = documented_statuses()
    return [name for name in statuses if name in there], [name for name in statuses if name not in there]


def _shown(listed: Sequence[Mapping[str, Any]]) -> list[Shown]:
    """What filters look at in the batches of the list."""
    return [Shown(state_of(row), created(row)) for row in listed]
