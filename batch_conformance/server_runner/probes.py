"""The probes: what is sent, in which order, on which connection. They send and record; they never judge.

A probe is a generator: it yields a :class:`PlannedRequest` and is given the :class:`Exchange` that came of it. Probes
that do not look at answers can be planned without sending.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.id_form import is_uuid
from batch_conformance.generate import ids, keys
from batch_conformance.generate.ids import AskedId, known_id
from batch_conformance.generate.keys import EMPTY, MISSING, Key
from batch_conformance.http import Exchange
from batch_conformance.server_runner.other_keys import keyless_on_authed_connection, other_org, revoked_key
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.profile import Profile
from batch_conformance.server_runner.reading import late_reads, reads

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

Probe = Generator[PlannedRequest, Exchange | None, None]


@dataclass
class ProbeContext:
    """What the probes know of the target: the key, the known ids, and the states seen so far."""

    key: Key
    variable: str
    ids: list[str]
    profile: Profile
    seed: int
    #: The spelling of the key's name that the target knows; empty for that of the contract.
    key_name: str = ""
    states: dict[str, list[str]] = field(default_factory=dict)
    operations: tuple[str, ...] = ("get",)
    other_key: Key | None = None
    revoked_key: Key | None = None
    database: ExampleDatabase | None = None
    #: Values of headers that a read of the first known batch brought, by their names in lower case.
    seen: dict[str, str] = field(default_factory=dict)
    #: The objects that List Batches named, newest first.
    listed: tuple[dict[str, Any], ...] = ()

    @property
    def secret(self) -> str:
        """The valid key's value."""
        return self.key.value or ""

    def read(self, probe: str, value: str) -> PlannedRequest:
        """An ordinary read of a known batch."""
        return PlannedRequest(probe, known_id(value), self.key, key_name=self.key_name)

    def anonymous(self, probe: str, asked: AskedId, key: Key) -> PlannedRequest:
        """A request without the valid key, on the connection that never carries it."""
        return PlannedRequest(probe, asked, key, lane="anonymous", key_name=self.key_name)

    def note_state(self, exchange: Exchange | None) -> str | None:
        """Remember the status that a read of a known batch showed."""
        value = exchange.response.json.value if exchange and exchange.response else None
        if exchange is not None and exchange.status == 200 and exchange.intent.id == self.ids[0]:
            assert exchange.response is not None
            for name in ("etag", "last-modified", "date"):
                for text in filter(None, exchange.response.header_values(name)):
                    self.seen[name] = text
        entity = entity_of("get")
        moving = entity.lifecycle_pointer
        status = entity.value_at(value, moving) if moving and isinstance(value, dict) else None
        if exchange is not None and isinstance(status, str):
            self.states.setdefault(exchange.intent.id, []).append(status)
            return status
        return None


def before_first_auth(context: ProbeContext) -> Probe:
    """Before any valid key was ever sent: on a fresh connection, no key, an empty one, an unknown one."""
    stranger = next(keys.unknown_keys(context.seed, context.secret))
    for key in (MISSING, EMPTY, stranger):
        yield PlannedRequest("before-first-auth", known_id(context.ids[0]), key, lane="", key_name=context.key_name)


def header_case(context: ProbeContext) -> Probe:
    """The valid key under other spellings of the header's name."""
    header = current_contract().operation("get").key_header
    for name in [*keys.spellings(header), header] if header else ():
        if name != (context.key_name or header):
            yield replace(
                context.read("header-case", context.ids[0]), key_name=name, label=f"the valid key under {name}"
            )


