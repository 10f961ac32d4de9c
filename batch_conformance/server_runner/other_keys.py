"""Probes with the keys of others, alone and side by side with the valid one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from batch_conformance.contract import current_contract
from batch_conformance.generate import ids, keys
from batch_conformance.generate.ids import known_id
from batch_conformance.generate.keys import MISSING, Key
from batch_conformance.server_runner.planned_request import PlannedRequest

if TYPE_CHECKING:
    from batch_conformance.server_runner.probes import Probe, ProbeContext

#: What the requests with another key in a burst are recorded as.
UNKNOWN_KEY, OTHER_ORG = "burst-unknown-key", "burst-other-org"


def other_org(context: ProbeContext) -> Probe:
    """Known batches with another organisation's valid key, if there is one; on connections of their own.

    And an id that is unknown to everybody: the answers must not tell one from the other.
    """
    if context.other_key is not None:
        unknown = ids.unknown_id_like(context.ids[0], context.seed + 29)
        yield replace(context.anonymous("other-org", unknown, context.other_key), lane="")
        for value in dict.fromkeys([context.ids[0], context.ids[-1]]):
            yield replace(context.anonymous("other-org", known_id(value), context.other_key), lane="")


def keyless_on_authed_connection(context: ProbeContext) -> Probe:
    """No key, an unknown one and another organisation's, on the connection that carried the valid key all along."""
    asked = known_id(context.ids[0])

    def behind(probe: str, key: Key) -> PlannedRequest:
        label = f"{key.label}, on the connection that carried the valid key all along"
        return PlannedRequest(probe, asked, key, key_name=context.key_name, label=label)

    for key in (MISSING, next(keys.unknown_keys(context.seed, context.secret))):
        yield behind("auth-per-request", key)
    if context.other_key is not None:
        yield behind("other-org", context.other_key)
        if tag := context.seen.get("etag"):
            label = f"{context.other_key.label}, with If-None-Match: the ETag of a known batch"
            plain = context.anonymous("other-org", asked, context.other_key)
            yield replace(plain, lane="", headers=[("If-None-Match", tag)], label=label)


def revoked_key(context: ProbeContext) -> Probe:
    """A known batch with a key that was valid once, if there is one."""
    if context.revoked_key is not None:
        for value in dict.fromkeys([context.ids[0], context.ids[-1]]):
            yield context.anonymous("revoked-key", known_id(value), context.revoked_key)


def burst(context: ProbeContext, count: int) -> Iterator[PlannedRequest]:
    """So many requests to be under way at once: reads with the valid key, and each third with another one.

    That is one that nobody issued and, in turn, another organisation's, if there is one.
    """
    others = [(UNKNOWN_KEY, next(keys.unknown_keys(context.seed, context.secret)))]
    if context.other_key is not None:
        others.append((OTHER_ORG, context.other_key))
    asks_for_key = current_contract().operation("get").key is not None
    for index in range(count):
        asked = context.ids[index % len(context.ids)]
        if asks_for_key and index % 3 == 1:
            probe, key = others[index // 3 % len(others)]
            label = f"{key.label}, while others come with the valid one"
            yield replace(context.anonymous(probe, known_id(asked), key), lane="", label=label)
        else:
            yield replace(context.read("burst", asked), lane="")
