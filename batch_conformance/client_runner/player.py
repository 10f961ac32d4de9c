"""Running one case: fresh stubs, the calls in order, and the results."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from batch_conformance.checks.client.record import CallResult, CaseResult, ExpectedOutcome, ValidBatch
from batch_conformance.client_runner.call import Call, ClientUnderTest, Reply
from batch_conformance.client_runner.cases.case import CallStep, Case
from batch_conformance.client_runner.envelope import enclosed
from batch_conformance.client_runner.stub.choose import ByTurn, InOrder, batch_of
from batch_conformance.client_runner.stub.records import ReceivedRequest, RequestLog, exchange_of
from batch_conformance.client_runner.stub.server import RefusedPort, StubServer
from batch_conformance.client_runner.stub.tls import TlsFront, authority
from batch_conformance.client_runner.together import play_together
from batch_conformance.contract import Operation, current_contract
from batch_conformance.http import Exchange, Intent

if TYPE_CHECKING:
    from batch_conformance.client_runner.respx_bridge import RespxBridge

_numbers = itertools.count(1)


class Stub(Protocol):
    """Interface of a stub for running cases, on a socket or mounted."""

    turn: int
    log: RequestLog

    @property
    def seen(self) -> list[ReceivedRequest]:
        """All requests received so far."""
        ...


@dataclass
class StubEnvironment:
    """Stubs of one case: the client's origin, the other origins, and the values of placeholders in redirects."""

    url: str
    choose: ByTurn
    there: InOrder
    own: Stub
    other: Stub
    places: Mapping[str, str]

    def begin(self, turn: int, ask: CallStep, operation: Operation) -> None:
        """Prepare the stubs for the next call."""
        self.own.turn = self.other.turn = turn
        path = operation.url_path(ask.batch_id)
        self.there.places = {**self.places, "id": ask.batch_id, "path": path}
        self.choose.begin(turn, self.there.places)


def play(case: Case, client: ClientUnderTest, keys: Sequence[str], *, by_turns: bool = False) -> CaseResult:
    """Run one case; ``by_turns`` for a client that makes one call at a time.

    Raises ``CouldNotRun`` when the run has to end.
    """
    if case.together:
        return play_together(case, client, keys, _numbers, by_turns=by_turns)
    bridge: RespxBridge | None = getattr(client, "bridge", None)
    with _environment(case, bridge) as environment:
        results = []
        elsewhere: list[Exchange] = []
        for number, ask in enumerate(case.asks):
            operation = ask.operation or case.operation
            environment.begin(number, ask, current_contract().operation(operation))
            base_url = environment.url + case.base_path
            call = Call(base_url, keys[ask.key], ask.batch_id, ask.timeout_s, operation, ask.arguments)
            reply = client.get_batch(call)
            if operation != case.operation:
                continue
            received = [seen for seen in environment.own.seen if seen.turn == number]
            current = [seen for seen in received if not _is_abandoned(seen, ask, client)]
            strays = [seen for seen in current if case.elsewhere and seen.host == "localhost"]
            if environment.other is not environment.own:
                strays += [seen for seen in environment.other.seen if seen.turn == number]
            elsewhere += [_exchange_of(seen, case, ask) for seen in strays]
            exchanges = tuple(_exchange_of(seen, case, ask) for seen in current if seen not in strays)
            expected, requests = _with_origin(ask.expected, environment.url), environment.own.log.count(number)
            requests -= len(received) - len(current)
            results.append(CallResult(call, expected, enclosed(reply, expected), exchanges, requests))
        return CaseResult(
            case.title,
            case.clauses,
            tuple(results),
            tuple(elsewhere),
            case.ordinary,
            operation=case.operation,
            place=case.place,
            preceded=len(results) < len(case.asks),
        )


def settled(case_result: CaseResult) -> CaseResult:
    """Return the result with the final replies (`Reply.settled`), after the last call."""
    results = [
        replace(call_result, reply=cast("Reply", call_result.reply).settled()) for call_result in case_result.turns
    ]
    return replace(case_result, turns=tuple(results))


def _environment(case: Case, bridge: RespxBridge | None) -> AbstractContextManager[StubEnvironment]:
    if case.refused:
        return _refused(case, bridge)
    return _on_loopback(case) if bridge is None else _mounted(case, bridge)


