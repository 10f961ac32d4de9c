"""The record that client checks read: calls, expected outcomes, replies, and the stub's exchanges."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from batch_conformance.checks.client.shapes import Call, Reply
from batch_conformance.checks.finding import CheckRegistry, CheckResult
from batch_conformance.checks.keeping import Keeping
from batch_conformance.contract import load_contract
from batch_conformance.contract.entity import LIST, Entity, entity_of, entry_entity
from batch_conformance.contract.pointers import read
from batch_conformance.http import Exchange

FaultKind = Literal["refused", "reset", "truncated", "timeout", "drip", "drip-head", "redirect-loop"]


@dataclass(frozen=True)
class ValidBatch:
    """A 200 with this valid batch, in whatever form.

    ``refusable`` ones may be refused without breaking a must: by a decision, or because only a should covers them.
    """

    batch: Mapping[str, Any]
    refusable: bool = False


@dataclass(frozen=True)
class InvalidSuccess:
    """A 200 that must not become a batch; ``what`` describes it, ``pointer`` is its wrong place, if any."""

    what: str
    pointer: str = ""


@dataclass(frozen=True)
class HttpError:
    """An error status, with the messages in its body. ``body`` describes what is odd about it, if anything.

    ``claimed`` is the status that the body names, if another one. ``retry_after`` is the wait in seconds that
    Retry-After asks for (a minimum, if it is a date), if that is within the deadline.
    """

    status: int
    messages: tuple[str, ...] = ()
    body: str = ""
    claimed: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True)
class TransportFault:
    """No proper response, because of a fault. ``begun`` is set if part of a response had come.

    ``plainly`` are clauses about simpler forms of the fault: if one is broken, this shows nothing more.
    """

    kind: FaultKind
    what: str
    begun: bool = False
    plainly: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unconstrained:
    """A response after which the client may report anything, since only the request is judged."""


ExpectedOutcome = ValidBatch | InvalidSuccess | HttpError | TransportFault | Unconstrained


@dataclass(frozen=True)
class CallResult(Keeping):
    """Result of one call: its parameters, the expected outcome, the client's reply, the stub's exchanges."""

    call: Call
    expected: ExpectedOutcome
    reply: Reply
    seen: tuple[Exchange, ...] = ()
    requests: int = 0

    @property
    def last(self) -> Exchange | None:
        """The exchange to show as evidence."""
        return self.seen[-1] if self.seen else None

    @property
    def gets(self) -> list[Exchange]:
        """GET requests for the first GET's path. ``client.request.target`` reports any others."""
        gets = [exchange for exchange in self.seen if exchange.request.method == "GET"]
        return [exchange for exchange in gets if _path_of(exchange) == _path_of(gets[0])]

    @property
    def unasked(self) -> bool:
        """Whether the call ended in an error without a request, though there was a server to ask.

        A client need not trust the suite's own CA, so https does not count.
        """
        refused = isinstance(self.expected, TransportFault) and self.expected.kind == "refused"
        excused = refused or self.call.base_url.startswith("https:")
        return not self.requests and not self.seen and self.reply.error is not None and not excused

    @property
    def is_remembered(self) -> bool:
        """Whether the call returned a batch without a request, as a client with a cache does."""
        return not self.requests and not self.seen and self.reply.batch is not None

    def got(self, status: int | None) -> bool:
        """Whether one of the answers to this call had a status that is an error, as one behind a redirect may."""
        return status is not None and status >= 400 and any(one.status == status for one in self.seen)

    def said(self) -> str:
        """Describe the client's reply in one line."""
        if self.reply.broken is not None:
            stderr = self.reply.stderr.strip()
            return f"{self.reply.broken}; its stderr ends: {_end_of(stderr)}" if stderr else self.reply.broken
        if self.reply.error is not None:
            error = self.reply.error
            status = "no status" if error.status is None else f"status {error.status}"
            return f"error {error.kind}, {status}: {shortened(error.message)}"
        batch = self.reply.batch
        # As JSON, which authors of all clients read; anything but an object as Python.
        text = json.dumps(batch, ensure_ascii=False) if type(batch) is dict else repr(batch)
        what = "a batch" if type(batch) is dict else "a list" if text.startswith("[") else "handed over"
        return f"{what}: {shortened(text)}"


def _path_of(exchange: Exchange) -> str:
    return exchange.request.url.partition("://")[2].partition("/")[2].partition("?")[0]


