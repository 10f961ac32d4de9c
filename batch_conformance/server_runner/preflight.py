"""Pre-flight: make sure that the target answers, accepts the key and knows the ids."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urljoin, urlsplit

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.contract import base_contract, current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.generate import keys
from batch_conformance.http import Exchange
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.sender import Sender
from batch_conformance.server_runner.side_by_side import Place, Strand


def read_known_batches(sender: Sender, given: Collection[str]) -> None:
    """Read each known batch once, and order the ids by state.

    ``given`` are the ids the user named, if any. Raises :class:`CouldNotRun` when the key or all ids are
    refused.
    """
    context = sender.context
    answers = _read_all(sender, context.ids[: context.profile.batches])
    _check_key(sender, answers)
    _check_base_url(sender, answers)
    unknown = bool(answers) and all(answer.status == 404 for answer in answers)
    # Listed ids that cannot be read are the target's fault where both operations are tested.
    judged = not given and "list" in context.operations
    if unknown and not judged and not _answers_without_overlays(sender):
        named = ", ".join(context.ids[:5])
        whose = "given as existing" if given else "that it lists itself"
        raise CouldNotRun(
            f"{sender.target.url} knows none of the batch ids {whose} ({named}): every read is a 404"
            + base_url_advice(sender.target.url)
        )
    for answer in answers:
        context.note_state(answer)
    # Final batches first: disclosing one of them to a near miss would reveal most.
    order = {state: at for at, state in enumerate(entity_of("get").lifecycle.final)}
    context.ids.sort(key=lambda value: order.get((context.states.get(value) or [""])[-1], len(order)))


def _read_all(sender: Sender, ids: Sequence[str]) -> list[Exchange]:
    """Read each batch once; side by side once responses are known to be slow."""
    answers: dict[str, Exchange] = {}

    def read(value: str) -> Generator[PlannedRequest, Exchange | None, None]:
        exchange = yield sender.context.read("reads", value)
        if exchange is not None:
            answers[value] = exchange

    strands = [Strand(value, read(value), partial(_place, index)) for index, value in enumerate(ids)]
    sender.side_by_side.run(strands)
    return [answers[value] for value in ids if value in answers]


def _place(index: int, step: int) -> Place:
    return index, step


def _check_base_url(sender: Sender, answers: list[Exchange]) -> None:
    """Raise :class:`CouldNotRun` if all reads are redirected to the same path below another base URL."""
    bases = {moved_base(answer) for answer in answers}
    base = bases.pop() if len(bases) == 1 else None
    if base is not None and base != sender.target.url:
        raise CouldNotRun(
            f"{sender.target.url} redirects every read to {base} ({answers[0].status}), and redirects are not "
            f"followed: judge it there, with --batch-target {base}"
        )


def moved_base(answer: Exchange) -> str | None:
    """Return the base URL of a redirect to the requested path, or None if it leads elsewhere."""
    if answer.response is None or not 300 <= answer.response.status < 400:
        return None
    locations = answer.response.header_values("location")
    path = urlsplit(answer.request.url).path
    root = _root(answer.intent.operation)
    tail = path[path.rfind(root) :]
    if len(locations) != 1 or root not in path:
        return None
    try:
        parts = urlsplit(urljoin(answer.request.url, locations[0].strip()))
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return None
    if not usable or not parts.path.endswith(tail):
        return None
    return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix(tail)}"


def _root(name: str = "get") -> str:
    """Return the fixed beginning of the operation's path."""
    operation = current_contract().operations.get(name) or current_contract().operation("list")
    return operation.path.partition("/{")[0] or "/"


def base_url_advice(url: str) -> str:
    """Return a hint if the base URL seems to include part of the API's path, else an empty string."""
    parts = urlsplit(url)
    root = _root()
    parents = [root[:at] for at in range(len(root) - 1, 0, -1) if root[at] == "/"]
    for ending in (root, f"{root}s", f"{root}es", *parents):
        if parts.path.rstrip("/").endswith(ending):
            base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(ending)}"
            return f" (reads go to {url}{root}/…; if {ending} is no prefix of its own: --batch-target {base})"
    return ""


def _check_key(sender: Sender, answers: list[Exchange]) -> None:
    context, target = sender.context, sender.target
    operation = current_contract().operation("get")
    if not answers or not all(answer.status in (401, 403) for answer in answers):
        return
    if operation.key is None:
        return  # the contract has no key, so requiring one violates it
    # The server may know the header under another spelling only.
    header = operation.key_header
    for spelling in keys.spellings(header) if header else ():
        read = context.read("header-case", context.ids[0])
        label = f"the valid key under {spelling}"
        repeated = sender.send(replace(read, key_name=spelling, label=label))
        if repeated.status not in (401, 403, None):
            _relabel(sender, answers, context.key_name or header or "")
            context.key_name = spelling
            answers[:] = [sender.send(context.read("reads", value)) for value in context.ids]
            return
    if _answers_without_overlays(sender):
        return
    where = f", sent in the {operation.key.place} {operation.key.name}," if len(operation.keys) > 1 else ""
    raise CouldNotRun(
        f"{target.url} refuses the API key of {target.api_key_env}{where} "
        f"({answers[0].status} on the known batch {answers[0].intent.id})" + target.or_its_gateway
    )


def _answers_without_overlays(sender: Sender) -> bool:
    """Whether the target answers the request of the contract without overlays, and so can be judged."""
    read = sender.context.read("alive", sender.context.ids[0])
    exchange = send_without_overlays(sender, replace(read, label="a read"))
    if exchange is not None:
        sender.note("the target still answers as the contract has it without overlays")
    return exchange is not None


def send_without_overlays(sender: Sender, send: PlannedRequest) -> Exchange | None:
    """Send a request as the contract without overlays has it.

    Returns None if the overlays change nothing about it, or the response is no 200.
    """
    original, current = (one.operations.get(send.operation) for one in (base_contract(), current_contract()))
    if original is None or current is None:
        return None
    if (original.path, original.key, original.parameters) == (current.path, current.key, current.parameters):
        return None
    label = f"{send.label} as the contract has it without overlays"
    exchange = sender.send(replace(send, as_in=original, lane="", label=label))
    sender.set_aside(exchange)
    return exchange if exchange.status == 200 else None


def _relabel(sender: Sender, answers: list[Exchange], name: str) -> None:
    """Move refused reads to the probe ``header-case``: they are evidence about the header's spelling."""
    for index, exchange in enumerate(sender.exchanges):
        if exchange in answers:
            intent = replace(exchange.intent, probe="header-case", label=f"the valid key under {name}")
            sender.exchanges[index] = replace(exchange, intent=intent)
