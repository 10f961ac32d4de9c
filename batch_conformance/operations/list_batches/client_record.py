"""Calls of List Batches as checks look at them: the list as a whole, or each batch as if it had come alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    CallResult,
    CaseResult,
    ClientRunRecord,
    ExpectedOutcome,
    HttpError,
    ValidBatch,
)
from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import entry_entity, entry_id
from batch_conformance.contract.pointers import read
from batch_conformance.operations.list_batches.filters import NAMES

OPERATION = "list"
_ABOUT_ONE = "client.decode."


def id_of(row: object) -> Any:
    """The id of a batch, whatever the contract in use calls it; None where there is none."""
    found = read(row, entry_id()) if isinstance(row, dict) else None
    return found if isinstance(found, str | int) else None


class Asking:
    """What a caller gives: filters as the driver protocol names them, None for those that are not given."""

    @staticmethod
    def of(given: Mapping[str, str]) -> tuple[tuple[str, str | None], ...]:
        """The arguments of a call, with these parameters."""
        return tuple((name, given.get(name)) for name in NAMES)

    @staticmethod
    def nothing() -> tuple[tuple[str, str | None], ...]:
        """The arguments of a call for the whole list."""
        return Asking.of({})


@dataclass(frozen=True)
class Batches(ValidBatch):
    """A 200 with this list. ``refusable`` ones may be refused as a whole."""

    batches: tuple[Any, ...] = ()


@dataclass(frozen=True)
class _Alone:
    """What a client made of one batch of a list: as a reply of its own."""

    batch: dict[str, Any] | None
    error: Any = None
    broken: str | None = None
    seconds: float = 0.0
    stderr: str = ""


class ListRunRecord(ClientRunRecord):
    """The calls of List Batches, each with its list."""

    def is_broken(self, clause: str) -> bool:
        """Whether a clause that holds for lists is broken by them."""
        if OPERATION not in current_contract().clauses[clause].operations:
            return False
        if clause.startswith(_ABOUT_ONE) and not isinstance(self, _Entries):
            return self.entries.is_broken(clause)
        return super().is_broken(clause)

    @cached_property
    def entries(self) -> ClientRunRecord:
        """The batches of all lists, as if each had come alone."""
        return _Entries([_taken_apart(play) for play in self.plays], self.keys)


class _Entries(ListRunRecord):
    """Batches of lists, each as a call of its own."""


def view(record: ClientRunRecord, clause: str) -> ClientRunRecord:
    """What the check of a clause looks at: the batches for clauses about one batch, else the lists."""
    lists = ListRunRecord(record.plays, record.keys)
    return lists.entries if clause.startswith(_ABOUT_ONE) else lists


def handed_list(turn: CallResult) -> list[Any] | None:
    """The list that the client handed over; None where it was no list, or none was handed over."""
    value = getattr(turn.reply.batch, "value", None)
    return value if isinstance(value, list) else None


def asked_for(turn: CallResult) -> dict[str, str]:
    """What the caller gave, as the driver protocol names it."""
    arguments: tuple[tuple[str, str | None], ...] = getattr(turn.call, "arguments", ())
    return {name: value for name, value in arguments if value is not None}


def _taken_apart(play: CaseResult) -> CaseResult:
    turns = [one for turn in play.turns for one in _alone(turn)]
    return replace(play, turns=tuple(turns))


def _alone(turn: CallResult) -> Iterator[CallResult]:
    """A call for each batch of its list; as it is where the answer was no list, or another number came."""
    told = turn.expected
    if not isinstance(told, Batches):
        yield turn
        return
    handed = handed_list(turn)
    if turn.reply.batch is not None and (handed is None or len(handed) != len(told.batches)):
        return  # what is lost or made up is for client.list.entries to judge
    places = _by_id(handed, told.batches)
    for index, sent in enumerate(told.batches):
        if not isinstance(sent, dict) or not sent.keys() >= set(entry_entity().required):
            continue
        reply: Any = turn.reply
        if handed is not None:
            one = places.get(id_of(sent), handed[index])
            reply = _Alone(one if isinstance(one, dict) else _NoBatch(one), seconds=turn.reply.seconds)
        call = replace(turn.call, batch_id=str(id_of(sent) or ""))  # type: ignore[type-var]
        expected: ExpectedOutcome = ValidBatch(sent, told.refusable)
        yield replace(turn, call=call, expected=expected, reply=reply)


def _by_id(handed: list[Any] | None, sent: tuple[Any, ...]) -> dict[str, Any]:
    """What was handed over by its id, where these are the ids that came: another order has a clause of its own."""
    rows = {id_of(row): row for row in handed or () if isinstance(id_of(row), str)}
    came = {id_of(row) for row in sent if isinstance(id_of(row), str)}
    return rows if rows.keys() == came and len(rows) == len(sent) else {}


class _NoBatch(dict[str, Any]):
    """What a client handed over in the place of a batch, though it is no object."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value

    def __repr__(self) -> str:
        return json.dumps(self.value)


__all__ = [
    "CLIENT_CHECKS",
    "OPERATION",
    "Asking",
    "Batches",
    "HttpError",
    "ListRunRecord",
    "asked_for",
    "handed_list",
    "view",
]