def _end_of(text: str, limit: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"…{line[-limit:]}"


@dataclass(frozen=True)
class CaseResult(Keeping):
    """Result of one case.

    ``clauses`` are those it exercises; a call that crashes, hangs or breaks the protocol counts against the
    first. ``elsewhere`` are requests to another origin than the call's. ``together`` means that calls were
    made two at a time; ``seen`` of a call is then what arrived for its batch, or at its server. ``place`` is
    the pointer of the one special place in an otherwise ordinary batch, for cases derived from the schema.
    ``preceded`` means that the client made calls of another operation before.
    """

    title: str
    clauses: tuple[str, ...]
    turns: tuple[CallResult, ...]
    elsewhere: tuple[Exchange, ...] = ()
    ordinary: bool = False
    together: bool = False
    operation: str = "get"
    place: str | None = None
    preceded: bool = False


@dataclass(eq=False)
class ClientRunRecord(Keeping):
    """All cases of a run. ``keys`` maps each key to the name it may be shown by."""

    plays: Sequence[CaseResult]
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    def of_operation(self, operation: str) -> ClientRunRecord:
        """Return the record of one operation's cases only."""
        case_results = [case_result for case_result in self.plays if case_result.operation == operation]
        return self if len(case_results) == len(self.plays) else ClientRunRecord(case_results, self.keys)

    def turns(self, result: CheckResult, ordinary: bool | None = None) -> Iterator[tuple[CaseResult, CallResult]]:
        """Yield the calls that exercise the clause; with ``ordinary`` given, only those that are, or are not.

        Broken calls are reported here. Calls that retry endlessly or failed before a request are set aside.
        """
        for case_result in self.plays:
            if result.clause not in case_result.clauses or ordinary not in (None, case_result.ordinary):
                continue
            for call_result in case_result.turns:
                if self.retries_without_end(call_result):
                    result.set_aside("client.retry.bounded")
                elif (
                    call_result.unasked
                    and call_result is case_result.turns[0]
                    and result.clause not in _ABOUT_NOT_ASKING
                ):
                    result.set_aside(TARGET)
                elif (call_result.is_remembered or len(case_result.turns) > 1) and self._goes_wrong_later(
                    case_result, result.clause
                ):
                    result.set_aside(FRESH)
                elif call_result.reply.broken is None:
                    yield case_result, call_result
                elif cause := self.explained(call_result, result.clause) or (
                    is_mixture(case_result) and self.breaks_down_on
                ):
                    result.set_aside(cause)
                else:
                    fail_broken_call(case_result, call_result, result)

    def _goes_wrong_later(self, case_result: CaseResult, clause: str) -> bool:
        """Whether calls after the first go wrong anyway, so that such a case shows nothing else."""
        return FRESH not in (clause, *case_result.clauses) and self.is_broken(FRESH)

    def explained(self, call_result: CallResult, clause: str) -> str:
        """Return the broken clause about a simpler form of what broke this call, or an empty string."""
        plainer: tuple[str, ...] = ()
        if isinstance(call_result.expected, HttpError):
            plainer = (clause_of_status(call_result.expected.status),)
        elif isinstance(call_result.expected, TransportFault):
            plainer = call_result.expected.plainly
        elif clause == "client.auth.redirect":
            plainer = ("client.fault.redirect-loop",)
        return next((plain for plain in plainer if plain != clause and self.is_broken(plain)), "")

    @cached_property
    def breaks_down_on(self) -> str:
        """The clause of valid batches, special in one way, on which the client breaks down; else empty."""
        for case_result in self.plays:
            if not case_result.ordinary and not is_mixture(case_result) and len(case_result.turns) == 1:
                call_result = case_result.turns[0]
                if isinstance(call_result.expected, ValidBatch) and call_result.reply.broken is not None:
                    return case_result.clauses[0]
        return ""

    def is_broken(self, clause: str) -> bool:
        """Whether the check of another clause finds it broken, so that its consequences are set aside."""
        return bool(self.blamed(clause))

    def blamed(self, clause: str) -> frozenset[str]:
        """Return the places in the findings of another clause's check; empty strings for none in particular."""
        if clause not in self._judged:
            self._judged[clause] = frozenset()  # ends a cycle of checks that ask for each other
            self._judged[clause] = frozenset(one.pointer for one in CLIENT_CHECKS.checks[clause](self).findings)
        return self._judged[clause]

    @cached_property
    def _judged(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def without_mixtures(self) -> ClientRunRecord:
        """The record without the batches that are special in several ways at once."""
        return ClientRunRecord([case_result for case_result in self.plays if not is_mixture(case_result)], self.keys)

    @cached_property
    def ordinary(self) -> list[tuple[CaseResult, CallResult, Mapping[str, Any]]]:
        """Calls answered with a batch that has nothing special about it, with that batch."""
        return [
            (case_result, call_result, call_result.expected.batch)
            for case_result in self.plays
            if case_result.ordinary
            for call_result in case_result.turns
            if isinstance(call_result.expected, ValidBatch)
        ]

    @cached_property
    def decodes(self) -> bool:
        """Whether the client decodes ordinary batches at all."""
        return any(call_result.reply.batch is not None for _, call_result, _ in self.ordinary)

    @cached_property
    def usual_requests(self) -> int:
        """Number of GETs per ordinary call: 1, unless the client breaks ``client.request.single``."""
        counts = sorted(
            len(call_result.gets) for _, call_result, _ in self.ordinary if call_result.reply.broken is None
        )
        return max(1, counts[len(counts) // 2]) if counts else 1

    def retried(self, call_result: CallResult) -> bool:
        """Whether a call made more requests than an ordinary one."""
        return len(call_result.gets) > self.usual_requests

    def retries_without_end(self, call_result: CallResult) -> bool:
        """Whether a call on 5xx or 429 was still retrying when cut short, or retried too often."""
        if not isinstance(call_result.expected, HttpError) or not may_be_retried(call_result.expected.status):
            return False
        return call_result.requests > MOST_REQUESTS or (
            call_result.reply.broken is not None and self.retried(call_result)
        )


#: The clause that reports faults of later calls only.
FRESH = "client.decode.fresh"
#: The clause that reports a missing request.
TARGET = "client.request.target"
#: Clauses in whose cases a client may send nothing.
MAY_SEND_NOTHING = frozenset({"client.list.naive-date"})
#: Clauses whose checks judge calls without a request themselves.
_ABOUT_NOT_ASKING = frozenset({"client.request.dot-id", "client.request.id-encoding"})
#: Maximum number of requests of one call where retrying may help (clause client.retry.bounded).
MOST_REQUESTS = 10
CLIENT_CHECKS: CheckRegistry[ClientRunRecord] = CheckRegistry()


def is_mixture(case_result: CaseResult) -> bool:
    """Whether a case's batch is special in several ways at once."""
    return case_result.clauses[0] == "client.decode.fields" and not case_result.ordinary and case_result.place is None


def may_be_retried(status: int) -> bool:
    """Whether a client may reasonably retry on this status."""
    return status in (408, 425, 429) or status >= 500


def clause_of_status(status: int) -> str:
    """Return the clause about an error status."""
    return f"client.error.{status if has_own_clause(status) else 'other-status'}"


def has_own_clause(status: int) -> bool:
    """Whether a status has a clause, and a kind of error, of its own (contracts/clauses.yaml)."""
    return f"client.error.{status}" in load_contract().clauses


def fail_broken_call(case_result: CaseResult, call_result: CallResult, result: CheckResult) -> None:
    """Report a crash, a hang or a protocol violation against the case's main clause."""
    if case_result.clauses[0] != result.clause:
        return
    result.observe()
    result.fail(
        call_result.last,
        f"the client itself failed: {case_result.title}",
        expected="an error"
        if isinstance(call_result.expected, TransportFault | InvalidSuccess | HttpError)
        else "a batch or an error",
        actual=call_result.said(),
        code="crash",
    )


def accepted(
    record: ClientRunRecord, result: CheckResult, refused: frozenset[Any] = frozenset()
) -> Iterator[tuple[CaseResult, CallResult, Mapping[str, Any], dict[str, Any]]]:
    """Yield calls answered with a valid batch, with the batch sent and the one decoded.

    A refusal breaks the clause, unless the client also refuses ordinary batches, or all those with a status
    among ``refused``.
    """
    for case_result, call_result in record.turns(result):
        if not isinstance(call_result.expected, ValidBatch):
            continue
        if not record.decodes:
            result.set_aside("client.decode.fields")
        elif call_result.reply.batch is not None:
            yield case_result, call_result, call_result.expected.batch, call_result.reply.batch
        elif refused and _state_of(call_result.expected.batch) in refused:
            result.set_aside("client.decode.status")
        else:
            result.observe()
            result.fail(
                call_result.last,
                f"a valid batch was refused: {case_result.title}",
                expected="the batch",
                actual=call_result.said(),
                code="refused",
                pointer=case_result.place or "",
            )


#: The operation whose calls are being judged; its entity is what decoded values are compared by.
_judged: ContextVar[str] = ContextVar("judged", default="get")


@contextmanager
def calls_of(operation: str) -> Iterator[None]:
    """Context manager: judge calls of an operation within the block."""
    token = _judged.set(operation)
    try:
        yield
    finally:
        _judged.reset(token)


def judged_operation() -> str:
    """Return the operation whose calls are being judged; Get Batch by default."""
    return _judged.get()


def judged_entity() -> Entity:
    """Return the entity of the operation being judged; of a list, that of its entries."""
    return entry_entity() if judged_operation() == LIST else entity_of(judged_operation())


def _state_of(batch: Mapping[str, Any]) -> Any:
    pointer = judged_entity().lifecycle_pointer
    return read(batch, pointer) if pointer else None


def shortened(text: str, limit: int = 300) -> str:
    """Shorten a text to fit into a line of evidence."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]}… ({len(line):,} characters)"
