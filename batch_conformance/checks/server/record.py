"""Record of a run against a server, and the views on it that checks share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from batch_conformance.checks.finding import CheckRegistry
from batch_conformance.checks.keeping import Keeping
from batch_conformance.checks.server.judged import Judged, judged
from batch_conformance.checks.server.spelling import is_odd_path
from batch_conformance.checks.server.statuses import is_json, is_success
from batch_conformance.contract import Operation, current_contract
from batch_conformance.contract.entity import Entity, entity_of
from batch_conformance.contract.id_form import is_of_another_form
from batch_conformance.contract.pointers import MISSING, read
from batch_conformance.http import Exchange

#: Probes whose reads others are compared with.
READS = ("reads", "late-reads")
#: Probes whose requests are ordinary reads with a valid key.
ORDINARY = frozenset({*READS, "usual-variants", "auth-per-request", "burst", "generated-reads"})


@dataclass
class Record(Keeping):
    """Exchanges of one operation, in the order in which they were sent.

    ``secrets`` are the keys that were sent, valid and not, the valid one first. ``operation`` is the
    operation's name; ``whole`` is the record of all operations, if there are several.
    """

    exchanges: Sequence[Exchange]
    secrets: Sequence[str] = field(default=(), repr=False)
    operation: str = "get"
    whole: Record | None = field(default=None, repr=False)
    #: The whole responses, if the exchanges are entries of lists.
    answers: Sequence[Exchange] | None = field(default=None, repr=False)

    @cached_property
    def documented(self) -> Operation:
        """The operation in the current contract."""
        return current_contract().operation(self.operation)

    @cached_property
    def entity(self) -> Entity:
        """The entity in a success response, by the current contract."""
        return entity_of(self.operation)

    def holds(self, value: object) -> bool:
        """Whether a JSON value looks like the documented entity."""
        return self.entity.looks_like(value)

    def judged(self, exchange: Exchange) -> Judged:
        """Judge the body of an exchange's response by the contract."""
        assert exchange.response is not None
        return judged(self.operation, exchange.response.media_type, exchange.response.body)

    def echoed(self, value: object) -> object:
        """Return the member that repeats the requested id, or MISSING."""
        return read(value, self.entity.echo) if self.entity.echo else MISSING

    def of(self, *probes: str) -> list[Exchange]:
        """Return the exchanges of these probes, without those that the rate limiter answered."""
        return [exchange for exchange in self.answered if exchange.intent.probe in probes]

    def of_operation(self, operation: str) -> Record:
        """Return the record of one operation, including discovery. Secrets are kept."""
        exchanges = [
            row for row in self.exchanges if row.intent.operation == operation or row.intent.probe == "discovery"
        ]
        if operation == self.operation and len(exchanges) == len(self.exchanges):
            return self
        return Record(exchanges, self.secrets, operation, self)

    @cached_property
    def answered(self) -> list[Exchange]:
        """All exchanges but discovery and 429s, which only ``server.rate.429`` judges."""
        return [
            exchange for exchange in self.exchanges if exchange.status != 429 and exchange.intent.probe != "discovery"
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
        """Exchanges with a documented success for a known batch and the valid key."""
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
        """Successes whose body is a batch object, with that object."""
        return [
            (exchange, exchange.response.json.value)
            for exchange in self.in_json
            if exchange.response is not None and self.holds(exchange.response.json.value)
        ]

    @cached_property
    def in_json(self) -> list[Exchange]:
        """Successes whose body should be JSON: all but those in another documented media type."""
        return [
            exchange
            for exchange in self.good
            if exchange.response is not None and is_json(self.operation, exchange.response.media_type)
        ]

    @cached_property
    def by_id(self) -> dict[str, list[tuple[Exchange, dict[str, Any]]]]:
        """Batches received for each id, in order of time."""
        grouped: dict[str, list[tuple[Exchange, dict[str, Any]]]] = {}
        for exchange, batch in sorted(self.batches, key=lambda pair: pair[0].started):
            grouped.setdefault(exchange.intent.id, []).append((exchange, batch))
        return grouped

    @cached_property
    def known_ids(self) -> list[str]:
        """Ids of existing batches, as given or discovered."""
        return list(
            dict.fromkeys(
                exchange.intent.id
                for exchange in self.answered
                if exchange.intent.id_kind == "known" and exchange.intent.id
            )
        )

    @cached_property
    def mixed_up(self) -> list[Exchange]:
        """Exchanges that brought another batch, where others for the same id did not; see server.body.id."""
        return [
            exchange
            for batch_id, rows in self.by_id.items()
            if any(self.echoed(batch) == batch_id for _, batch in rows)
            for exchange, batch in rows
            if isinstance(self.echoed(batch), str) and self.echoed(batch) != batch_id
        ]

    def successive(self) -> Iterator[tuple[Exchange, dict[str, Any], Exchange, dict[str, Any]]]:
        """Yield pairs of successive reads of one batch; concurrent reads have no order.

        Reads that brought another batch are left out.
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
        """Responses from 400 up whose body the API is responsible for (decision 12)."""
        return [
            exchange
            for exchange in self.answered
            if exchange.status is not None
            and exchange.status >= 400
            and exchange.request.method != "HEAD"
            # Another spelling of the path may not reach the API.
            and exchange.intent.probe != "respelled"
            and not below_the_api(exchange)
        ]


def known_and_unknown(exchanges: Sequence[Exchange]) -> tuple[list[Exchange], list[Exchange]]:
    """Return the exchanges for known ids, and those for unknown ids."""
    known = [exchange for exchange in exchanges if exchange.intent.id_kind == "known"]
    return known, [exchange for exchange in exchanges if exchange.intent.id_kind == "unknown"]


def is_form_check(exchange: Exchange, record: Record) -> bool:
    """Whether an id was refused as malformed (decision 18), which discloses nothing even without a key."""
    batch_id = exchange.intent.id
    refused = exchange.status == 400 or (exchange.status == 422 and 422 in record.documented.documented_statuses)
    return refused and batch_id != "" and is_of_another_form(batch_id, record.known_ids)


def below_the_api(exchange: Exchange) -> bool:
    """Whether the HTTP layer may have refused a request before it reached the API (decision 12)."""
    intent = exchange.intent
    hostile = "hostile" in (intent.id_kind, intent.key_kind)
    # Many proxies refuse white space and control characters, even percent-encoded.
    hostile = hostile or not (intent.id.isprintable() and intent.id.isascii() and " " not in intent.id)
    odd = intent.id_kind in ("hostile", "near") and is_odd_path(exchange)
    refused = (hostile or odd) and exchange.status in (400, 413, 414, 431)
    # A gateway may answer 404 itself for a path that it does not know.
    refused = refused or (odd and exchange.status == 404)
    # No body is documented for a failed precondition.
    refused = refused or (exchange.status == 412 and intent.probe == "conditional")
    unknown_method = exchange.status == 501 and exchange.request.method != "GET"
    return refused or unknown_method or exchange.request.method not in _COMMON


_COMMON = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

SERVER_CHECKS: CheckRegistry[Record] = CheckRegistry()
