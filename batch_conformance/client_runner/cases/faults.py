"""Cases for ``client.fault.*``: transport faults and endless redirects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from batch_conformance.checks.client.record import FaultKind, TransportFault
from batch_conformance.client_runner.cases.case import LONG_DEADLINE, SHORT_DEADLINE, Case, CaseFactory
from batch_conformance.client_runner.stub.answers import (
    StubResponse,
    hang_up,
    json_body,
    raw,
    redirect,
    silence,
)

#: Hops after which a redirect loop is slowed down, so that a client without a limit does not exhaust the machine.
_FAST_HOPS = 60


def fault_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases of refused, reset, truncated, silent and dripping connections, and of redirect loops."""
    batch = json_body(factory.batch())
    size = len(batch.body)
    yield Case(
        "a connection that is refused",
        ("client.fault.refused", "client.auth.not-in-errors"),
        (factory.fault(TransportFault("refused", "nobody listens"), batch),),
        refused=True,
    )
    yield _fault(factory, "reset", "a connection reset before any answer", batch.reset())
    yield _fault(factory, "reset", "a connection reset within the body", batch.reset(40), begun=True)
    yield _fault(factory, "truncated", "half a batch, then the end of the connection", batch.cut_off(), begun=True)
    yield _fault(
        factory,
        "truncated",
        "a whole batch where more bytes were announced",
        batch.announcing(size + 50).closing(),
        begun=True,
    )
    yield _fault(
        factory,
        "truncated",
        "a whole batch in chunks, the last chunk missing",
        batch.chunked().cut_off(size),
        begun=True,
        plainly=("client.decode.transfer",),
    )
    chunk = b"%x\r\n%s" % (size + 50, batch.body)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield _fault(
        factory,
        "truncated",
        "a whole batch in a chunk that announces more",
        raw(head + chunk),
        begun=True,
        plainly=("client.decode.transfer",),
    )
    yield _fault(factory, "truncated", "one byte less than announced", batch.cut_off(size - 1), begun=True)
    yield _fault(
        factory,
        "truncated",
        "no answer at all, and the end of the connection",
        hang_up(),
        plainly=("client.fault.reset",),
    )
    yield _fault(
        factory,
        "truncated",
        "a head that breaks off",
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConte"),
        begun=True,
    )
    yield _slow(factory, "timeout", "a server that takes the request and says nothing", silence())
    yield _slow(factory, "timeout", "a server that stops within the body", batch.stalled(40), begun=True)
    silent = factory.fault(TransportFault("timeout", "a server that says nothing"), silence(), timeout_s=SHORT_DEADLINE)
    patient = replace(factory.valid(factory.batch()), timeout_s=LONG_DEADLINE)
    yield Case(
        "a short deadline behind a long one",
        ("client.fault.timeout", "client.auth.not-in-errors"),
        (patient, silent),
    )
    yield _slow(factory, "drip", "a body that drips", batch.dripping(every=0.15), begun=True)
    yield _slow(factory, "drip", "chunks that drip", batch.chunked(1).in_pieces(1, pause=0.15), begun=True)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Trace: "
    drip = raw(head, "hang").in_pieces(1, pause=0.15)
    # A dripping body and a silent server show the same fault in a plainer form.
    plainly = ("client.fault.drip", "client.fault.timeout")
    yield _slow(factory, "drip-head", "a head that drips", drip, begun=True, plainly=plainly)
    yield _slow(factory, "redirect-loop", "a redirect to itself", *_hops("{own}{path}"))
    yield _slow(factory, "redirect-loop", "redirects that never repeat", *_hops("{own}{path}?hop={hop}"))


def _fault(
    factory: CaseFactory,
    kind: FaultKind,
    what: str,
    answer: StubResponse,
    *,
    begun: bool = False,
    plainly: tuple[str, ...] = (),
) -> Case:
    clauses = (f"client.fault.{kind}", "client.retry.bounded", "client.auth.not-in-errors")
    return Case(what, clauses, (factory.fault(TransportFault(kind, what, begun, plainly), answer),))


def _slow(
    factory: CaseFactory,
    kind: FaultKind,
    what: str,
    *answers: StubResponse,
    begun: bool = False,
    plainly: tuple[str, ...] = (),
) -> Case:
    step = factory.fault(TransportFault(kind, what, begun, plainly), *answers, timeout_s=SHORT_DEADLINE)
    clauses = (f"client.fault.{kind}", "client.auth.not-in-errors")
    return Case(what, clauses, (step,), waits=True)


def _hops(location: str) -> Iterator[StubResponse]:
    for hop in range(2 * _FAST_HOPS):
        answer = redirect(302, location.replace("{hop}", str(hop)))
        yield answer if hop < _FAST_HOPS else answer.delayed(0.1)
