"""The record of a runner, and the views on it that judges share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from batch_conformance.checks.finding import CheckRegistry
from batch_conformance.checks.server.judged import Judged, judged
from batch_conformance.checks.server.spelling import is_odd_path
from batch_conformance.checks.server.statuses import is_json, is_success
from batch_conformance.contract import Operation, current_contract
from batch_conformance.contract.entity import Entity, entity_of
from batch_conformance.contract.id_form import is_of_another_form
from batch_conformance.contract.pointers import MISSING, read
from batch_conformance.http import Exchange

#: Probes that read what others are compared with.
READS = ("reads", "late-reads")
#: Probes whose requests are ordinary reads with a valid key.
ORDINARY = frozenset({*READS, "usual-variants", "auth-per-request", "burst", "generated-reads"})


T = TypeVar("T")


@dataclass
class Record:
    """What a runner recorded, in the order it was sent.

    ``secrets`` are the keys that were sent, valid and not, with the valid one first. ``operation`` is the one it is
    about, ``whole`` the record of all operations, where there are several.
    """

    exchanges: Sequence[Exchange]
    secrets: Sequence[str] = field(default=(), repr=False)
    operation: str = "get"
    whole: Record | None = field(default=None, repr=False)
    #: Where the exchanges are parts of answers: those answers.
    answers: Sequence[Exchange] | None = field(default=None, repr=False)
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def kept(self, key: str, make: Callable[[], T]) -> T:
        """What was made of this record under a key before, or is now."""
        if key not in self._kept:
            self._kept[key] = make()
        made: T = self._kept[key]
        return made

    @cached_property
    def documented(self) -> Operation:
        """The operation, by the contract in use."""
        return current_contract().operation(self.operation)

    @cached_property
    def entity(self) -> Entity:
        """What a success answer holds, by the contract in use."""
        return entity_of(self.operation)

    def holds(self, value: object) -> bool:
        """Whether a JSON value is what a success answer is to hold."""
        return self.entity.looks_like(value)

    def judged(self, exchange: Exchange) -> Judged:
        """What the contract says of the body of an answer."""
        assert exchange.response is not None
        return judged(self.operation, exchange.response.media_type, exchange.response.body)

    def echoed(self, value: object) -> object:
        """The member of an answer that repeats the id asked for, or MISSING."""
        return read(value, self.entity.echo) if self.entity.echo else MISSING

    def of(self, *probes: str) -> list[Exchange]:
        """The exchanges of these probes. A 429 that nobody staged is the rate limiter's answer, and left out."""
        return [exchange for exchange in self.answered if exchange.intent.probe in probes]

    def of_operation(self, operation: str) -> Record:
        """The record of one operation alone, and how batches were discovered; the secrets stay."""
        kept = [row for row in self.exchanges if operation == row.intent.operation or row.intent.probe == "discovery"]
        if operation == self.operation and len(kept) == len(self.exchanges):
            return self
        return Record(kept, self.secrets, operation, self)

    @cached_property
    def answered(self) -> list[Exchange]:
        """All exchanges but those that a rate limiter answered: they are judged by ``server.rate.429`` alone."""
        return [
            exchange
            for exchange in self.exchanges
            if exchange.status != 429 and exchange.intent.probe != "discovery"
        ]

    @cached_property
    def reads(self) -> list[Exchange]:
        """Ordinary reads of known batches with the valid key."""
        return [
            exchange
            for exchange in self.answered
            if exchange.intent.probe in ORDINARY
            and exchange.intent.id_kind == "known"
            and exchange.intent.key_kind == "valid"
            and exchange.intent.staged is None
        ]

    @cached_property
    def good(self) -> list[Exchange]:
        """All documented successes for a known batch with the valid key."""
        return [
            exchange
            for exchange in self.answered
            if is_success(exchange.status, self.operation)
            and exchange.intent.probe != "unusual-requests"
            and exchange.request.method == "GET"
            and exchange.intent.id_kind == "known"
            and exchange.intent.key_kind == "valid"
        ]

    @cached_property
    def batches(self) -> list[tuple[Exchange, dict[str, Any]]]:
        """The successes whose body is a batch object, with that object."""
        return [
            (exchange, exchange.response.json.value)
            for exchange in self.in_json
            if exchange.response is not None and self.holds(exchange.response.json.value)
        ]

    @cached_property
    def in_json(self) -> list[Exchange]:
        """The successes whose body is to be JSON: all but those in another media type that is documented."""
        return [
            exchange
            for exchange in self.good
            if exchange.response is not None and is_json(self.operation, exchange.response.media_type)
        ]

    @cached_property
    def by_id(self) -> dict[str, list[tuple[Exchange, dict[str, Any]]]]:
        """The batches that came for each id, in order of time."""
        grouped: dict[str, list[tuple[Exchange, dict[str, Any]]]] = {}
        for exchange, batch in sorted(self.batches, key=lambda pair: pair[0].started):
            grouped.setdefault(exchange.intent.id, []).append((exchange, batch))
        return grouped

    @cached_property
    def known_ids(self) -> list[str]:
        """The ids of batches that exist, as the suite was given or found them."""
        return list(
            dict.fromkeys(
                exchange.intent.id
                for exchange in self.answered
                if exchange.intent.id_kind == "known" and exchange.intent.id
            )
        )

    @cached_property
    def mixed_up(self) -> list[Exchange]:
        """Answers that name another batch, where others to the same id do not: server.body.id has the blame."""
        return [
            exchange
            for asked, rows in self.by_id.items()
            if any(self.echoed(batch) == asked for _, batch in rows)
            for exchange, batch in rows
            if isinstance(self.echoed(batch), str) and self.echoed(batch) != asked
        ]

    def successive(self) -> Iterator[tuple[Exchange, dict[str, Any], Exchange, dict[str, Any]]]:
        """Reads of one batch that came one after the other; those under way at once are in no order.

        Answers that are mixed up with another batch's are left out.
        """
        others = {exchange.number for exchange in self.mixed_up}
        for everything in self.by_id.values():
            rows = [row for row in everything if row[0].number not in others]
            for index, (first, before) in enumerate(rows):
                for second, after in rows[index + 1 :]:
                    if second.started >= first.ended:
                        yield first, before, second, after
                        break

    @cached_property
    def errors(self) -> list[Exchange]:
        """Answers from 400 up whose body the API is responsible for (decision 12)."""
        return [
            exchange
            for exchange in self.answered
            if exchange.status is not None
            and exchange.status >= 400
            and exchange.request.method != "HEAD"
            # Another spelling of the path may lead past the API.
            and exchange.intent.probe != "respelled"
            and not below_the_api(exchange)
        ]


