"""Concurrent requests: which ones, how many, and that the record does not depend on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.http import Exchange, Failure, Intent, Request, Response
from batch_conformance.operations.get_batch.burst import OTHER_ORG, UNKNOWN_KEY
from batch_conformance.operations.get_batch.server_probes import CHAINS, IN_ORDER, IN_TURN, PROBES, TOGETHER
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.target import embedded_target
from batch_conformance.server_runner import session
from batch_conformance.server_runner.operation_probes import IncompleteModule, OperationProbes, other_probes, probes_in
from batch_conformance.server_runner.side_by_side import MOST
from batch_conformance.server_runner.transport import Transport

#: Seconds of each clock step: a round trip takes one when nothing else is under way.
_FAR, _NEAR = 0.1, 0.001

#: Probes whose requests may be sent in any order, and beside other probes.
ANY_ORDER = PROBES.keys() - CHAINS.keys() - IN_ORDER
#: What a burst holds beside reads.
OTHERS = (UNKNOWN_KEY, OTHER_ORG)


class Company:
    """Concurrent requests. ``seen`` are the requests in order, with those that were under way at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.now = 0
        self.under_way: list[Intent] = []
        self.seen: list[tuple[Intent, list[Intent]]] = []
        self.crowd = 0
        #: Number of tries to wait for a concurrent request.
        self.patience = 3


class FarTransport(Transport):
    """A transport whose clock counts events, so that the apparent distance does not depend on the machine.

    ``step`` is the seconds of an event; ``meet`` makes requests wait for concurrent ones if there may be some;
    ``refuse`` replaces the response of a concurrent request.
    """

    company: Company
    step = _FAR
    meet = False
    refuse: Callable[[Exchange], Exchange] | None = None

    def exchange(self, request: Request, intent: Intent, *, lane: str = "", timeout: float | None = None) -> Exchange:
        """Perform the exchange and record the concurrent requests."""
        company = self.company
        with company.lock:
            company.seen.append((intent, list(company.under_way)))
            company.under_way.append(intent)
            company.crowd = max(company.crowd, len(company.under_way))
            company.now += 1
            started = company.now
            company.lock.notify_all()
        if self.meet and intent.probe in ANY_ORDER:
            self._await_company()
        exchange = super().exchange(request, intent, lane=lane, timeout=timeout)
        with company.lock:
            accompanied = len(company.under_way) > 1
            company.under_way.remove(intent)
            company.now += 1
            exchange = replace(exchange, started=started * self.step, ended=company.now * self.step)
            company.lock.notify_all()
        return self.refuse(exchange) if self.refuse and accompanied else exchange

    def _await_company(self) -> None:
        company = self.company
        with company.lock:
            # If another request comes, it may be answered first; otherwise a moment is lost.
            if len(company.under_way) == 1 and company.patience:
                company.patience -= not company.lock.wait_for(lambda: len(company.under_way) > 1, timeout=0.1)


def _judged(monkeypatch: pytest.MonkeyPatch, **how: object) -> tuple[RunResult, Company]:
    company = Company()
    transport = type("Told", (FarTransport,), {"company": company, **how})
    monkeypatch.setattr(session, "Transport", transport)
    with embedded_target(ReferenceServer()) as target:
        return session.judge_server(replace(target, url=target.url)), company


def _told(run: RunResult) -> list[tuple[Intent, str, int | None]]:
    origin = run.subject.target
    return [(exchange.intent, exchange.request.url.removeprefix(origin), exchange.status) for exchange in run.exchanges]


def _verdicts(run: RunResult) -> dict[str, str]:
    return {result.clause.id: result.verdict for result in run.results}


def _refused(status: int) -> Callable[[FarTransport, Exchange], Exchange]:
    answer = Response(status, (("Content-Type", "text/html"),), b"<html>busy</html>", "", "HTTP/1.1")
    return lambda _, exchange: replace(exchange, response=answer)


def _reset(_: FarTransport, exchange: Exchange) -> Exchange:
    return replace(exchange, response=None, failure=Failure("reset", "the connection broke"))


def test_every_probe_is_marked_once() -> None:
    """The groups hold each probe once; chains and ordered probes exclude each other."""
    assert [name for names in TOGETHER for name in names] == list(PROBES)
    assert CHAINS.keys() | IN_ORDER < PROBES.keys()
    assert not IN_ORDER & CHAINS.keys()
    assert CHAINS.keys() > IN_TURN


@pytest.mark.parametrize("part", list(other_probes()), ids=lambda part: part.operation)
def test_every_probe_of_another_operation_is_sent_once(part: OperationProbes) -> None:
    """The first one alone, since the others depend on what it finds; all others in a group."""
    first, *others = part.probes
    assert [name for names in part.groups() for name in names] == others
    assert first not in part.chains
    assert part.probes.keys() > part.chains.keys()
    assert part.beside.keys() < part.probes.keys()


