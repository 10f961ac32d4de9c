"""Probes of Get Batch about keys: missing, empty, unknown, near, hostile, misplaced, other organisations'."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from batch_conformance.contract import current_contract
from batch_conformance.contract.id_form import is_uuid
from batch_conformance.generate import ids, keys
from batch_conformance.generate.ids import AskedId, known_id
from batch_conformance.generate.keys import EMPTY, MISSING, Key
from batch_conformance.server_runner.planned_request import PlannedRequest, misplaced
from batch_conformance.server_runner.probe import Probe, ProbeContext


def before_first_auth(context: ProbeContext) -> Probe:
    """Before any request with the valid key: no key, an empty and an unknown one, on fresh connections."""
    unknown_key = next(keys.unknown_keys(context.seed, context.secret))
    for key in (MISSING, EMPTY, unknown_key):
        yield PlannedRequest("before-first-auth", known_id(context.ids[0]), key, lane="", key_name=context.key_name)


def header_case(context: ProbeContext) -> Probe:
    """The valid key under other spellings of the header's name."""
    header = current_contract().operation("get").key_header
    names = [*keys.spellings(header), header] if header else []
    for number, name in enumerate(name for name in names if name != (context.key_name or header)):
        read = context.read("header-case", context.ids[number % len(context.ids)])
        yield replace(read, key_name=name, label=f"the valid key under {name}")


def auth_per_request(context: ProbeContext) -> Probe:
    """Requests with and without the key alternately on one connection, then without it on a fresh one."""
    unknown_key = next(keys.unknown_keys(context.seed, context.secret))
    first, middle, last = context.ids[0], context.ids[len(context.ids) // 2], context.ids[-1]
    steps: list[tuple[str, Key]] = [(first, context.key), (first, MISSING), (last, context.key), (last, MISSING)]
    if context.profile.name != "quick":
        steps += [(middle, context.key), (middle, unknown_key), (last, context.key), (first, EMPTY)]
        steps += [(last, context.key)]
    cookies: list[str] = []
    for value, key in steps:
        label = "" if key is context.key else f"{key.label}, on a connection that just carried the valid key"
        exchange = yield PlannedRequest(
            "auth-per-request", known_id(value), key, lane="mixed", key_name=context.key_name, label=label
        )
        cookies = exchange.response.header_values("set-cookie") if exchange and exchange.response else cookies
    # The batch just read with the key, which a cache in front may still hold.
    yield replace(
        context.anonymous("auth-per-request", known_id(last), MISSING),
        lane="",
        label="no key, on a fresh connection after the valid key was used on another",
    )
    if cookies:
        label = "no key, with the cookies that a read with the valid key was given"
        yield replace(
            context.anonymous("auth-per-request", known_id(first), MISSING),
            lane="",
            cookies=[cookie.partition(";")[0].partition("=")[::2] for cookie in cookies],
            label=label,
        )


def unauthenticated(context: ProbeContext) -> Probe:
    """Known batches without a key and with an empty one."""
    few = context.ids[:2] if context.profile.name != "quick" else context.ids[:1]
    for value in dict.fromkeys([*few, context.ids[-1]]):
        yield context.anonymous("missing-key", known_id(value), MISSING)
    for number, value in enumerate(dict.fromkeys([context.ids[0], context.ids[-1]])):
        send = context.anonymous("empty-key", known_id(value), EMPTY)
        # As a proxy adds it: a server that takes it for its own host may skip authentication.
        label = "an empty key, as if from the server's own host"
        forwarded = replace(send, headers=[("X-Forwarded-For", "127.0.0.1")], label=label)
        yield forwarded if number else send
    if context.profile.name != "quick":
        # As curl and most libraries send it: a server may treat browsers differently.
        plain = context.anonymous("missing-key", known_id(context.ids[0]), MISSING)
        yield replace(plain, headers=[("Accept", "*/*")], label="no key, with Accept: */*")
        for variant in ids.respelled(context.ids[0]):
            yield replace(context.anonymous("respelled", variant, MISSING), label=f"no key, {variant.label}")
        operation = current_contract().operation("get")
        for path, label in ids.respelled_paths(operation.path):
            plain = context.anonymous("respelled", known_id(context.ids[0]), MISSING)
            yield replace(plain, as_in=replace(operation, path=path), label=f"no key, {label}")


def invalid_keys(context: ProbeContext) -> Probe:
    """Known batches with keys that were never issued."""
    for index, key in enumerate(islice(keys.unknown_keys(context.seed, context.secret), context.profile.invalid_keys)):
        yield context.anonymous("invalid-keys", _rotated_id(context, index), key)


def near_keys(context: ProbeContext) -> Probe:
    """Known batches with keys that differ from the valid one by one fault."""
    near = keys.near_keys(context.secret, context.variable, context.seed)
    for index, key in enumerate(islice(near, context.profile.near_keys)):
        yield context.anonymous("near-keys", _rotated_id(context, index), key)


def hostile_keys(context: ProbeContext) -> Probe:
    """A known batch with keys that parsers may fail on."""
    for key in islice(keys.hostile_keys(context.secret, context.variable), context.profile.hostile_keys):
        yield replace(context.anonymous("hostile-keys", known_id(context.ids[0]), key), lane="")


def wrong_place(context: ProbeContext) -> Probe:
    """The valid key in places where it must be ignored.

    A place is tried with all names, then name by name.
    """
    for chain in wrong_places(context):
        yield from chain


def wrong_places(context: ProbeContext) -> list[Probe]:
    """Return one chain of requests per place; they do not depend on each other."""
    places = keys.other_places(context.secret, current_contract().operation("get"))
    tried = [place for place in context.profile.places if places.get(place)]

    def at(place: str) -> Probe:
        known = _rotated_id(context, tried.index(place))
        base = replace(context.anonymous("wrong-place", known, MISSING), key_kind="misplaced")
        exchange = yield misplaced(base, place, places[place])
        if exchange is not None and exchange.status == 200 and len(places[place]) > 1:
            for pair in places[place]:
                yield misplaced(base, place, [pair])

    return [at(place) for place in tried]


def id_enumeration(context: ProbeContext) -> Probe:
    """Known and unknown ids with every kind of invalid key, in an order that rules out coincidences.

    The unknown ids all differ, some in length, so that differences due to the id alone show among them too.
    """
    known = known_id(context.ids[0])
    unknown_key = next(keys.unknown_keys(context.seed + 1, context.secret))
    near = next(keys.near_keys(context.secret, context.variable, context.seed))
    rows = [
        (MISSING, context.profile.lookup),
        (unknown_key, context.profile.lookup[:-2]),
        (EMPTY, "ABBA"),
        (near, "ABBA"),
    ]
    count = 0
    for key, order in rows if context.profile.name != "quick" else rows[:1]:
        for letter in order:
            if letter == "A":
                yield context.anonymous("id-enumeration", known, key)
                continue
            count += 1
            unknown = ids.unknown_id_like(context.ids[0], context.seed + count)
            longer = replace(unknown, value=unknown.value + "7q", segment=unknown.segment + "7q")
            yield context.anonymous(
                "id-enumeration", longer if count % 2 == 0 and not is_uuid(unknown.value) else unknown, key
            )


def conditional(context: ProbeContext) -> Probe:
    """A known and an unknown id without a key, by HEAD and under conditions.

    A server that evaluates these before the key discloses ids. Each variant is sent once, and again in
    reverse order if the two statuses differ.
    """
    known = known_id(context.ids[0])
    unknown = ids.unknown_id_like(context.ids[0], context.seed + 23)
    date = context.seen.get("last-modified") or context.seen.get("date", "Mon, 01 Jan 2024 00:00:00 GMT")
    variants: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("GET", "If-None-Match: * and If-Match: *", [("If-None-Match", "*"), ("If-Match", "*")]),
        ("HEAD", "", []),
        ("GET", "If-Modified-Since", [("If-Modified-Since", date)]),
    ]
    if "etag" in context.seen:
        tag = context.seen["etag"]
        variants.insert(1, ("GET", "If-None-Match: the ETag of a known batch", [("If-None-Match", tag)]))
        variants.append(("HEAD", "If-None-Match: the ETag of a known batch", [("If-None-Match", tag)]))
    for method, name, headers in variants[: context.profile.conditions]:
        label = f"{MISSING.label}, {method}" + (f" with {name}" if name else "")
        send = replace(context.anonymous("conditional", known, MISSING), method=method, headers=headers, label=label)
        first = yield send
        second = yield replace(send, asked=unknown)
        if first is not None and second is not None and first.status != second.status:
            yield replace(send, asked=unknown)
            yield send


