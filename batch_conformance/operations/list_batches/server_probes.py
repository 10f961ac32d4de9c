"""Probes of List Batches. They send no POST, which creates a batch at the same path.

Probes with the same purpose as those of Get Batch have the same names, so that the checks about keys, errors
and answers find their exchanges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import comb
from typing import Any

from batch_conformance.checks.server.statuses import is_success
from batch_conformance.contract import Instant, base_contract
from batch_conformance.contract.filters import other_filters as added
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.bounds import (
    FAR_AHEAD,
    LONG_AGO,
    bounds_between,
    bounds_beyond,
    sides,
    spread,
    written,
    zone_across,
)
from batch_conformance.operations.list_batches.filter_combinations import ComparedMembers, filter_combinations
from batch_conformance.operations.list_batches.filter_pairs import filter_pairs
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    NAMES,
    STATUS,
    by_presence,
    created,
    documented_statuses,
    query_of,
    state_of,
    usable,
    values_for,
    wire_name,
)
from batch_conformance.operations.list_batches.key_probes import (
    auth_chains,
    auth_per_request,
    before_first_auth,
    header_case,
    hostile_keys,
    invalid_keys,
    near_keys,
    other_org,
    probes_by_place,
    revoked_key,
    unauthenticated,
    wrong_place,
)
from batch_conformance.operations.list_batches.lists import OPERATION, own_id, rows_of
from batch_conformance.operations.list_batches.planned_requests import (
    MAY_BE_REFUSED,
    by_profile,
    filtered,
    is_quick,
    listing,
)
from batch_conformance.server_runner.probe import Probe, ProbeContext

__all__ = [
    "BUDGETS", "CHAINS", "OPERATION", "PROBES", "TOGETHER", "WITH", "before_first_auth", "more_requests",
]  # fmt: skip

#: The most requests in addition to those of Get Batch, by profile; None for no limit.
BUDGETS: Mapping[str, int | None] = {"quick": 20, "default": 80, "thorough": None}
#: The most values of an added filter, and the most pairs of filters, by profile.
_VALUES, _PAIRS = {"quick": 1, "default": 2, "thorough": 4}, {"quick": 1, "default": 6, "thorough": 20}
#: Values of filters that can select nothing.
UNKNOWN_STATUS = "NO_SUCH_STATUS"
BAD_DATES = ("not-a-date", "2024-13-45T99:00:00Z", "1999-02-30T00:00:00Z")


def reads(context: ProbeContext) -> Probe:
    """The unfiltered list."""
    listed: list[Any] = []
    for _ in range(by_profile(context, 1, 2, 4)):
        listed = entries_of((yield listing(context, "reads"))) or listed
    context.listed = tuple(row for row in listed if isinstance(row, dict))


def listed_reads(context: ProbeContext) -> Probe:
    """A few listed batches by their ids, where Get Batch is tested too."""
    if "get" in context.operations:
        listed_ids = [own for own in map(own_id, context.listed) if own is not None and _is_sendable(own)]
        known = [value for value in context.ids if value in listed_ids]
        others = [value for value in listed_ids if value not in known]
        for value in _each_state_first([*known, *others], context.listed)[: by_profile(context, 1, 6, 30)]:
            yield replace(context.read("reads", value), label="a batch that the list names")


def _each_state_first(ids: Sequence[str], listed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return ids with the first one of each status in front."""
    states = {own_id(row): state_of(row) for row in listed}
    first = {states[value]: value for value in reversed(ids)}
    return sorted(ids, key=lambda value: first[states[value]] != value)


def reads_again(context: ProbeContext) -> Probe:
    """The unfiltered list again, so that the reads by id lie between two lists."""
    if "get" in context.operations and not is_quick(context):
        yield listing(context, "reads", label="the list, after its batches were read one by one")


def _is_sendable(value: str) -> bool:
    return bool(value) and value.isprintable()


