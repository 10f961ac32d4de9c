"""Probes of List Batches about keys: no key, invalid keys, and the valid key in the wrong place."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from batch_conformance.contract import current_contract
from batch_conformance.generate import keys
from batch_conformance.generate.keys import EMPTY, MISSING
from batch_conformance.operations.list_batches.bounds import FAR_AHEAD, LONG_AGO
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    STATUS,
    by_presence,
    documented_statuses,
    query_of,
)
from batch_conformance.operations.list_batches.lists import OPERATION
from batch_conformance.operations.list_batches.planned_requests import by_profile, is_quick, listing
from batch_conformance.server_runner.planned_request import misplaced
from batch_conformance.server_runner.probe import Probe, ProbeContext


def before_first_auth(context: ProbeContext) -> Probe:
    """Before the valid key was ever sent: no key, an empty and an unknown one, on fresh connections."""
    unknown_key = next(keys.unknown_keys(context.seed, context.secret))
    for key in (MISSING, EMPTY, unknown_key)[: by_profile(context, 1, 3, 3)]:
        yield replace(listing(context, "before-first-auth", key), lane="")


def header_case(context: ProbeContext) -> Probe:
    """The valid key under the header's name in another case."""
    header = current_contract().operation(OPERATION).key_header
    if header and not is_quick(context):
        own = context.key_name or header
        name = own.upper() if own.upper() != own else own.lower()
        yield replace(listing(context, "header-case", label=f"the valid key under {name}"), key_name=name)


def auth_per_request(context: ProbeContext) -> Probe:
    """Requests with and without the key in turn on one connection, then without it on a fresh one."""
    for chain in auth_chains(context):
        yield from chain


def auth_chains(context: ProbeContext) -> list[Probe]:
    """Return the requests on one connection and those on a fresh one, as independent probes."""
    return [_on_one_connection(context), _on_a_fresh_connection(context)]


def _on_one_connection(context: ProbeContext) -> Probe:
    unknown_key = next(keys.unknown_keys(context.seed, context.secret))
    sequence = (context.key, MISSING) if is_quick(context) else (context.key, MISSING, unknown_key, context.key, EMPTY)
    for key in sequence:
        label = "" if key is context.key else f"{key.label}, on a connection that just carried the valid key"
        yield replace(listing(context, "auth-per-request", key, label=label), lane="mixed")


def _on_a_fresh_connection(context: ProbeContext) -> Probe:
    if not is_quick(context):
        label = "no key, on a fresh connection after the valid key was used on another"
        yield replace(listing(context, "auth-per-request", MISSING, label=label), lane="")


def unauthenticated(context: ProbeContext) -> Probe:
    """No key and an empty one."""
    yield listing(context, "missing-key", MISSING)
    if not is_quick(context):
        query = query_of({AFTER: LONG_AGO}) or query_of({BEFORE: FAR_AHEAD})
        if query:
            yield listing(context, "missing-key", MISSING, label="no key, with a filter", query=query)
        status = query_of({STATUS: next(iter(documented_statuses()), "")})
        if status:
            yield listing(context, "missing-key", MISSING, label="no key, with a status", query=status)
        operation = current_contract().operation(OPERATION)
        plain = listing(context, "respelled", MISSING, label="no key, the path with a slash behind")
        yield replace(plain, as_in=replace(operation, path=f"{operation.path}/"))
        yield listing(context, "empty-key", EMPTY)
        # On a connection of its own, since some servers send a body in response to HEAD.
        yield replace(listing(context, "list-head", MISSING, label="no key, by HEAD"), method="HEAD", lane="")


def invalid_keys(context: ProbeContext) -> Probe:
    """Keys that were never issued."""
    for key in islice(keys.unknown_keys(context.seed, context.secret), by_profile(context, 1, 2, 20)):
        yield listing(context, "invalid-keys", key)


def near_keys(context: ProbeContext) -> Probe:
    """Keys that differ from the valid one in one way."""
    near = keys.near_keys(context.secret, context.variable, context.seed)
    for key in islice(near, by_profile(context, 1, 3, 40)):
        yield listing(context, "near-keys", key)


def hostile_keys(context: ProbeContext) -> Probe:
    """Keys that may break parsers."""
    for key in islice(keys.hostile_keys(context.secret, context.variable), by_profile(context, 0, 1, 20)):
        yield replace(listing(context, "hostile-keys", key), lane="")


def wrong_place(context: ProbeContext) -> Probe:
    """The valid key in wrong places, under all names of a place at once; if accepted, under half of them, and so on."""
    for chain in probes_by_place(context):
        yield from chain


def probes_by_place(context: ProbeContext) -> list[Probe]:
    """Return the requests for each place, as independent probes."""
    places = keys.other_places(context.secret, current_contract().operation(OPERATION))
    base = replace(listing(context, "wrong-place", MISSING), key_kind="misplaced")

    #: The first place with an accepted name, in which that name is sought: each takes half a dozen requests.
    narrowed: list[str] = []

    def at(place: str) -> Probe:
        names = places[place]
        exchange = yield misplaced(base, place, names)
        if exchange is None or exchange.status != 200 or is_quick(context) or narrowed:
            return
        narrowed.append(place)
        while len(names) > 1:
            half = names[: len(names) // 2]
            exchange = yield misplaced(base, place, half)
            names = half if exchange is not None and exchange.status == 200 else names[len(half) :]
        if exchange is not None and exchange.status != 200:
            yield misplaced(base, place, names)

    possible = [place for place in context.profile.places if place in places]
    return [at(place) for place in possible[: by_profile(context, 1, 5, 99)]]


def other_org(context: ProbeContext) -> Probe:
    """The list of another organisation, if its key was given."""
    if context.other_key is not None and current_contract().operation("list").key is not None:
        yield replace(listing(context, "list-other-org", context.other_key), lane="")
        wide = query_of({BEFORE: FAR_AHEAD}) if not is_quick(context) else None
        if wide:
            # A server might check the organisation only for the unfiltered list.
            yield replace(listing(context, "list-other-org", context.other_key, query=wide), lane="")
        there, _ = by_presence(context.listed)
        status = query_of({STATUS: there[0]}) if there and not is_quick(context) else None
        if status:
            yield replace(listing(context, "list-other-org", context.other_key, query=status), lane="")


def revoked_key(context: ProbeContext) -> Probe:
    """A revoked key, if one was given."""
    if context.revoked_key is not None and not is_quick(context):
        yield listing(context, "revoked-key", context.revoked_key)
