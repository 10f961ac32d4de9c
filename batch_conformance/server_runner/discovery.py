"""Finds batches to read where the user named none: with List Batches."""

from __future__ import annotations

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.generate.ids import AskedId
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.preflight import base_url_advice, moved_base
from batch_conformance.server_runner.sender import Sender


def discover(sender: Sender) -> list[str]:
    """Ids that the target lists, as many as the profile reads, one of each status first.

    Raises :class:`CouldNotRun` when there are none, unless the list itself is judged, and there is one: then it is all
    that can be.
    """
    target, context = sender.target, sender.world
    probe = PlannedRequest(
        "discovery",
        AskedId("", "", "known", "the list of batches"),
        context.key,
        path="/v2/batch",
        label="the list of batches",
        operation="list",
    )
    exchange = sender.send(probe)
    if exchange.status in (401, 403):
        raise CouldNotRun(
            f"{target.url} refuses the API key of {target.api_key_env} ({exchange.status} on GET /v2/batch)"
        )
    base = moved_base(exchange)
    if base is not None and base != target.url:
        raise CouldNotRun(
            f"{target.url} redirects to {base} ({exchange.status} on GET /v2/batch), and redirects are not followed: "
            f"judge it there, with --batch-target {base}"
        )
    listed = exchange.response.json.value if exchange.response and exchange.status == 200 else None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    found = {row["id"]: row.get("status") for row in rows if _can_be_asked_for(row.get("id"))}
    if not found and "list" in context.operations and (listed == [] or context.operations == ("list",)):
        if "get" in context.operations:
            sender.note("the organisation has no batch that could be read")
        if exchange.response is None and not sender.liveness.was_ever_answered:
            raise CouldNotRun(f"{target.url} cannot be reached: {exchange.outcome()}")
        return []
    if not found:
        raise CouldNotRun(
            f"no batch was discovered at {target.url} (GET /v2/batch: {exchange.outcome()}): "
            "name a batch that exists with --batch-id" + base_url_advice(target.url)
        )
    most = context.profile.batches
    one_each = list({str(status): value for value, status in reversed(found.items())}.values())
    chosen = [value for value in found if value in one_each][:most]
    chosen += [value for value in found if value not in chosen][: most - len(chosen)]
    if len(found) > len(chosen):
        sender.remarks.append(f"{len(chosen)} of {len(found)} discovered batches were read")
    return chosen


def _can_be_asked_for(value: object) -> bool:
    """Whether a listed id is one: text, and nothing that no request could carry."""
    try:
        return isinstance(value, str) and bool(value.encode("utf-8"))
    except UnicodeEncodeError:
        return False