def late_reads(context: ProbeContext) -> Probe:
    """The unfiltered list again at the end of the run, and one batch whose status changed, by its id."""
    listed = entries_of((yield listing(context, "late-reads")))
    before = {own_id(row): state_of(row) for row in context.listed}
    named = [row for row in listed if isinstance(row, dict) and own_id(row) in before]
    moved = [own for row in named if (own := own_id(row)) and state_of(row) != before[own] and _is_sendable(own)]
    for value in moved[:1] if "get" in context.operations and not is_quick(context) else ():
        yield replace(context.read("late-reads", value), label="a batch that moved on in the list")


def filters(context: ProbeContext) -> Probe:
    """Each filter alone and in combinations, with bounds that lie between the listed batches."""
    some, none = by_presence(context.listed)
    statuses = [*some, *none] if not is_quick(context) else [*some[:1], *none[:1]]
    for status in statuses:
        yield from filtered(context, "list-filters", {STATUS: status})
    bounds = list(bounds_between(context.listed))
    picked = spread(bounds, by_profile(context, 1, 3, 12))
    for number, bound in enumerate(picked):
        near = sides(bound, context.listed)
        after, before = near if number % 2 == 0 else near[::-1]
        # As JavaScript writes dates, which some parsers refuse.
        yield from filtered(context, "list-filters", {AFTER: written(after, milliseconds=number == 0)})
        yield from filtered(context, "list-filters", {BEFORE: written(before, milliseconds=number == 1)})
    for number, bound in enumerate(picked[: by_profile(context, 1, 3, 6)]):
        name = (AFTER, BEFORE)[number % 2]
        # Next to a batch that it selects, which it excludes if the server ignores the offset.
        bound = sides(bound, context.listed)[name == AFTER]
        zone = zone_across(bound, name, context.listed)
        label = f"{wire_name(name)} written with an offset"
        yield from filtered(context, "list-offsets", {name: written(bound, zone)}, label=label)
    yield from _together(context, (some or statuses) if usable(STATUS) else [], bounds)
    beyond = [one for one in bounds_beyond(context.listed) if query_of(one) is not None]
    for one in beyond[: by_profile(context, 1, 2, 2)]:
        yield from filtered(context, "list-empty", one)
    if not is_quick(context):
        crossed = {AFTER: FAR_AHEAD, BEFORE: LONG_AGO}
        # With batches between the bounds and beyond each, if there are that many: either bound alone selects some.
        inner = bounds[1:-1] if len(bounds) > 3 else bounds
        if inner:
            crossed = {AFTER: written(inner[-1]), BEFORE: written(inner[0])}
        label = f"{wire_name(AFTER)} later than {wire_name(BEFORE)}"
        for send in filtered(context, "list-crossed", crossed, label=label):
            yield replace(send, asked=MAY_BE_REFUSED)


def other_filters(context: ProbeContext) -> Probe:
    """The filters that an overlay adds, alone and in pairs, with values that not all listed batches fit."""
    for name in added():
        for value in values_for(name, context.listed)[: _VALUES[context.profile.name]]:
            yield listing(context, "list-other-filters", query={wire_name(name): value})
    for given in list(filter_pairs(context.listed))[: _PAIRS[context.profile.name]]:
        query = {wire_name(name): value for name, value in given.items()}
        yield listing(context, "list-other-filters", query=query)


def more_requests(profile: str) -> int:
    """Return how many requests the filters and statuses of an edited contract take that the base contract lacks."""
    base = [name for name in NAMES if usable(name)]
    pairs = comb(len(base) + len(added()), 2) - comb(len(base), 2)
    statuses = max(0, len(documented_statuses()) - len(documented_statuses(base_contract())))
    return (statuses if profile != "quick" else 0) + len(added()) * _VALUES[profile] + min(pairs, _PAIRS[profile])


