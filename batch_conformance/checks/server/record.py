"""The record of a runner, and the views on it that judges share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from batch_conformance.checks.finding import CheckRegistry
from batch_conformance.checks.server.spelling import is_odd_path
from batch_conformance.contract.id_form import is_of_another_form
from batch_conformance.http import Exchange

#: Members that make an object recognisable as a batch.
REQUIRED = frozenset({"id", "created_at", "status", "metrics", "outputUrl"})
#: Probes whose requests are ordinary reads with a valid key.
ORDINARY = frozenset({"usual-variants", "reads", "late-reads", "auth-per-request", "burst", "generated-reads"})


@dataclass
class Record:
    """What a runner recorded, in the order it was sent.

    ``secrets`` are the keys that were sent, valid and not, with the valid one first. ``operation`` is the one it is about,
    ``whole`` the record of all operations, where there are several.
    """

    exchanges: Sequence[Exchange]
    secrets: Sequence[str] = field(default=(), repr=False)
    operation: str = "get"
    whole: Record | None = field(default=None, repr=False)

    def of(self, *probes: str) -> list[Exchange]:
        """The exchanges of these probes. A 429 that nobody staged is the rate limiter's answer, and left out."""
        return [exchange for exchange in self.answered if exchange.intent.probe in probes]

    def of_operation(self, operation: str) -> Record:
        """The record of one operation alone; what is common to all, such as the secrets, stays."""
        kept = [exchange for exchange in self.exchanges if exchange.intent.operation == operation]
        same = len(kept) == len(self.exchanges) and operation == self.operation
        return self if same else Record(kept, self.secrets, operation, self)

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
        """All 200s for a known batch with the valid key."""
        return [
            exchange
            for exchange in self.answered
            if exchange.status == 200
            and exchange.intent.probe != "unusual-requests"
            and exchange.request.method == "GET"
            and exchange.intent.id_kind == "known"
            and exchange.intent.key_kind == "valid"
        ]

    @cached_property
    def batches(self) -> list[tuple[Exchange, dict[str, Any]]]:
        """The 200s whose body is a batch object, with that object."""
        return [
            (exchange, exchange.response.json.value)
            for exchange in self.good
            if exchange.response is not None and is_batch(exchange.response.json.value)
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
            if any(batch.get("id") == asked for _, batch in rows)
            for exchange, batch in rows
            if isinstance(batch.get("id"), str) and batch["id"] != asked
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
            and not below_the_api(exchange)
        ]


def is_batch(value: object) -> bool:
    """Whether a JSON value is an object with at least one of a batch's required members."""
    if not isinstance(value, dict) or REQUIRED.isdisjoint(value):
        return False
    # A wrapper may keep the id outside: the batch is where most of its members are.
    inner = [item for item in value.values() if isinstance(item, dict)]
    return not any(len(REQUIRED & item.keys() - value.keys()) >= 3 for item in inner)


def is_form_check(exchange: Exchange, record: Record) -> bool:
    """Whether a malformed id was refused as such (decision 18); before the key is looked at, that tells nothing."""
    return exchange.status == 400 and exchange.intent.id != "" and is_of_another_form(exchange.intent.id, record.known_ids)


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
