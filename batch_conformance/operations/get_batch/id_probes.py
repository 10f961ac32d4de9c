"""Probes of Get Batch about ids: unknown, near a known one, hostile, overridden by the query."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from batch_conformance.contract import current_contract
from batch_conformance.generate import ids
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import Probe, ProbeContext


def unknown_ids(context: ProbeContext) -> Probe:
    """Ids in the form of the known ones that were never issued."""
    for asked in islice(ids.unknown_ids(context.ids[0], context.seed), context.profile.unknown_ids):
        yield PlannedRequest("unknown-ids", asked, context.key, key_name=context.key_name)


def near_ids(context: ProbeContext) -> Probe:
    """Ids that differ from a known one by one fault: all kinds for the first id, a few for the others."""
    for index, value in enumerate(context.ids[: context.profile.batches]):
        most = context.profile.near_ids if index == 0 else context.profile.near_ids_of_others
        if index > 3 and context.profile.budget is not None:
            break
        # Each further batch gets other kinds of variants than the one before.
        skip = 0 if index == 0 else (index - 1) * most
        for asked in islice(ids.near_ids(value, context.ids), skip, skip + most):
            yield PlannedRequest("near-ids", asked, context.key, key_name=context.key_name)


def overrides(context: ProbeContext) -> Probe:
    """An unknown id in the path, a known one in the query: under all names at once, then name by name."""
    unknown = replace(ids.unknown_id_like(context.ids[0], context.seed + 11), kind="near")
    documented = {row.name for row in current_contract().operation("get").of_place("query")}
    undocumented = tuple(name for name in ids.QUERY_NAMES if name not in documented)
    for names in (undocumented, *((name,) for name in undocumented)):
        exchange = yield PlannedRequest(
            "overrides",
            unknown,
            context.key,
            key_name=context.key_name,
            query=[(name, context.ids[0]) for name in names],
            label=f"an unknown id, with a known one in the query ({', '.join(names)})",
        )
        if len(names) > 1 and (exchange is None or exchange.status != 200):
            return


def hostile_ids(context: ProbeContext) -> Probe:
    """Ids that routers, patterns and parsers may fail on."""
    for asked in islice(ids.hostile_ids(context.ids[0], context.ids), context.profile.hostile_ids):
        yield PlannedRequest("hostile-ids", asked, context.key, key_name=context.key_name)
