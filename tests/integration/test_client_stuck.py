"""A client that is stuck after some calls: it is red in bounded time, whatever the deadlines are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from batch_conformance.client_runner.call import Call, Reply, ReportedError
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.runner import MAX_SILENT_CALLS
from batch_conformance.client_runner.session import judge_client
from batch_conformance.reference.client import adapter
from tests.support.judging import red


class _Stuck(InProcessClient):
    """Makes a number of calls; for each later one it reports, without waiting, that it reached the deadline."""

    def __init__(self, calls: int) -> None:
        super().__init__(adapter, spec="embedded", size=2)
        self.left = calls
        self.in_vain = 0

    def get_batch(self, call: Call) -> Reply:
        """Return a batch, or a timeout."""
        self.left -= 1
        if self.left >= 0:
            return super().get_batch(call)
        self.in_vain += 1
        error = ReportedError("timeout", None, "no connection was free")
        return replace(Reply(error=error), seconds=call.timeout_s)


def _judged(calls: int) -> tuple[Any, _Stuck]:
    client = _Stuck(calls)
    try:
        return judge_client(client, profile="quick"), client
    finally:
        client.close()


def test_the_run_stops_once_the_client_is_seen_stuck() -> None:
    """The calls without a request are red, and cases that were not run are not exercised."""
    run, client = _judged(40)
    assert not run.error
    assert red(run) & {"client.request.target", "client.list.target"}
    # Includes the calls that were under way in ten lanes, and the calls of one case.
    assert MAX_SILENT_CALLS <= client.in_vain < 40
    assert [result for result in run.results if result.verdict == "not-exercised"]
    assert all(result.reason for result in run.results if result.verdict == "not-exercised")
