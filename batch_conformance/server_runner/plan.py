"""What a run would send, counted by kind, without sending anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from batch_conformance.checks.server import SERVER_CHECKS
from batch_conformance.generate import keys
from batch_conformance.server_runner.probes import PROBES, ProbeContext, before_first_auth, planned, sent
from batch_conformance.server_runner.profile import PROFILES
from batch_conformance.server_runner.target import Target

#: Stands for ids that are only known once they are discovered.
_PLACEHOLDERS = 5


@dataclass(frozen=True)
class PlannedKind:
    """How many requests of one kind; ``up_to`` when what comes back decides how many it will be."""

    kind: str
    requests: int
    up_to: bool = False


def plan_requests(
    target: Target, profile: str, selected: Collection[str], seed: int = 0
) -> list[PlannedKind]:
    """The plan for a target, in the order of sending. The sum may exceed the profile's budget, which caps it."""
    ids = list(target.batch_ids) or [f"batch_{number}" for number in range(_PLACEHOLDERS)]
    context = ProbeContext(
        key=keys.valid_key(target.api_key, target.api_key_env),
        variable=target.api_key_env,
        ids=ids,
        profile=PROFILES[profile],
        seed=seed,
        other_key=target.other_key,
        revoked_key=target.revoked_key,
    )
    wanted = sent(SERVER_CHECKS.needs(selected))
    read = len(ids[: context.profile.batches])
    kinds = [PlannedKind("pre-flight", read + (0 if target.batch_ids else 1), up_to=not target.batch_ids)]
    if "before-first-auth" in wanted and target.batch_ids:
        kinds.insert(0, PlannedKind("before-first-auth", len(list(planned(before_first_auth, context)))))
    for name, probe in PROBES.items():
        if name in wanted and (count := len(list(planned(probe, context)))):
            kinds.append(PlannedKind(name, count, up_to=name in ("reads", "wrong-place")))
    if "staged" in wanted and target.stager is not None:
        kinds.append(PlannedKind("staged", 2, up_to=True))
    if "burst" in wanted and target.rate is None:
        kinds.append(PlannedKind("burst", context.profile.burst))
    if {"generated-ids", "generated-keys"} & wanted:
        kinds.append(PlannedKind("generated", 2 * context.profile.generated, up_to=True))
    return [kind for kind in kinds if kind.requests]