def _together(context: ProbeContext, statuses: Sequence[str], bounds: Sequence[Instant]) -> Probe:
    """Combinations of filters, as far as the contract has them."""
    queries = []
    for combination in filter_combinations(_compared_members(context.listed), statuses, bounds):
        dates = {AFTER: combination.after, BEFORE: combination.before}
        given = {STATUS: combination.status} if combination.status else {}
        given |= {name: written(bound) for name, bound in dates.items() if bound is not None}
        query = query_of(given)
        queries += [query] if query is not None else []
    for query in queries[: by_profile(context, 1, 4, 4)]:
        yield listing(context, "list-filters", query=query)


def bad_filters(context: ProbeContext) -> Probe:
    """Filters with invalid values: unknown statuses, malformed dates."""
    rows = [
        {STATUS: UNKNOWN_STATUS},
        {AFTER: BAD_DATES[0]},
        {BEFORE: BAD_DATES[1]},
        {BEFORE: BAD_DATES[0]},
        {AFTER: BAD_DATES[2]},
        # Code that tests a value for truth ignores an empty one.
        {AFTER: ""},
        {BEFORE: ""},
    ]
    # Invalid statuses: empty, a prefix of one in the list, and null.
    there, _ = by_presence(context.listed)
    parts = [name[:-1] for name in there if name[:-1] not in documented_statuses()]
    rows += [{STATUS: value} for value in ("", *filter(None, parts[:1]), *(f"{name}X" for name in there[:1]), "null")]
    # In combination with valid filters.
    rows += [{STATUS: UNKNOWN_STATUS, AFTER: LONG_AGO}, *({STATUS: name, AFTER: BAD_DATES[0]} for name in there[:1])]
    queries = [query for row in rows if (query := query_of(row)) is not None]
    for query in queries[: by_profile(context, 2, 13, 13)]:
        formatted = ", ".join(f"{name}={value}" for name, value in query.items())
        send = listing(context, "list-bad-filters", label=f"the filter {formatted}", query=query)
        yield replace(send, asked=MAY_BE_REFUSED)


def unusual_requests(context: ProbeContext) -> Probe:
    """Legal but unusual requests: an unknown parameter, a date without an offset, other Accept headers."""
    rows = [
        listing(context, "unusual-requests", label="an unknown query parameter", query={"unknown": "1"}),
        *filtered(context, "unusual-requests", {AFTER: "2024-01-15T10:30:00"}, label="a date without an offset"),
        replace(listing(context, "usual-variants", label="Accept: */*"), headers=[("Accept", "*/*")]),
        replace(listing(context, "unusual-requests", label="Accept: text/html"), headers=[("Accept", "text/html")]),
    ]
    for send in rows[: by_profile(context, 0, 4, 4)]:  # noqa: UP028 - a list takes no answers
        yield send


#: The probes in the order in which they are sent.
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

#: Probes that are sent whenever another one is.
WITH: Mapping[str, str] = {"list-entries": "reads", "list-again": "reads"}
#: Groups of probes that may be sent concurrently, after the first one.
TOGETHER: Sequence[Sequence[str]] = (
    ("list-entries",),
    ("list-again",),
    (
        "header-case", "auth-per-request", "unauthenticated", "invalid-keys", "near-keys", "wrong-place",
        "list-other-org", "revoked-key", "list-filters", "list-other-filters", "list-bad-filters",
    ),
    # Last, since these may leave a server in a bad state.
    ("hostile-keys", "unusual-requests"),
    ("late-reads",),
)  # fmt: skip
#: Probes that consist of independent chains; the requests of one chain are sent one after another.
CHAINS: Mapping[str, Callable[[ProbeContext], list[Probe]]] = {
    "auth-per-request": auth_chains,
    "wrong-place": probes_by_place,
    "late-reads": lambda context: [late_reads(context)],
}


def entries_of(exchange: Exchange | None) -> list[Any]:
    """Return the entries of a success; none where there is no list."""
    return (rows_of(exchange) or []) if exchange is not None and is_success(exchange.status, OPERATION) else []


def _compared_members(listed: Sequence[Mapping[str, Any]]) -> list[ComparedMembers]:
    """Return the members of the listed batches that filters compare."""
    return [ComparedMembers(state_of(row), created(row)) for row in listed]
