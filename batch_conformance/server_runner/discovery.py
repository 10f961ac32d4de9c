"""Discover batches to read with List Batches, where the user named none."""

from __future__ import annotations

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.checks.server.statuses import is_success
from batch_conformance.checks.words import dotted, shown
from batch_conformance.contract import base_contract, current_contract
from batch_conformance.contract.entity import entity_of, entry_id, list_shape
from batch_conformance.generate.ids import AskedId
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.preflight import asked_as_before, base_url_advice, moved_base
from batch_conformance.server_runner.sender import Sender


def discover(sender: Sender) -> list[str]:
    """Return ids that the target lists: as many as the profile reads, one of each status first.

    Returns an empty list if there are none, but the list itself is tested and was answered. Raises
    :class:`CouldNotRun` if there are none otherwise, or if the list is refused, redirected or cannot be
    reached.
    """
    target, context = sender.target, sender.world
    contract = current_contract()
    operation = contract.operations.get("list")
    if operation is None:
        raise CouldNotRun(
            "the contract in use lists no batches, so none can be discovered: name a batch that exists with --batch-id"
        )
    place = f"{operation.method} {operation.path}"
    asked = AskedId("", "", "known", "the list of batches")
    probe = PlannedRequest(
        "discovery", asked, context.key, key_name=context.key_name, label="the list of batches", operation="list"
    )
    exchange = sender.send(probe)
    before = None if is_success(exchange.status, "list") else asked_as_before(sender, probe)
    if before is not None:
        exchange, contract = before, base_contract()
    if exchange.status in (401, 403):
        said = f"{target.url} refuses the API key of {target.api_key_env} ({exchange.status} on {place})"
        said += target.or_its_gateway
        if operation.key is None:
            said = f"{target.url} asks for a key ({exchange.status} on {place}), and the contract in use has none"
        raise CouldNotRun(said)
    base = moved_base(exchange)
    if base is not None and base != target.url:
        raise CouldNotRun(
            f"{target.url} redirects to {base} ({exchange.status} on {place}), and redirects are not followed: "
            f"judge it there, with --batch-target {base}"
        )
    shape = list_shape(contract)
    # An unreadable list, or one with another success status, still shows that the operation exists.
    there = exchange.response is not None and 200 <= exchange.response.status < 400
    told = exchange.response.json.value if there and exchange.response else None
    listed = shape.entries(told) if shape and there else None
    rows = [row for row in listed or () if isinstance(row, dict)]
    entity, named = entity_of("list", contract), entry_id(contract)
    ids = [(entity.id_at(row, named), entity.state_of(row)) for row in rows]
    found = {value: state for value, state in ids if value is not None and _can_be_asked_for(value)}
    if not found and "list" in context.operations and (there or context.operations == ("list",)):
        if "get" in context.operations:
            # Entries without ids, or a body without the array, are reported by the clauses about the list.
            empty = "the organisation has no batch that could be read"
            unread = exchange.response.json.error if exchange.response else None
            held = _held(listed, told, shape.place if shape else "")
            held = f"a body that is no JSON: {unread.message}" if unread else held
            why = f"no batch was discovered: {place} was answered with {exchange.status} and {held}"
            sender.note(empty if listed == [] else why)
        if exchange.response is None and not sender.liveness.was_ever_answered:
            raise CouldNotRun(f"{target.url} cannot be reached: {exchange.outcome()}")
        return []
    if not found:
        raise CouldNotRun(
            f"no batch was discovered at {target.url} ({place}: {exchange.outcome()}): "
            "name a batch that exists with --batch-id" + base_url_advice(target.url)
        )
    most = context.profile.batches
    one_each = list({str(status): value for value, status in reversed(found.items())}.values())
    chosen = [value for value in found if value in one_each][:most]
    chosen += [value for value in found if value not in chosen][: most - len(chosen)]
    if len(found) > len(chosen):
        sender.remarks.append(f"{len(chosen)} of {len(found)} discovered batches were read")
    return chosen


def _held(listed: list[object] | None, value: object, place: str) -> str:
    """Describe a list without usable ids in a few words; ``place`` is where the array should be."""
    if listed is not None:
        return f"an array of {len(listed)}, none with an id that is a string"
    if place and isinstance(value, dict):
        return f"no array at {dotted(place)}"
    kind = "an object" if isinstance(value, dict) else "an array" if isinstance(value, list) else ""
    kind = kind or f"the value {shown(value)}"
    return f"{kind} in place of an {'object' if place else 'array'}"


def _can_be_asked_for(value: str) -> bool:
    """Whether a listed id can be requested: it is not empty, and can be encoded."""
    try:
        return bool(value.encode("utf-8"))
    except UnicodeEncodeError:
        return False