def test_probes_in_no_group_are_sent_one_by_one() -> None:
    """A module may leave out how its probes are sent."""
    module = ModuleType("operations.new.server_probes")
    vars(module).update(OPERATION="new", PROBES={"reads": iter, "a": iter, "b": iter, "c": iter}, BUDGETS={"quick": 1})
    module.TOGETHER = [["b"]]  # type: ignore[attr-defined]
    part = probes_in(module)
    assert part.groups() == [["b"], ["a"], ["c"]]
    assert 404 in part.absent
    assert list(part.before_first_auth(None)) == []  # type: ignore[arg-type]


def test_what_a_module_of_probes_lacks_is_named() -> None:
    """The message has the module and the name."""
    module = ModuleType("operations.new.server_probes")
    vars(module).update(OPERATION="new", PROBES={"reads": iter})
    with pytest.raises(IncompleteModule, match=r"^operations\.new\.server_probes lacks BUDGETS$"):
        probes_in(module)


def test_lists_of_a_far_target_are_requested_concurrently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters concurrently; the whole list alone before and after, so that missing entries show."""
    run, company = _judged(monkeypatch, meet=True)
    assert run.error == ""
    listed = [(intent, others) for intent, others in company.seen if intent.operation == "list"]
    assert any(others for intent, others in listed if intent.probe == "list-filters")
    assert not [others for intent, others in listed if intent.probe in ("reads", "late-reads") and others]
    for intent, others in listed:
        assert not _in_chain(intent) or not any(map(_in_chain, others))


def _in_chain(intent: Intent) -> bool:
    """Whether the request is one of those that share a connection; the list's last one has its own."""
    fresh = intent.operation == "list" and "fresh connection" in intent.label
    return intent.probe == "auth-per-request" and not fresh


def test_requests_to_a_near_target_are_sequential(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the burst is concurrent: threads cost more than they save."""
    run, company = _judged(monkeypatch, step=_NEAR)
    assert run.error == ""
    assert {intent.probe for intent, others in company.seen if others} <= {"burst", *OTHERS}


def test_probes_that_need_an_order_stay_sequential(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a far target, probes that depend on responses or time stay sequential, and the lookup runs alone."""
    run, company = _judged(monkeypatch, meet=True)
    assert run.error == ""
    assert 2 <= company.crowd <= MOST
    for intent, others in company.seen:
        probes = {other.probe for other in others}
        if intent.probe == "before-first-auth":
            assert probes <= {"before-first-auth"}
        elif intent.probe == "conditional":
            assert "conditional" not in probes
        elif _in_chain(intent):
            assert not any(map(_in_chain, others))
        elif intent.probe in ("reads", "late-reads"):
            assert intent.id not in {other.id for other in others if other.probe == intent.probe}
        elif intent.probe == "id-enumeration":
            assert probes <= {"id-enumeration"}
    enumerated = [intent for intent, _ in company.seen if intent.probe == "id-enumeration"]
    assert enumerated == [exchange.intent for exchange in run.exchanges if exchange.intent.probe == "id-enumeration"]
    assert {"near-keys", "near-ids", "hostile-ids"} <= {intent.probe for intent, others in company.seen if others}


def test_the_record_does_not_depend_on_concurrency(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same exchanges in the same order, sequential or concurrent."""
    near, _ = _judged(monkeypatch, step=_NEAR)
    far, _ = _judged(monkeypatch)
    turned, company = _judged(monkeypatch, meet=True)
    assert company.crowd > 1
    assert _told(far) == _told(near)
    assert _told(turned) == _told(near)
    assert _verdicts(turned) == _verdicts(far) == _verdicts(near)
    assert turned.requests == near.requests


@pytest.mark.parametrize(
    "refuse",
    [_refused(503), _refused(500), _refused(429), _reset],
    ids=["503", "500", "429", "reset"],
)
def test_a_target_that_refuses_concurrency_gets_one_request_at_a_time(
    monkeypatch: pytest.MonkeyPatch, refuse: Callable[[FarTransport, Exchange], Exchange]
) -> None:
    """What it refused is sent again, nothing more is sent concurrently, and the verdict is that of a sequential run."""
    near, _ = _judged(monkeypatch, step=_NEAR)
    monkeypatch.setattr("batch_conformance.server_runner.rate_limit.time.sleep", lambda _: None)

    # The burst is what finds out about concurrency, so it is not refused here.
    def refused(self: FarTransport, exchange: Exchange) -> Exchange:
        return exchange if exchange.intent.probe in ("burst", *OTHERS) else refuse(self, exchange)

    run, company = _judged(monkeypatch, meet=True, refuse=refused)
    accompanied = [intent for intent, others in company.seen if others and intent.probe not in ("burst", *OTHERS)]
    assert 0 < len(accompanied) <= 6
    about_rates = {clause: verdict for clause, verdict in _verdicts(run).items() if clause == "server.rate.429"}
    assert _verdicts(run) == _verdicts(near) | about_rates
    # A read that was refused has advanced its batch already, so reads are not compared.
    unmoved = {"header-case", "near-keys", "wrong-place", "near-ids", "id-enumeration", "hostile-keys", "methods"}
    far, alone = ([row for row in _told(each) if row[0].probe in unmoved and row[2] != 429] for each in (run, near))
    assert far == alone