@contextmanager
def _on_loopback(case: Case) -> Iterator[StubEnvironment]:
    with ExitStack() as stack:
        choose = ByTurn([ask.answers for ask in case.asks])
        own = stack.enter_context(StubServer(choose, by_name=bool(case.elsewhere)))
        there = InOrder(case.elsewhere or case.asks[0].answers)
        other = stack.enter_context(StubServer(there, by_name=True)) if case.elsewhere else own
        places = {
            "own": own.url,
            "other": other.url,
            "alias": _by_name(own.url),
            "other_alias": _by_name(other.url),
            # No TLS there: it only matters that the key does not arrive in plain text either.
            "secure": other.url.replace("http://", "https://"),
            "bare_other": urlsplit(other.url).netloc,
        }
        url = own.url
        if case.secure and (known := authority()):
            url = stack.enter_context(TlsFront(own.port, known.context)).url
            front = stack.enter_context(TlsFront(other.port, known.context))
            places |= {"own": url, "other_secure": front.url}
        yield StubEnvironment(url, choose, there, own, other, places)


@contextmanager
def _mounted(case: Case, bridge: RespxBridge) -> Iterator[StubEnvironment]:
    # Imported here: loopback must work without respx.
    from batch_conformance.client_runner.stub.mounted import MountedStub

    choose = ByTurn([ask.answers for ask in case.asks])
    there = InOrder(case.elsewhere or case.asks[0].answers)
    own, other = MountedStub(choose), MountedStub(there)
    own.url = bridge.mount(own.handler, scheme="https" if case.secure else "http")
    host = urlsplit(own.url).netloc
    rows = {
        "other": ("http", host, 8080),
        "alias": ("http", f"alias-{host}", None),
        "other_alias": ("http", f"alias-{host}", 8080),
        "secure": ("https", host, 8443),
        "other_secure": ("https", f"other-{host}", None),
    }
    if case.secure:
        # Same host, no port: only the scheme differs.
        rows["other"] = ("http", host, None)
    else:
        rows["secure"] = ("https", host, None)
    places = {"own": own.url, "bare_other": f"{host}:8080"}
    for name, (scheme, name_of_host, port) in rows.items():
        places[name] = bridge.mount(other.handler, scheme=scheme, host=name_of_host, port=port)
    try:
        yield StubEnvironment(own.url, choose, there, own, other, places)
    finally:
        for name, url in places.items():
            if name != "bare_other":
                bridge.unmount(url)


@contextmanager
def _refused(case: Case, bridge: RespxBridge | None) -> Iterator[StubEnvironment]:
    port = RefusedPort()
    # A stub that receives nothing, since no client knows its URL.
    with StubServer(choose := ByTurn([ask.answers for ask in case.asks])) as unused:
        try:
            # The bridge refuses connections to an origin where nothing is mounted.
            url = port.url if bridge is None else "http://refused.invalid"
            yield StubEnvironment(url, choose, InOrder(case.asks[0].answers), unused, unused, {})
        finally:
            port.close()


def _is_abandoned(seen: ReceivedRequest, ask: CallStep, client: ClientUnderTest) -> bool:
    """Whether a request belongs to an abandoned call of an earlier case, whose port the stub may have inherited."""
    abandoned: frozenset[str] = getattr(client, "abandoned", frozenset())
    return bool(abandoned) and (requested := batch_of(seen.request)) in abandoned and requested != ask.batch_id


def _exchange_of(seen: ReceivedRequest, case: Case, ask: CallStep) -> Exchange:
    intent = Intent(case.clauses[0], ask.batch_id, "known", "valid", case.title, operation=case.operation)
    return exchange_of(seen, next(_numbers), intent, case)


def _with_origin(expected: ExpectedOutcome, own: str) -> ExpectedOutcome:
    """Return the expected outcome with the placeholder ``{own}`` replaced as in the response."""
    if not isinstance(expected, ValidBatch):
        return expected
    return replace(expected, batch=_with_own(expected.batch, own))


def _with_own(value: Any, own: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _with_own(item, own) for name, item in value.items()}
    return value.replace("{own}", own) if isinstance(value, str) else value


def _by_name(url: str) -> str:
    return url.replace("//127.0.0.1:", "//localhost:")
