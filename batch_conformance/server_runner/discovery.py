"""Discover batches to read with List Batches, where the user named none."""

from __future__ import annotations

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.checks.server.statuses import is_success
from batch_conformance.checks.words import dotted, shown
from batch_conformance.contract import base_contract, current_contract
from batch_conformance.contract.entity import entity_of, entry_id, list_shape
from batch_conformance.generate.ids import AskedId
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.preflight import base_url_advice, moved_base, send_without_overlays
from batch_conformance.server_runner.sender import Sender


def discover(sender: Sender) -> list[str]:
    """Return ids that the target lists: as many as the profile reads, one of each status first.

    Returns an empty list if there are none, but the list itself is tested and was answered. Raises
    :class:`CouldNotRun` if there are none otherwise, or if the list is refused, redirected or cannot be
    reached.
    """
    target, context = sender.target, sender.context
    contract = current_contract()
    operation = contract.operations.get("list")
    if operation is None:
        raise CouldNotRun(
            "the contract in use lists no batches, so none can be discovered: name a batch that exists with --batch-id"
        )
    place = f"{operation.method} {operation.path}"
    no_id = AskedId("", "", "known", "the list of batches")
    probe = PlannedRequest(
        "discovery", no_id, context.key, key_name=context.key_name, label="the list of batches", operation="list"
    )
    exchange = sender.send(probe)
    previous = None if is_success(exchange.status, "list") else send_without_overlays(sender, probe)
    if previous is not None:
        exchange, contract = previous, base_contract()
    if exchange.status in (401, 403):
        message = f"{target.url} refuses the API key of {target.api_key_env} ({exchange.status} on {place})"
        message += target.or_its_gateway
        if operation.key is None:
            message = f"{target.url} asks for a key ({exchange.status} on {place}), and the contract in use has none"
        raise CouldNotRun(message)
    base = moved_base(exchange)
    if base is not None and base != target.url:
        raise CouldNotRun(
            f"{target.url} redirects to {base} ({exchange.status} on {place}), and redirects are not followed: "
            f"judge it there, with --batch-target {base}"
        )
    shape = list_shape(contract)
    # An unreadable list, or one with another success status, still shows that the operation exists.
    has_list = exchange.response is not None and 200 <= exchange.response.status < 400
    body = exchange.response.json.value if has_list and exchange.response else None
    entries = shape.entries(body) if shape and has_list else None
    rows = [row for row in entries or () if isinstance(row, dict)]
    entity, named = entity_of("list", contract), entry_id(contract)
    ids = [(entity.id_at(row, named), entity.state_of(row)) for row in rows]
    found = {value: state for value, state in ids if value is not None and _can_be_requested(value)}
    if not found and "list" in context.operations and (has_list or context.operations == ("list",)):
        if "get" in context.operations:
            # Entries without ids, or a body without the array, are reported by the clauses about the list.
            empty = "the organisation has no batch that could be read"
            unread = exchange.response.json.error if exchange.response else None
            content = _describe_list(entries, body, shape.place if shape else "")
            content = f"a body that is no JSON: {unread.message}" if unread else content
            reason = f"no batch was discovered: {place} was answered with {exchange.status} and {content}"
            sender.note(empty if entries == [] else reason)
        if exchange.response is None and not sender.liveness.was_ever_answered:
            raise CouldNotRun(f"{target.url} cannot be reached: {exchange.outcome()}")
        return []
    if not found:
        raise CouldNotRun(
            f"no batch was discovered at {target.url} ({place}: {exchange.outcome()}): "
            "name a batch that exists with --batch-id" + base_url_advice(target.url)
        )
    limit = context.profile.batches
    one_each = list({str(status): value for value, status in reversed(found.items())}.values())
    chosen = [value for value in found if value in one_each][:limit]
    chosen += [value for value in found if value not in chosen][: limit - len(chosen)]
    if len(found) > len(chosen):
        sender.remarks.append(f"{len(chosen)} of {len(found)} discovered batches were read")
    return chosen


def _describe_list(entries: list[object] | None, value: object, place: str) -> str:
    """Describe a list without usable ids in a few words; ``place`` is where the array should be."""
    if entries is not None:
        return f"an array of {len(entries)}, none with an id that is a string"
    if place and isinstance(value, dict):
        return f"no array at {dotted(place)}"
    kind = "an object" if isinstance(value, dict) else "an array" if isinstance(value, list) else ""
    kind = kind or f"the value {shown(value)}"
    return f"{kind} in place of an {'object' if place else 'array'}"


def _can_be_requested(value: str) -> bool:
    """Whether a listed id can be requested: it is not empty, and can be encoded."""
    try:
        return bool(value.encode("utf-8"))
    except UnicodeEncodeError:
        return False
