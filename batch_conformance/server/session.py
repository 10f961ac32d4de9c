"""Judging a server from beginning to end: campaign, judges, verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from batch_conformance.contract import load_contract
from batch_conformance.generate import keys
from batch_conformance.judge.result import CouldNotRun, RunResult, Subject
from batch_conformance.judge.server import SERVER_BENCH, Record
from batch_conformance.judge.verdict import ClauseResult, clause_result, unselected
from batch_conformance.server.campaign import Campaign
from batch_conformance.server.gateway import tunnel_hints
from batch_conformance.server.hiding import hide_keys
from batch_conformance.server.probes import World
from batch_conformance.server.profile import PROFILES
from batch_conformance.server.target import Target
from batch_conformance.server.vigil import GivenUp
from batch_conformance.server.wire import Wire

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

def judge_server(
    target: Target,
    *,
    profile: str = "default",
    selected: Collection[str] | None = None,
    strict: bool = False,
    seed: int = 0,
    timeout: float = 10.0,
    progress: Callable[[int], None] | None = None,
    database: ExampleDatabase | None = None,
) -> RunResult:
    """Judge a server by the selected clauses (all when None). Never raises for what the target does.

    ``timeout`` is in seconds, for each exchange. ``database`` keeps the failing examples of ``thorough`` runs. A
    target that cannot be judged gives a result with ``error`` set; a run that the user stops, one that is
    ``incomplete``.
    """
    chosen = set(SERVER_BENCH.judges if selected is None else selected)
    world = World(
        key=keys.valid_key(target.api_key, target.api_key_env),
        variable=target.api_key_env,
        ids=list(target.batch_ids),
        profile=PROFILES[profile],
        seed=seed,
        other_key=target.other_key,
        revoked_key=target.revoked_key,
        database=database,
    )
    result = RunResult(
        Subject("server", target.name, "", target.url),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=profile,
        seed=seed,
        strict=strict,
        budget=world.profile.budget,
    )
    began = time.monotonic()
    wire = Wire(target.url, timeout=timeout, ssl_context=target.ssl_context, headers=target.header_fields)
    campaign = Campaign(target, world, wire, progress)
    wanted = frozenset[str]().union(*(SERVER_BENCH.judges[clause].needs for clause in chosen))
    try:
        campaign.preflight(target.batch_ids, wanted)
        campaign.run(wanted)
    except (CouldNotRun, GivenUp) as error:
        result.error = str(error)
    except KeyboardInterrupt:
        result.incomplete = True
    finally:
        wire.close()
    hide_keys(result, world, target.headers)
    result.exchanges = campaign.exchanges
    if target.rate is None and target.name != "embedded":
        result.hints = list(tunnel_hints(campaign.exchanges))
    result.requests = campaign.requests
    result.rate_limited = sum(
        exchange.status == 429 and exchange.intent.staged != 429 for exchange in campaign.exchanges
    )
    result.results = _verdicts(campaign, chosen, result)
    result.seconds = round(time.monotonic() - began, 3)
    return result


def _verdicts(campaign: Campaign, chosen: Collection[str], result: RunResult) -> list[ClauseResult]:
    contract = load_contract()
    sides = {clause.id: clause for clause in contract.of_side("server")}
    if result.error:
        return [
            ClauseResult(sides[clause], "error", result.error) for clause in sides if clause in chosen
        ] + unselected(sides, chosen)
    record = Record(campaign.exchanges, secrets=[campaign.world.secret])
    judged = []
    for clause in sides:
        if clause in chosen:
            judgement = SERVER_BENCH.judges[clause](record)
            if not judgement.looked_at:
                for remark in campaign.remarks:
                    judgement.remark(remark)
            weighed = clause_result(sides[clause], judgement, strict=result.strict)
            judged.append(_unfinished(weighed, campaign) if result.incomplete else weighed)
    order = list(sides)
    return sorted([*judged, *unselected(sides, chosen)], key=lambda item: order.index(item.clause.id))


def _unfinished(weighed: ClauseResult, campaign: Campaign) -> ClauseResult:
    """What an interrupted run can say: a fault that was seen stands; no promise is kept before all was sent."""
    if weighed.findings or SERVER_BENCH.judges[weighed.clause.id].needs <= campaign.done:
        return weighed
    return ClauseResult(
        weighed.clause, "not-exercised", "not reached: the run was interrupted", weighed.exchanges
    )
