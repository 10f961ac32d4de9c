"""Checks before the probes: the target answers, takes the key, and knows the ids."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from batch_conformance.exchange import Exchange
from batch_conformance.judge.result import CouldNotRun
from batch_conformance.server.liveness import GivenUp
from batch_conformance.server.sender import Sender

_SPELLINGS = ("x-api-key", "X-API-Key", "X-Api-Key", "X-API-KEY")


def read_known_batches(sender: Sender, given: Collection[str]) -> None:
    """Read each known batch once, and order them by their states.

    ``given`` are the ids the user named, if any. Raises :class:`CouldNotRun` when the key or all ids are refused.
    """
    world = sender.world
    answers: list[Exchange] = []
    for value in world.ids[: world.profile.batches]:
        try:
            answers.append(sender.send(world.read("reads", value)))
        except GivenUp as given_up:
            sender.remark(str(given_up))
    _check_key(sender, answers)
    if all(answer.status == 404 for answer in answers):
        named = ", ".join(world.ids[:5])
        whose = "given as existing" if given else "that it lists itself"
        raise CouldNotRun(
            f"{sender.target.url} knows none of the batch ids {whose} ({named}): every read is a 404"
        )
    for answer in answers:
        world.note_state(answer)
    # A batch that is COMPLETED first: near misses of it have most to give away.
    order = {"COMPLETED": 0, "FAILED": 1}
    world.ids.sort(key=lambda value: order.get((world.states.get(value) or [""])[-1], 2))


def _check_key(sender: Sender, answers: list[Exchange]) -> None:
    world, target = sender.world, sender.target
    if not all(answer.status in (401, 403) for answer in answers):
        return
    # Before the key is called refused: does the server only know another spelling of the header's name?
    for spelling in _SPELLINGS:
        if spelling != world.key_header:
            read = world.read("header-case", world.ids[0])
            label = f"the valid key under {spelling}"
            again = sender.send(replace(read, key_header=spelling, label=label))
            if again.status not in (401, 403, None):
                _relabel(sender, answers)
                world.key_header = spelling
                answers[:] = [sender.send(world.read("reads", value)) for value in world.ids]
                return
    raise CouldNotRun(
        f"{target.url} refuses the API key of {target.api_key_env} "
        f"({answers[0].status} on the known batch {answers[0].intent.id})"
    )


def _relabel(sender: Sender, answers: list[Exchange]) -> None:
    """What was refused for the spelling of the header's name is evidence of that, not of a failed read."""
    for index, exchange in enumerate(sender.exchanges):
        if exchange in answers:
            label = f"the valid key under {sender.world.key_header}"
            intent = replace(exchange.intent, probe="header-case", label=label)
            sender.exchanges[index] = replace(exchange, intent=intent)
