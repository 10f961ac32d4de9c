"""Clause ``server.auth.no-disclosure``: what a refusal must not tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.record import SERVER_CHECKS, Record
from batch_conformance.checks.server.statuses import error_members, refusals
from batch_conformance.contract import cached_by_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import join, read, split

#: Shorter values turn up in any text by chance.
_TELLING = 8


@SERVER_CHECKS.check(
    "server.auth.no-disclosure",
    needs=["unauthenticated", "invalid-keys", "near-keys", "wrong-place", "id-enumeration"],
)
def no_disclosure(record: Record, result: CheckResult) -> None:
    """A refusal gives away neither batch nor key."""
    known = _telling_values(record)
    for exchange in record.answered:
        if exchange.status not in refusals(record.operation) or exchange.response is None:
            continue
        result.observe()
        text = exchange.response.body.decode("utf-8", "surrogateescape")
        if exchange.response.json.ok:
            # As a reader of the JSON sees it, too: escapes hide nothing.
            text += "\n" + json.dumps(exchange.response.json.value, ensure_ascii=False)
        names = sorted(set(_batch_members(exchange.response.json.value, record)))
        if names:
            result.fail(
                exchange,
                f"the body of a {exchange.status} holds fields of a batch",
                expected="none",
                actual=", ".join(names),
                code="disclosed",
            )
        elif any(value in text for value in known):
            result.fail(
                exchange,
                f"the body of a {exchange.status} holds values of a batch",
                expected="none",
                actual=text[:200],
                code="disclosed",
            )
        if exchange.intent.probe == "wrong-place" and "?" in exchange.request.url:
            continue  # the key stands in the very path that many servers repeat in an error
        sent = exchange.request.header_values("x-api-key")
        told = [
            secret for secret in (*record.secrets[:1], *sent) if len(secret) >= _TELLING and secret in text
        ]
        if told:
            result.fail(
                exchange,
                f"the body of a {exchange.status} holds a key",
                expected="no key",
                actual=text[:200],
                code="disclosed",
            )
    if not result.observations:
        result.note("no 401 was seen")


def _telling_values(record: Record) -> set[str]:
    """Values of batches that no text holds by chance; not the id, which the reader of the refusal gave himself."""
    entity = record.entity
    states = set(entity.lifecycle.values)
    found = set[str]()
    for _, batch in record.batches:
        for name in entity.members:
            pointer = join("", name)
            value = read(batch, pointer)
            if pointer != entity.echo and isinstance(value, str) and len(value) >= _TELLING:
                found.add(value)
    return found - states


def _batch_members(value: Any, record: Record) -> Iterable[str]:
    """Names of a batch's members anywhere in a JSON value; of one that errors have too, only with a batch's value."""
    entity = record.entity
    shared = error_members(record.operation)
    if isinstance(value, Mapping):
        for name, item in value.items():
            pointer = join("", str(name))
            if pointer == entity.lifecycle_pointer:
                if item in entity.lifecycle.values:
                    yield name
            elif name in _telling_members(record.operation) and name not in shared and pointer != entity.echo:
                yield name
            yield from _batch_members(item, record)
    elif isinstance(value, list):
        for item in value:
            yield from _batch_members(item, record)


@cached_by_contract
def _telling_members(operation: str) -> frozenset[str]:
    """Names of members, nested ones too, that stand for a batch alone."""
    entity = entity_of(operation)
    nested = (part for place in entity.places for part in split(place.pointer) if part not in ("*", ""))
    return frozenset({*entity.members, *nested})
