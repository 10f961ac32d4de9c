"""The requests a run would send, counted by kind, without sending any."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from batch_conformance.checks.by_operation import of_clause, operations_of_run
from batch_conformance.checks.server import SERVER_CHECKS
from batch_conformance.contract import current_contract
from batch_conformance.generate import keys
from batch_conformance.server_runner.operation_probes import get_module, other_probes, probes_in
from batch_conformance.server_runner.probe import ProbeContext, planned
from batch_conformance.server_runner.profile import PROFILES
from batch_conformance.server_runner.runner import sent
from batch_conformance.server_runner.target import Target

#: Number of placeholder ids, where the ids are to be discovered.
_PLACEHOLDERS = 5


@dataclass(frozen=True)
class PlannedKind:
    """Number of requests of one kind. ``up_to`` is set if responses decide how many there will be."""

    kind: str
    requests: int
    up_to: bool = False


def plan_requests(
    target: Target,
    profile: str,
    selected: Collection[str],
    seed: int = 0,
    operations: Sequence[str] | None = None,
) -> list[PlannedKind]:
    """Return the plan for a target in sending order.

    The sum may exceed the profile's budget, which caps it.
    """
    ids = list(target.batch_ids) or [f"batch_{number}" for number in range(_PLACEHOLDERS)]
    context = ProbeContext(
        key=keys.valid_key(target.api_key, target.api_key_env),
        variable=target.api_key_env,
        ids=ids,
        profile=PROFILES[profile],
        seed=seed,
        operations=operations_of_run(operations),
        other_key=target.other_key,
        revoked_key=target.revoked_key,
    )
    clauses = current_contract().clauses
    applicable = [clause for clause in selected if of_clause(clauses[clause], context.operations)]
    wanted = sent(SERVER_CHECKS.needs(applicable))
    others = list(_other_operations(context, wanted))
    if "get" not in context.operations:
        return others
    get = probes_in(get_module())
    reads = len(ids[: context.profile.batches])
    kinds = [PlannedKind("pre-flight", reads + (0 if target.batch_ids else 1), up_to=not target.batch_ids)]
    if "before-first-auth" in wanted and target.batch_ids:
        kinds.insert(0, PlannedKind("before-first-auth", len(list(planned(get.before_first_auth, context)))))
    for name, probe in get.probes.items():
        if name in wanted and (count := len(list(planned(probe, context)))):
            kinds.append(PlannedKind(name, count, up_to=name in ("reads", "wrong-place")))
    if "staged" in wanted and target.stager is not None:
        kinds.append(PlannedKind("staged", 2, up_to=True))
    if "burst" in wanted and target.rate is None:
        kinds.append(PlannedKind("burst", context.profile.burst))
    if {"generated-ids", "generated-keys"} & wanted:
        kinds.append(PlannedKind("generated", 2 * context.profile.generated, up_to=True))
    return [kind for kind in [*kinds, *others] if kind.requests]


def _other_operations(context: ProbeContext, wanted: Collection[str]) -> Iterator[PlannedKind]:
    """Yield one kind for each operation beside Get Batch; responses decide how many requests it takes."""
    for part in other_probes():
        if part.operation in context.operations:
            sent = [probe for name, probe in part.probes.items() if part.beside.get(name, name) in wanted]
            count = sum(len(list(planned(probe, context))) for probe in sent)
            most = part.most_requests(context.profile.name)
            yield PlannedKind(part.operation, most or count, up_to=True) if count else PlannedKind(part.operation, 0)
