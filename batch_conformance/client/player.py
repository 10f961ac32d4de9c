"""Plays a case to a client over sockets: fresh stubs, the calls one after the other, and what came of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from batch_conformance.client.call import Call, ClientUnderTest
from batch_conformance.client.cases.case import Ask, Case
from batch_conformance.client.stub.choose import ByTurn, InOrder
from batch_conformance.client.stub.records import Seen, exchange_of
from batch_conformance.client.stub.server import RefusedPort, StubServer
from batch_conformance.exchange import Exchange, Intent
from batch_conformance.judge.client.material import Play, Turn

_numbers = itertools.count(1)


def play_on_loopback(case: Case, client: ClientUnderTest, keys: Sequence[str]) -> Play:
    """Play one case over the loopback interface. Raises ``CouldNotRun`` when judging has to end."""
    with ExitStack() as stack:
        if case.refused:
            port = RefusedPort()
            stack.callback(port.close)
            turns = [
                Turn(call, ask.told, client.get_batch(call))
                for ask in case.asks
                for call in [_call(ask, port.url, case, keys)]
            ]
            return Play(case.title, case.clauses, tuple(turns), ordinary=case.ordinary)
        choose = ByTurn([ask.answers for ask in case.asks])
        own = stack.enter_context(StubServer(choose, by_name=bool(case.elsewhere)))
        there = InOrder(case.elsewhere or case.asks[0].answers)
        other = stack.enter_context(StubServer(there, by_name=True)) if case.elsewhere else own
        places = origins(own.url, other.url)
        turns = []
        for number, ask in enumerate(case.asks):
            own.turn = other.turn = number
            there.places = {**places, "id": ask.batch_id}
            choose.begin(number, there.places)
            call = _call(ask, own.url, case, keys)
            reply = client.get_batch(call)
            seen = [seen for seen in own.seen if seen.turn == number and not _by_another_name(seen, case)]
            exchanges = tuple(recorded(one, case, ask) for one in seen)
            turns.append(Turn(call, ask.told, reply, exchanges, own.log.count(number)))
        return Play(case.title, case.clauses, tuple(turns), _elsewhere(case, own, other), case.ordinary)


def origins(own: str, other: str) -> dict[str, str]:
    """What the placeholders in a Location stand for."""
    by_name = {url: url.replace("//127.0.0.1:", "//localhost:") for url in (own, other)}
    return {
        "own": own,
        "other": other,
        "alias": by_name[own],
        "other_alias": by_name[other],
        "secure": other.replace("http://", "https://"),
        "bare_other": urlsplit(other).netloc,
    }


def recorded(seen: Seen, case: Case, ask: Ask) -> Exchange:
    """A seen request as an exchange of the run."""
    intent = Intent(case.clauses[0], ask.batch_id, "known", "valid", case.title)
    return exchange_of(seen, next(_numbers), intent)


def _call(ask: Ask, origin: str, case: Case, keys: Sequence[str]) -> Call:
    return Call(origin + case.base_path, keys[ask.key], ask.batch_id, ask.timeout_s)


def _by_another_name(seen: Seen, case: Case) -> bool:
    return bool(case.elsewhere) and seen.host == "localhost"


def _elsewhere(case: Case, own: StubServer, other: StubServer) -> tuple[Exchange, ...]:
    if not case.elsewhere:
        return ()
    strayed = [seen for seen in own.seen if _by_another_name(seen, case)] + other.seen
    return tuple(recorded(seen, case, case.asks[min(seen.turn, len(case.asks) - 1)]) for seen in strayed)
