"""What the reference server lists under an edited contract: entries of their own schema, and what is around them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import LIST, entity_of
from batch_conformance.contract.pointers import MISSING, join, replaced
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
    batch, space = json.loads(text), _space()
    known = batch
    for name in batch:
        if not space.schemas_at(batch, join("", name)):
            known = replaced(known, join("", name), MISSING)
    made = space.repaired(known)
    return text if made is MISSING else json.dumps(made)


def answer_of(entries: list[Any]) -> Any:
    """The body of a list with these entries; one that the contract does not allow is no reason to fail."""
    with suppress(NotInContract):
        return answers.answer_of(entries)
    return answers.around_of(entries)