def auth_per_request(context: ProbeContext) -> Probe:
    """Requests with and without the key, in turn, on one connection; then without it on a fresh one."""
    stranger = next(keys.unknown_keys(context.seed, context.secret))
    first, last = context.ids[0], context.ids[-1]
    turns: list[tuple[str, Key]] = [(first, context.key), (first, MISSING), (last, context.key), (last, MISSING)]
    if context.profile.name != "quick":
        turns += [(first, context.key), (first, stranger), (last, context.key), (first, EMPTY), (last, context.key)]
    cookies: list[str] = []
    for value, key in turns:
        label = "" if key is context.key else f"{key.label}, on a connection that just carried the valid key"
        exchange = yield PlannedRequest(
            "auth-per-request", known_id(value), key, lane="mixed", key_name=context.key_name, label=label
        )
        cookies = exchange.response.header_values("set-cookie") if exchange and exchange.response else cookies
    # The batch just read with the key: what a cache in front would still hold.
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
    """No key and an empty key, on known batches."""
    few = context.ids[:2] if context.profile.name != "quick" else context.ids[:1]
    for value in dict.fromkeys([*few, context.ids[-1]]):
        yield context.anonymous("missing-key", known_id(value), MISSING)
    for number, value in enumerate(dict.fromkeys([context.ids[0], context.ids[-1]])):
        send = context.anonymous("empty-key", known_id(value), EMPTY)
        # As a proxy adds it: whoever takes that for the server's own host lets everybody in.
        label = "an empty key, as if from the server's own host"
        here = replace(send, headers=[("X-Forwarded-For", "127.0.0.1")], label=label)
        yield here if number else send
    if context.profile.name != "quick":
        # As curl and most libraries ask: a server may answer those as if they were browsers.
        plain = context.anonymous("missing-key", known_id(context.ids[0]), MISSING)
        yield replace(plain, headers=[("Accept", "*/*")], label="no key, with Accept: */*")
        for asked in ids.respelled(context.ids[0]):
            yield replace(context.anonymous("respelled", asked, MISSING), label=f"no key, {asked.label}")
        operation = current_contract().operation("get")
        for path, label in ids.respelled_paths(operation.path):
            plain = context.anonymous("respelled", known_id(context.ids[0]), MISSING)
            yield replace(plain, as_in=replace(operation, path=path), label=f"no key, {label}")


def invalid_keys(context: ProbeContext) -> Probe:
    """Keys nobody issued."""
    for index, key in enumerate(
        islice(keys.unknown_keys(context.seed, context.secret), context.profile.invalid_keys)
    ):
        yield context.anonymous("invalid-keys", _turn(context, index), key)


def near_keys(context: ProbeContext) -> Probe:
    """Keys one fault away from the valid one."""
    near = keys.near_keys(context.secret, context.variable, context.seed)
    for index, key in enumerate(islice(near, context.profile.near_keys)):
        yield context.anonymous("near-keys", _turn(context, index), key)


def hostile_keys(context: ProbeContext) -> Probe:
    """Keys that trip parsers."""
    for key in islice(keys.hostile_keys(context.secret, context.variable), context.profile.hostile_keys):
        yield replace(context.anonymous("hostile-keys", known_id(context.ids[0]), key), lane="")


def wrong_place(context: ProbeContext) -> Probe:
    """The valid key where it counts for nothing. A place is tried whole; when it opens, name by name."""
    for chain in wrong_places(context):
        yield from chain


def wrong_places(context: ProbeContext) -> list[Probe]:
    """What is sent for each place: no place waits for another."""
    places = keys.other_places(context.secret, current_contract().operation("get"))
    base = replace(context.anonymous("wrong-place", known_id(context.ids[0]), MISSING), key_kind="misplaced")

    def at(place: str) -> Probe:
        exchange = yield misplaced(base, place, places[place])
        if exchange is not None and exchange.status == 200 and len(places[place]) > 1:
            for pair in places[place]:
                yield misplaced(base, place, [pair])

    return [at(place) for place in context.profile.places if places.get(place)]


def misplaced(base: PlannedRequest, place: str, pairs: Sequence[tuple[str, str]]) -> PlannedRequest:
    """A request without a key, with the valid one in a place where it counts for nothing."""
    base, names = replace(base, places=len(pairs)), ", ".join(name for name, _ in pairs)
    if place.startswith("query"):
        return replace(base, query=pairs, label=f"the valid key in the query ({names})")
    if place == "cookie":
        return replace(base, cookies=pairs, label=f"the valid key in a cookie ({names})")
    if place == "header":
        return replace(base, headers=pairs, label=f"the valid key in another header ({names})")
    scheme = pairs[0][1].partition(" ")[0] if " " in pairs[0][1] else "no scheme"
    return replace(base, headers=pairs, label=f"the valid key in Authorization ({scheme})")


