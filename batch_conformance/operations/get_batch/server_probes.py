"""The probes of Get Batch: their order, and which of them may be under way at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from batch_conformance.contract import current_contract
from batch_conformance.generate import ids
from batch_conformance.generate.keys import MISSING
from batch_conformance.operations.get_batch.burst import UNKNOWN_KEY, burst
from batch_conformance.operations.get_batch.id_probes import hostile_ids, near_ids, overrides, unknown_ids
from batch_conformance.operations.get_batch.key_probes import (
    auth_per_request,
    before_first_auth,
    conditional,
    header_case,
    hostile_keys,
    id_enumeration,
    invalid_keys,
    keyless_on_authed_connection,
    near_keys,
    other_org,
    revoked_key,
    unauthenticated,
    wrong_place,
    wrong_places,
)
from batch_conformance.operations.get_batch.reads import (
    late_reads,
    late_reads_by_batch,
    reads,
    reads_by_batch,
)
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import Probe, ProbeContext
from batch_conformance.server_runner.profile import PROFILES

__all__ = [
    "ABOUT_KEYS",
    "BUDGETS",
    "CHAINS",
    "IN_ORDER",
    "IN_TURN",
    "OPERATION",
    "PROBES",
    "TOGETHER",
    "UNKNOWN_KEY",
    "before_first_auth",
    "burst",
]  # fmt: skip

OPERATION = "get"
#: Maximum number of requests by profile; None for no cap.
BUDGETS: Mapping[str, int | None] = {name: profile.budget for name, profile in PROFILES.items()}


def methods(context: ProbeContext) -> Probe:
    """Other methods, on an unknown id only, so that nothing that exists can be changed."""
    unknown = ids.unknown_id_like(context.ids[0], context.seed + 7)
    asks_for_key = current_contract().operation("get").key is not None
    for method in context.profile.methods:
        for key in (MISSING, context.key) if asks_for_key else (context.key,):
            label = f"{method} with {key.label}"
            yield PlannedRequest(
                "methods", unknown, key, method=method, lane="", key_name=context.key_name, label=label
            )


def unusual_requests(context: ProbeContext) -> Probe:
    """Reads of a known batch that are unusual but legal, which must not make the server fail."""
    read = context.read("unusual-requests", context.ids[0])
    unusual: dict[str, list[tuple[str, str]]] = {
        "Accept: text/html": [("Accept", "text/html")],
        "If-None-Match": [("If-None-Match", '"x"')],
        "a Range": [("Range", "bytes=0-0")],
    }
    # Headers that ordinary clients vary: the responses must not differ.
    usual: dict[str, list[tuple[str, str]]] = {
        "Accept: */*": [("Accept", "*/*")],
        "no User-Agent": [("User-Agent", "")],
        "an Accept-Language": [("Accept-Language", "de, *;q=0.5")],
    }
    sends = [replace(read, query=[("unknown", "1")], label="an unknown query parameter")]
    sends += [replace(read, probe="usual-variants", headers=headers, label=label) for label, headers in usual.items()]
    sends += [replace(read, headers=headers, label=label) for label, headers in unusual.items()]
    # Headers that the contract requires stay as they are.
    required = {name.lower() for name, _ in current_contract().operation("get").required_headers()}
    sends = [send for send in sends if not any(name.lower() in required for name, _ in send.headers)]
    for send in sends[: context.profile.unusual_requests]:  # noqa: UP028 - a list takes no answers
        yield send


#: In sending order: probes that need a clean start first, those that can be left out last.
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
#: Probes made of chains. In a chain, each request follows the last response; chains are independent.
CHAINS: Mapping[str, Callable[[ProbeContext], list[Probe]]] = {
    "reads": reads_by_batch,
    "auth-per-request": lambda context: [auth_per_request(context)],
    "wrong-place": wrong_places,
    "conditional": lambda context: [conditional(context)],
    "overrides": lambda context: [overrides(context)],
    "late-reads": late_reads_by_batch,
    "keyless-on-authed-connection": lambda context: [keyless_on_authed_connection(context)],
}
#: Probes whose chains are interleaved, one request each, when sent one at a time.
IN_TURN = frozenset({"reads", "late-reads"})
#: Probes that do not look at responses, but whose requests must arrive in order with nothing in between:
#: behind a balancer, this keeps its rotation from looking like a difference.
IN_ORDER = frozenset({"id-enumeration"})
#: Probes that may be under way together.
TOGETHER: Sequence[Sequence[str]] = (
    (
        "reads", "header-case", "auth-per-request", "unauthenticated", "invalid-keys", "near-keys", "wrong-place",
        "conditional", "other-org", "revoked-key", "unknown-ids", "near-ids", "overrides",
    ),
    ("id-enumeration",),
    # Probes that may leave a server in a bad state come after those that need a good one.
    ("hostile-keys", "methods"),
    ("unusual-requests", "hostile-ids"),
    ("late-reads",),
    ("keyless-on-authed-connection",),
)  # fmt: skip
#: Probes about the key, not sent if the contract has none.
ABOUT_KEYS = frozenset(
    {
        "before-first-auth", "header-case", "auth-per-request", "unauthenticated", "invalid-keys", "near-keys",
        "wrong-place", "id-enumeration", "conditional", "other-org", "revoked-key", "hostile-keys", "generated-keys",
        "keyless-on-authed-connection",
    }
)  # fmt: skip