def is_form_check(exchange: Exchange, record: Record) -> bool:
    """Whether a malformed id was refused as such (decision 18); before the key is looked at, that tells nothing."""
    asked = exchange.intent.id
    return exchange.status == 400 and asked != "" and is_of_another_form(asked, record.known_ids)


def below_the_api(exchange: Exchange) -> bool:
    """Whether the HTTP layer may have refused a request before the API saw it, in its own words (decision 12)."""
    intent = exchange.intent
    hostile = "hostile" in (intent.id_kind, intent.key_kind)
    # White space and control characters, encoded as they are, end many a request in a proxy.
    hostile = hostile or not (intent.id.isprintable() and intent.id.isascii() and " " not in intent.id)
    odd = intent.id_kind in ("hostile", "near") and is_odd_path(exchange)
    refused = (hostile or odd) and exchange.status in (400, 413, 414, 431)
    # A gateway that knows no such path says so in its own words.
    refused = refused or (odd and exchange.status == 404)
    # What a condition that does not hold is answered with has no documented body.
    refused = refused or (exchange.status == 412 and intent.probe == "conditional")
    unknown_method = exchange.status == 501 and exchange.request.method != "GET"
    return refused or unknown_method or exchange.request.method not in _COMMON


_COMMON = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

SERVER_CHECKS: CheckRegistry[Record] = CheckRegistry()