def id_enumeration(context: ProbeContext) -> Probe:
    """Known and unknown ids, in an order that keeps coincidences out, with every kind of key that is none.

    Each unknown id is another one, of another length at times: what depends on the id alone then varies among them.
    """
    known = known_id(context.ids[0])
    stranger = next(keys.unknown_keys(context.seed + 1, context.secret))
    near = next(keys.near_keys(context.secret, context.variable, context.seed))
    turns = [
        (MISSING, context.profile.lookup),
        (stranger, context.profile.lookup[:-2]),
        (EMPTY, "ABBA"),
        (near, "ABBA"),
    ]
    others = 0
    for key, order in turns if context.profile.name != "quick" else turns[:1]:
        for letter in order:
            if letter == "A":
                yield context.anonymous("id-enumeration", known, key)
                continue
            others += 1
            asked = ids.unknown_id_like(context.ids[0], context.seed + others)
            longer = replace(asked, value=asked.value + "7q", segment=asked.segment + "7q")
            yield context.anonymous(
                "id-enumeration", longer if others % 2 == 0 and not is_uuid(asked.value) else asked, key
            )


def conditional(context: ProbeContext) -> Probe:
    """A known and an unknown id without a key, by HEAD and under conditions: what is decided before the key tells.

    Each way is tried once, and once more, the other way round, where the two answers differ.
    """
    known = known_id(context.ids[0])
    unknown = ids.unknown_id_like(context.ids[0], context.seed + 23)
    date = context.seen.get("last-modified") or context.seen.get("date", "Mon, 01 Jan 2024 00:00:00 GMT")
    ways: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("GET", "If-None-Match: * and If-Match: *", [("If-None-Match", "*"), ("If-Match", "*")]),
        ("HEAD", "", []),
        ("GET", "If-Modified-Since", [("If-Modified-Since", date)]),
    ]
    if "etag" in context.seen:
        tag = context.seen["etag"]
        ways.insert(1, ("GET", "If-None-Match: the ETag of a known batch", [("If-None-Match", tag)]))
        ways.append(("HEAD", "If-None-Match: the ETag of a known batch", [("If-None-Match", tag)]))
    for method, name, headers in ways[: context.profile.conditions]:
        label = f"{MISSING.label}, {method}" + (f" with {name}" if name else "")
        send = replace(
            context.anonymous("conditional", known, MISSING), method=method, headers=headers, label=label
        )
        first = yield send
        second = yield replace(send, asked=unknown)
        if first is not None and second is not None and first.status != second.status:
            yield replace(send, asked=unknown)
            yield send


def unknown_ids(context: ProbeContext) -> Probe:
    """Ids of the known ones' form that nobody issued."""
    for asked in islice(ids.unknown_ids(context.ids[0], context.seed), context.profile.unknown_ids):
        yield PlannedRequest("unknown-ids", asked, context.key, key_name=context.key_name)


def near_ids(context: ProbeContext) -> Probe:
    """Ids one fault away from a known one: all kinds for the first, a few for the others."""
    for index, value in enumerate(context.ids[: context.profile.batches]):
        most = context.profile.near_ids if index == 0 else context.profile.near_ids_of_others
        if index > 3 and context.profile.budget is not None:
            break
        # Each further batch gets other kinds of variants than the one before.
        skip = 0 if index == 0 else (index - 1) * most
        for asked in islice(ids.near_ids(value, context.ids), skip, skip + most):
            yield PlannedRequest("near-ids", asked, context.key, key_name=context.key_name)


def overrides(context: ProbeContext) -> Probe:
    """An unknown id in the path and a known one in the query: all names at once; when that opens, name by name."""
    asked = replace(ids.unknown_id_like(context.ids[0], context.seed + 11), kind="near")
    documented = {row.name for row in current_contract().operation("get").of_place("query")}
    others = tuple(name for name in ids.QUERY_NAMES if name not in documented)
    for names in (others, *((name,) for name in others)):
        exchange = yield PlannedRequest(
            "overrides",
            asked,
            context.key,
            key_name=context.key_name,
            query=[(name, context.ids[0]) for name in names],
            label=f"an unknown id, with a known one in the query ({', '.join(names)})",
        )
        if len(names) > 1 and (exchange is None or exchange.status != 200):
            return


