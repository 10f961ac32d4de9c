"""What the reference server lists under an edited contract: entries of their own schema, and what is around them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import LIST, entity_of
from batch_conformance.contract.pointers import MISSING, join
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.generate.space import Space
from batch_conformance.operations.list_batches import answers
from batch_conformance.reference.edited import space_of


def entry_of(batch: Any) -> Any:
    """A batch as an entry of the list: the same, unless entries have another schema than Get Batch's answer."""
    entry, get = entity_of(LIST), current_contract().operations.get("get")
    if not isinstance(batch, dict) or get is None or entity_of(get).pointer == entry.pointer:
        return batch
    return json.loads(_entry(json.dumps(batch)))


@cached_by_contract
def _space() -> Space:
    return space_of(entity_of(LIST))


@cached_by_contract
def _entry(text: str) -> str:
    batch, entry = json.loads(text), entity_of(LIST)
    own = entity_of("get").within(batch)
    known = {name: value for name, value in own.items() if entry.has(join("", name))} if isinstance(own, dict) else {}
    made = _space().repaired(known)
    if made is MISSING:
        return json.dumps(own)
    get = entity_of("get")
    if not get.judge.is_valid(batch):
        # What is wrong with a batch stays so in the list: only what entries alone have is made up.
        made = {name: value for name, value in made.items() if not get.has(get.place + join("", name))} | known
    return json.dumps(made)


def answer_of(entries: list[Any]) -> Any:
    """The body of a list with these entries; one that the contract does not allow is no reason to fail."""
    with suppress(NotInContract):
        return answers.answer_of(entries)
    return answers.around_of(entries)
