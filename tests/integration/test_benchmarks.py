"""The benchmarks still fit the modules that they measure; their figures are never tested."""

from __future__ import annotations

from batch_conformance.server_runner import side_by_side
from benchmarks import cases, growth, latency
from benchmarks.recording import recorded, replay
from benchmarks.serving import in_a_process_of_its_own


def test_far_servers_can_be_measured_one_request_at_a_time() -> None:
    """What decides it is replaced by its name."""
    usual = side_by_side.MIN_ROUND_TRIP
    with latency._one_at_a_time():
        assert usual < side_by_side.MIN_ROUND_TRIP
    assert usual == side_by_side.MIN_ROUND_TRIP


def test_a_run_is_recorded_and_replayed() -> None:
    """Overhead is measured against the same requests over raw sockets."""
    with in_a_process_of_its_own() as (url, _):
        requests = recorded(url, "quick")
        assert requests
        assert replay(requests, url) > len(requests)


def test_single_cases_and_growth_are_measured() -> None:
    """Every row has a figure."""
    assert all(seconds > 0 for _, seconds in cases.measure(1))
    with in_a_process_of_its_own() as (url, _):
        assert growth._one("server", "quick", 2, url)