def hostile_ids(context: ProbeContext) -> Probe:
    """Ids that trip routers, patterns and parsers."""
    for asked in islice(ids.hostile_ids(context.ids[0], context.ids), context.profile.hostile_ids):
        yield PlannedRequest("hostile-ids", asked, context.key, key_name=context.key_name)


def methods(context: ProbeContext) -> Probe:
    """Other methods, on an unknown id only: nothing that exists can be changed."""
    asked = ids.unknown_id_like(context.ids[0], context.seed + 7)
    asks_for_key = current_contract().operation("get").key is not None
    for method in context.profile.methods:
        for key in (MISSING, context.key) if asks_for_key else (context.key,):
            label = f"{method} with {key.label}"
            yield PlannedRequest(
                "methods", asked, key, method=method, lane="", key_name=context.key_name, label=label
            )


def unusual_requests(context: ProbeContext) -> Probe:
    """Reads of a known batch with something legal but unusual about them: none may make the server fail."""
    read = context.read("unusual-requests", context.ids[0])
    unusual: dict[str, list[tuple[str, str]]] = {
        "Accept: text/html": [("Accept", "text/html")],
        "If-None-Match": [("If-None-Match", '"x"')],
        "a Range": [("Range", "bytes=0-0")],
    }
    # What every other client does: nothing about these answers may differ.
    usual: dict[str, list[tuple[str, str]]] = {
        "Accept: */*": [("Accept", "*/*")],
        "no User-Agent": [("User-Agent", "")],
        "an Accept-Language": [("Accept-Language", "de, *;q=0.5")],
    }
    sends = [replace(read, query=[("unknown", "1")], label="an unknown query parameter")]
    sends += [
        replace(read, probe="usual-variants", headers=headers, label=label)
        for label, headers in usual.items()
    ]
    sends += [replace(read, headers=headers, label=label) for label, headers in unusual.items()]
    # What the contract asks for stays as it is.
    asked = {name.lower() for name, _ in current_contract().operation("get").required_headers()}
    sends = [send for send in sends if not any(name.lower() in asked for name, _ in send.headers)]
    for send in sends[: context.profile.unusual_requests]:  # noqa: UP028 - a list takes no answers
        yield send


def _turn(context: ProbeContext, index: int) -> AskedId:
    return known_id(context.ids[index % len(context.ids)])


#: In the order they are sent: what depends on a clean start first, what can be left out last.
PROBES: dict[str, Callable[[ProbeContext], Probe]] = {
    "reads": reads,
    "header-case": header_case,
    "auth-per-request": auth_per_request,
    "unauthenticated": unauthenticated,
    "invalid-keys": invalid_keys,
    "near-keys": near_keys,
    "wrong-place": wrong_place,
    "conditional": conditional,
    "other-org": other_org,
    "revoked-key": revoked_key,
    "unknown-ids": unknown_ids,
    "near-ids": near_ids,
    "overrides": overrides,
    "id-enumeration": id_enumeration,
    "hostile-keys": hostile_keys,
    "methods": methods,
    "unusual-requests": unusual_requests,
    "hostile-ids": hostile_ids,
    "late-reads": late_reads,
    "keyless-on-authed-connection": keyless_on_authed_connection,
}


#: Probes about the key: not sent where the contract asks for none.
ABOUT_KEYS = frozenset(
    {
        "before-first-auth", "header-case", "auth-per-request", "unauthenticated", "invalid-keys", "near-keys",
        "wrong-place", "id-enumeration", "conditional", "other-org", "revoked-key", "hostile-keys", "generated-keys",
        "keyless-on-authed-connection",
    }
)  # fmt: skip


def sent(wanted: Collection[str]) -> frozenset[str]:
    """Those of the wanted probes that make sense under the contract in use."""
    operation = current_contract().operations.get("get")
    return frozenset(wanted) - (ABOUT_KEYS if operation is None or operation.key is None else frozenset())


def planned(probe: Callable[[ProbeContext], Probe], context: ProbeContext) -> Iterator[PlannedRequest]:
    """What a probe would send if every answer were the expected one."""
    return probe(context)
