"""Lists of the reference server under an edited contract: entries with another schema, and envelopes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from batch_conformance.contract import cached_by_contract
from batch_conformance.contract.entity import LIST, entity_of
from batch_conformance.contract.pointers import MISSING, join
from batch_conformance.contract.ruled_bodies import ruled_bodies
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.generate.space import Space
from batch_conformance.operations.list_batches import answers
from batch_conformance.reference.edited import space_of


def entry_of(batch: Any) -> Any:
    """Return a batch as an entry of the list: unchanged, unless entries have another schema."""
    if not isinstance(batch, dict) or entity_of("get").pointer == entity_of(LIST).pointer:
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
        # Keep the faults of an invalid batch (of a mutant) in the list: only add members that only entries
        # have.
        made = {name: value for name, value in made.items() if not get.has(get.place + join("", name))} | known
    return json.dumps(made)


def answer_of(entries: list[Any]) -> Any:
    """Return the body of a list with these entries, even if the contract does not allow it."""
    with suppress(NotInContract):
        return _by_the_rules(answers.answer_of(entries))
    return answers.around_of(entries)


def _by_the_rules(answer: Any) -> Any:
    """Return the answer with what stands beside the entries changed where a rule joins the two; else as it is."""
    body = next((one for one in ruled_bodies() if one.inner), None)
    if body is None or not body.stated_rules:
        return answer
    made = Space(body.around, body.document, [answer]).repaired(answer, body.inner)
    return answer if made is MISSING else made
