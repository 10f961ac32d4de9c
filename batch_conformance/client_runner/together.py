"""Running a case with two concurrent clients, in rounds: first unscheduled, then interleaved line by line."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

from batch_conformance.checks.client.record import CallResult, CaseResult, ValidBatch
from batch_conformance.checks.client.wanted import keys_in
from batch_conformance.client_runner.call import Call, ClientUnderTest, Reply
from batch_conformance.client_runner.cases.case import Case
from batch_conformance.client_runner.envelope import enclosed
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.interleave import stops_of
from batch_conformance.client_runner.stub.choose import ByBatch, batch_of
from batch_conformance.client_runner.stub.records import ReceivedRequest, exchange_of
from batch_conformance.client_runner.stub.server import StubServer
from batch_conformance.contract import Operation, current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import read
from batch_conformance.http import Intent

if TYPE_CHECKING:
    from batch_conformance.client_runner.respx_bridge import RespxBridge

#: Rounds in which the two calls start at once and run freely.
FREE_ROUNDS = 4
#: Rounds in which the second call waited for the first, after which the client is taken to serialize its calls.
MAX_BLOCKED = 2


class _Servers:
    """Stubs of a case: one for each of the two clients, or one for both."""

    def __init__(self, case: Case, bridge: RespxBridge | None, stack: ExitStack) -> None:
        answers = {ask.batch_id: ask.answers[0] for ask in case.asks}
        answers_by_stub = [answers] if case.one_server else [{name: answer} for name, answer in answers.items()]
        self.urls: list[str] = []
        self._one = case.one_server
        self._ids = list(answers)
        self._stubs = []
        for stub_answers in answers_by_stub:
            if bridge is None:
                server = stack.enter_context(StubServer(ByBatch(stub_answers)))
                self._stubs.append(server)
                self.urls.append(server.url)
            else:
                from batch_conformance.client_runner.stub.mounted import MountedStub

                mounted = MountedStub(ByBatch(stub_answers))
                mounted.url = bridge.mount(mounted.handler)
                stack.callback(bridge.unmount, mounted.url)
                self._stubs.append(mounted)  # type: ignore[arg-type]
                self.urls.append(mounted.url)

    def begin(self, round_number: int) -> None:
        """Assign all further requests to this round."""
        for stub in self._stubs:
            stub.turn = round_number

    def url(self, position: int) -> str:
        """Return the base URL for the client at this position."""
        return self.urls[0 if self._one else position]

    def first_arrival(self, round_number: int) -> float | None:
        """Return the arrival time of a round's first request; None if there was none."""
        return min((seen.arrived for rows in self.seen(round_number) for seen in rows), default=None)

    def seen(self, round_number: int) -> list[list[ReceivedRequest]]:
        """Return the requests of a round by client: by its server, or by the requested batch if they share one."""
        rows = [[seen for seen in stub.seen if seen.turn == round_number] for stub in self._stubs]
        if not self._one:
            return rows
        by_client: list[list[ReceivedRequest]] = [[], []]
        for seen in rows[0]:
            by_client[self._ids.index(name) if (name := batch_of(seen.request)) in self._ids else 0].append(seen)
        return by_client


def play_together(
    case: Case, client: ClientUnderTest, keys: Sequence[str], numbers: Iterator[int], *, by_turns: bool
) -> CaseResult:
    """Run the case; ``by_turns`` for a client that makes one call at a time. Raises ``CouldNotRun``."""
    assert len(case.asks) == 2
    bridge: RespxBridge | None = getattr(client, "bridge", None)
    results: list[CallResult] = []
    with ExitStack() as stack:
        servers = _Servers(case, bridge, stack)
        calls = [
            Call(servers.url(position), keys[ask.key], ask.batch_id, ask.timeout_s, case.operation, ask.arguments)
            for position, ask in enumerate(case.asks)
        ]
        for round_number, replies in enumerate(_rounds(client, calls, servers, by_turns=by_turns)):
            for ask, call, reply, seen in zip(case.asks, calls, replies, servers.seen(round_number), strict=True):
                intent = Intent(case.clauses[0], ask.batch_id, "known", "valid", case.title, operation=case.operation)
                exchanges = tuple(exchange_of(one, next(numbers), intent, case) for one in seen)
                results.append(CallResult(call, ask.expected, enclosed(reply, ask.expected), exchanges, len(seen)))
            operation = current_contract().operation(case.operation)
            if any(_went_wrong(result, keys, operation) for result in results[-2:]):
                break
    return CaseResult(case.title, case.clauses, tuple(results), together=True, operation=case.operation)


def _went_wrong(result: CallResult, keys: Sequence[str], operation: Operation) -> bool:
    """Whether a call went wrong, so that no more rounds are needed; the checks decide which clause is broken."""
    sent = {value for exchange in result.seen for value in keys_in(operation, exchange.request)}
    assert isinstance(result.expected, ValidBatch)
    batch, echo = result.reply.batch, entity_of(operation).echo
    mixed_up = batch is not None and echo and read(batch, echo) != read(result.expected.batch, echo)
    return bool(sent & (set(keys) - {result.call.api_key})) or batch is None or bool(mixed_up)


def _rounds(
    client: ClientUnderTest, calls: Sequence[Call], servers: _Servers, *, by_turns: bool
) -> Iterator[Sequence[Reply]]:
    numbers = itertools.count()
    if by_turns:
        for order in (calls, calls[::-1]):
            servers.begin(next(numbers))
            replies = {call.batch_id: client.get_batch(call) for call in order}
            yield [replies[call.batch_id] for call in calls]
        return
    with ThreadPoolExecutor(2, "batch-together") as pool:
        for _ in range(FREE_ROUNDS):
            servers.begin(next(numbers))
            gate = threading.Barrier(2)

            def make(call: Call, gate: threading.Barrier = gate) -> Reply:
                gate.wait()
                return client.get_batch(call)

            yield list(pool.map(make, calls))
    if isinstance(client, InProcessClient) and not client.is_async:
        yield from _scheduled(client, calls, servers, numbers)


def _scheduled(
    client: InProcessClient, calls: Sequence[Call], servers: _Servers, numbers: Iterator[int]
) -> Iterator[Sequence[Reply]]:
    first, second = calls
    servers.begin(first_round := next(numbers))
    *replies, unstopped = client.get_interleaved(first, second, None)
    sent = servers.first_arrival(first_round)
    yield replies
    blocked = 0
    for stop in stops_of(unstopped, sent):
        servers.begin(next(numbers))
        *replies, schedule = client.get_interleaved(first, second, stop)
        yield replies
        blocked += schedule.blocked
        if blocked >= MAX_BLOCKED:
            return
