"""Every client check can fail: each mutant breaks exactly its clauses, each legal variation none."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.driver import DriverPool
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.open import open_client
from batch_conformance.client_runner.respx_bridge import RespxBridge
from batch_conformance.client_runner.session import judge_client
from batch_conformance.contract import load_contract
from batch_conformance.mutants.client import (
    ClientMutant,
    ClientVariation,
    client_mutants,
    client_variations,
)
from batch_conformance.mutants.client.base import Faulty, adapter_of
from batch_conformance.reference.client import AsyncBatchClient
from tests.support.judging import judged_client, red, shown, verdicts

CLAUSES = {clause.id for clause in load_contract().of_side("client")}
#: Clauses whose cases take a second or more; left out for mutants whose fault is not about waiting.
SLOW = {"client.fault.timeout", "client.fault.drip", "client.fault.drip-head"}
#: One mutant of each theme, run through a driver process.
THROUGH_A_DRIVER = (
    "id-slash-kept",
    "keys-first-wins",
    "counts-float",
    "array-first",
    "html-crash",
    "404-is-empty-batch",
)
#: Mutants run over mocked httpx, with faults above and below HTTP.
WITHOUT_A_SOCKET = (
    "target-prefix-dropped", "key-lost-on-retry", "redirect-with-key", "redirect-port-ignored", "date-naive",
    "transfer-latin-1", "transfer-gzip-asked", "fresh-cached", "cut-json-repaired", "error-must-be-json",
    "retry-burst", "refused-as-other", "reset-crash", "truncated-taken", "timeout-as-other", "drip-is-empty-batch",
)  # fmt: skip


def _judged(adapter: Any, **options: Any) -> RunResult:
    # A short grace period is enough to see that a client hangs.
    return judged_client(adapter, grace_s=1.5, **options)


def _assert_exactly(run: RunResult, mutant: ClientMutant) -> None:
    assert not run.error
    assert mutant.clause in red(run), f"not caught\n{shown(run)}"
    assert red(run) <= {mutant.clause} | mutant.also, shown(run)


def _profile(clause: str) -> str:
    """Return the profile: long cases only for faults about waiting or concurrent calls."""
    slow = ("client.fault.", "client.retry.", "client.auth.per-call")
    return "sketch" if clause.startswith(slow) else "sketch-quick"


@pytest.mark.parametrize("mutant", client_mutants().values(), ids=lambda mutant: mutant.name)
def test_mutant_fails_exactly_its_clauses(mutant: ClientMutant) -> None:
    """The clause that a mutant breaks fails, and no others but those in ``also``."""
    by = mutant.operations
    run = _judged(mutant.adapter(), profile=_profile(mutant.clause), operations=by)
    if mutant.clause not in red(run) and not run.error:
        # Two cases per clause show most faults; if they do not, run all cases of the theme.
        assert red(run) <= mutant.also, shown(run)
        theme = mutant.clause.rpartition(".")[0]
        wanted = {clause for clause in CLAUSES if clause.startswith(theme)}
        run = _judged(mutant.adapter(), selected=wanted, operations=by)
    _assert_exactly(run, mutant)


@pytest.mark.parametrize("variation", client_variations().values(), ids=lambda variation: variation.name)
def test_legal_variation_passes(variation: ClientVariation) -> None:
    """No clause fails, not even a ``should``."""
    run = _judged(variation.adapter(), strict=True)
    assert run.verdict == "pass", shown(run)
    assert not red(run), shown(run)


def test_every_clause_has_a_mutant_of_its_own() -> None:
    """Every clause has a mutant that breaks it alone."""
    assert {mutant.clause for mutant in client_mutants().values() if not mutant.also} == CLAUSES


def _sync_over_respx() -> InProcessClient:
    client = open_client("embedded", transport="respx", size=5)
    assert isinstance(client, InProcessClient)
    return client


@pytest.mark.parametrize(
    "opened",
    [
        lambda: open_client("embedded", size=5),
        lambda: open_client("python:batch_conformance.reference.client:async_adapter", size=5),
        _sync_over_respx,
        lambda: open_client("python:batch_conformance.reference.client:async_adapter", transport="respx", size=5),
        lambda: DriverPool(f"{shlex.quote(sys.executable)} -m batch_conformance.reference.client_driver", size=4),
    ],
    ids=["sync", "async", "sync over respx", "async over respx", "driver"],
)
def test_reference_client_conforms_with_nothing_unexercised(opened: Callable[[], Any]) -> None:
    """All clauses pass, however the client is reached."""
    client = opened()
    try:
        run = judge_client(client, strict=True)
    finally:
        client.close()
    assert {result.verdict for result in run.results} == {"pass"}, shown(run)
    assert {result.clause.id for result in run.results} == CLAUSES
    assert run.requests > 300


@pytest.mark.parametrize("name", WITHOUT_A_SOCKET)
def test_mutant_is_caught_without_a_socket(name: str) -> None:
    """The same cases and checks find the fault over mocked httpx."""
    mutant = client_mutants()[name]
    client = InProcessClient(mutant.adapter(), spec="embedded", size=5, bridge=RespxBridge())
    try:
        run = judge_client(client, profile="quick")
    finally:
        client.close()
    _assert_exactly(run, mutant)


@pytest.mark.parametrize("name", THROUGH_A_DRIVER)
def test_mutant_is_caught_through_a_driver(name: str) -> None:
    """The same cases and checks find the fault in a driver process."""
    mutant = client_mutants()[name]
    command = f"{shlex.quote(sys.executable)} -m batch_conformance.reference.client_driver --mutant {name}"
    pool = DriverPool(command, size=4)
    try:
        run = judge_client(pool, profile="quick", selected=CLAUSES - SLOW)
    finally:
        pool.close()
    _assert_exactly(run, mutant)


def test_only_what_was_selected_is_judged() -> None:
    """Clauses that are not selected are reported as not exercised."""
    selected = {"client.error.404", "client.request.target"}
    run = _judged(client_mutants()["404-as-http"].adapter(), selected=selected)
    verdicts = {result.clause.id: result.verdict for result in run.results}
    assert verdicts.keys() == CLAUSES
    assert verdicts["client.error.404"] == "fail"
    assert verdicts["client.request.target"] == "pass"
    assert {verdict for clause, verdict in verdicts.items() if clause not in selected} == {"not-exercised"}
    assert run.requests < 40


@pytest.mark.parametrize("clause", sorted(CLAUSES))
def test_each_clause_can_be_selected_alone(clause: str) -> None:
    """Selecting a clause plays the cases that its check needs."""
    run = _judged(client_variations()["as-it-is"].adapter(), profile="quick", selected={clause})
    assert {result.verdict for result in run.results if result.clause.id == clause} == {"pass"}


def test_a_failing_example_is_shrunk() -> None:
    """Hypothesis shrinks an example that only it finds."""

    class LastCapitalsLost(Faulty):
        def segment(self, batch_id: str) -> str:
            return re.sub("[XYZ]", "x", super().segment(batch_id))

    run = _judged(adapter_of(LastCapitalsLost, "made here"), selected={"client.request.id-encoding"})
    result = next(result for result in run.results if result.clause.id == "client.request.id-encoding")
    assert result.verdict == "fail"
    assert [finding.message for finding in result.findings] == ["an id ('X'): it decodes to 'x'"]


def test_same_seed_requests_same_ids() -> None:
    """Two runs with one seed request the same ids; another seed requests others."""

    def requested_ids(seed: int) -> list[str]:
        ids: list[str] = []

        def adapter(request: dict[str, Any]) -> dict[str, Any]:
            ids.append(request["batch_id"])
            return {"error": {"kind": "transport", "status": None, "message": "no"}}

        adapter.hello = client_hello()  # type: ignore[attr-defined]
        _judged(adapter, selected={"client.decode.status"}, seed=seed)
        return sorted(ids)

    assert requested_ids(1) == requested_ids(1) != requested_ids(2)


def client_hello() -> dict[str, Any]:
    """Return a hello message for adapters made in a test."""
    return {
        "protocol": 1,
        "name": "made here",
        "version": "0",
        "language": "python",
        "operations": ["get_batch"],
    }


def test_a_client_that_always_dies_ends_the_run() -> None:
    """A client that fails on every call is an error, in bounded time, not a verdict."""

    def adapter(request: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError(f"dead on arrival of {request['op']}")

    adapter.hello = client_hello()  # type: ignore[attr-defined]
    run = _judged(adapter)
    assert run.verdict == "error"
    assert "dead on arrival" in run.error
    assert verdicts(run) == {"error"}


def test_an_interrupted_run_keeps_what_it_saw() -> None:
    """An interrupted run keeps its failures, passes nothing, and is incomplete."""

    def stop(played: int) -> None:
        if played == 60:
            raise KeyboardInterrupt

    run = _judged(client_mutants()["key-missing"].adapter(), progress=stop)
    assert run.incomplete
    assert run.verdict == "error"
    verdicts = {result.clause.id: result.verdict for result in run.results}
    assert verdicts.pop("client.auth.header") == "fail"
    assert set(verdicts.values()) == {"not-exercised"}


def test_keys_are_hidden_in_output() -> None:
    """The run's redactor knows every key that was sent."""
    run = _judged(client_mutants()["key-in-query"].adapter(), profile="quick", selected={"client.auth.only-there"})
    text = shown(run)
    assert "api_key=sk-" in text
    assert "sk-" not in run.redactor.text(text)


def test_sync_and_async_reference_clients_share_their_codec() -> None:
    """Both clients encode and decode with the same code."""
    from batch_conformance.reference.client import BatchClient, Codec

    own = {name for name in vars(AsyncBatchClient) if not name.startswith("__")}
    assert own == {"get_batch", "list_batches", "send", "aclose"}
    assert issubclass(BatchClient, Codec)
    assert issubclass(AsyncBatchClient, Codec)