def other_org(context: ProbeContext) -> Probe:
    """Known batches with another organisation's valid key, if there is one, on fresh connections.

    First an id that is unknown to every organisation: the responses must not differ.
    """
    if context.other_key is not None:
        unknown = ids.unknown_id_like(context.ids[0], context.seed + 29)
        yield replace(context.anonymous("other-org", unknown, context.other_key), lane="")
        # The first one is asked for on the connection that carried the valid key.
        for value in context.by_state()[1:4] or context.ids[:1]:
            yield replace(context.anonymous("other-org", known_id(value), context.other_key), lane="")


def keyless_on_authed_connection(context: ProbeContext) -> Probe:
    """Other keys or none on the connection that has carried the valid key throughout."""
    asked = known_id(context.ids[0])

    def send_with(probe: str, key: Key) -> PlannedRequest:
        label = f"{key.label}, on the connection that carried the valid key all along"
        return PlannedRequest(probe, asked, key, key_name=context.key_name, label=label)

    for key in (MISSING, next(keys.unknown_keys(context.seed, context.secret))):
        yield send_with("auth-per-request", key)
    if context.other_key is not None:
        yield send_with("other-org", context.other_key)
        if tag := context.seen.get("etag"):
            label = f"{context.other_key.label}, with If-None-Match: the ETag of a known batch"
            plain = context.anonymous("other-org", asked, context.other_key)
            yield replace(plain, lane="", headers=[("If-None-Match", tag)], label=label)


def revoked_key(context: ProbeContext) -> Probe:
    """Known batches with a revoked key, if there is one."""
    if context.revoked_key is not None:
        for value in dict.fromkeys([context.ids[0], context.ids[len(context.ids) // 2]]):
            yield context.anonymous("revoked-key", known_id(value), context.revoked_key)


def _rotated_id(context: ProbeContext, index: int) -> AskedId:
    return known_id(context.ids[index % len(context.ids)])
