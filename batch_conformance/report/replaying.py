"""Replay data of a finding, and the command that replays it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult
from batch_conformance.http import Exchange
from batch_conformance.http.recipe import NotRepeatable, request_recipe
from batch_conformance.report.command import overlay_files, overlay_options, program, shown_path

JSON_NAME = "conformance.json"
#: The most requests in one replay.
MOST = 6


def replay_line(clause: str, number: int, report: str = JSON_NAME, options: Sequence[str] = ()) -> str:
    """Return the command that replays one piece of evidence of a clause, counted from 1."""
    return " ".join([program(), "replay", shlex.quote(report), f"{clause}#{number}", *map(shlex.quote, options)])


def replay_of(clause: Mapping[str, Any], item: Mapping[str, Any], report: str = JSON_NAME) -> str:
    """Return the command that replays ``item`` of a clause's evidence; empty if it cannot be replayed."""
    if not item.get("replay"):
        return ""
    number = next(number for number, one in enumerate(clause["evidence"], 1) if one is item)
    return replay_line(clause["id"], number, report, item["replay"].get("options", ()))


def curl_of(clause: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Return the curl line of a piece of evidence; empty for a client's request, whose stub is gone."""
    return "" if clause["id"].startswith("client.") else str(item["curl"])


def sent_of(clause: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Return the request line of a client's request; empty for a server, which has a curl line."""
    request = item["request"]
    return f"{request['method']} {request['url']}" if request and clause["id"].startswith("client.") else ""


def evidence_replay(finding: Finding, run: RunResult) -> dict[str, Any] | None:
    """Return the ``replay`` member of a piece of evidence; None if its requests cannot be sent again."""
    recipe = _evidence_recipe(finding, run)
    options = [*(["--ca", shown_path(run.ca)] if run.ca else []), *overlay_options(overlay_files())]
    return {**recipe, "options": options} if recipe and options else recipe


def _evidence_recipe(finding: Finding, run: RunResult) -> dict[str, Any] | None:
    if finding.exchange is None:
        return None
    if finding.exchange.replay is not None:
        # Imported here: reports on servers do not need the client side.
        from batch_conformance.client_runner.cases.recipe import case_recipe

        return case_recipe(finding.exchange.replay, run.recipes, run.redactor)
    if not run.exchanges:
        # Recorded traffic has no target to send requests to.
        return None
    try:
        requests = [_recipe(exchange, run) for exchange in requests_of(finding, run.exchanges)]
        # A batch that the list named may not be in it any more.
        is_known = finding.exchange.intent.id_kind == "known"
        found = next((one for one in run.exchanges if one.intent.probe == "discovery"), None) if is_known else None
        listing = {"listing": _recipe(found, run)} if found is not None else {}
    except NotRepeatable:
        return None
    return {"requests": requests, **listing, "api_key_env": run.api_key_env}


def _recipe(exchange: Exchange, run: RunResult) -> Mapping[str, Any]:
    recipe = request_recipe(exchange.request, exchange.intent, run.recipes, run.redactor)
    if exchange.connection:
        recipe["connection"] = exchange.connection
    if exchange.intent.staged is not None:
        recipe["staged"] = exchange.intent.staged
    return recipe


def requests_of(finding: Finding, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the request of a finding, preceded by those that it may depend on, at most :data:`MOST` in all.

    Those are: the requests that the finding compares it with, the one before it on the same connection, the last two
    of the same probe, and two valid reads: one of the same batch, and the first of the run.
    """
    exchange = finding.exchange
    assert exchange is not None
    others = [one for one in exchanges if one.number != exchange.number and one.intent.probe != "discovery"]
    earlier = [one for one in others if one.number < exchange.number]
    compared = {one.number for one in finding.prelude}
    reads = [
        one
        for one in others
        if one.intent.id_kind == "known"
        and one.intent.key_kind == "valid"
        and one.intent.operation == exchange.intent.operation
    ]
    same = [one for one in reads if one.intent.id == exchange.intent.id]
    chosen = [
        *[one for one in others if one.number in compared],
        *([one for one in earlier if one.connection == exchange.connection][-1:] if exchange.reused else []),
        *[one for one in earlier if one.intent.probe == exchange.intent.probe][-2:],
        *([one for one in same if one.number < exchange.number][-1:] or same[:1]),
        *reads[:1],
    ]
    first = list({one.number: one for one in chosen}.values())[: MOST - 1]
    return [*sorted(first, key=lambda one: one.number), exchange]
