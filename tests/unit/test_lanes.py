"""Lanes: slow cases first, more lanes when all wait, one process for all calls of a case."""

from __future__ import annotations

import shlex
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from batch_conformance.checks.client.record import TransportFault
from batch_conformance.checks.result import CouldNotRun
from batch_conformance.client_runner import lanes
from batch_conformance.client_runner.call import Call
from batch_conformance.client_runner.cases import Case, CaseFactory
from batch_conformance.client_runner.cases.case import LONG_DEADLINE, SHORT_DEADLINE
from batch_conformance.client_runner.driver import DriverPool
from batch_conformance.client_runner.lanes import BUSY_LANES, MOST_LANES, play_side_by_side, slow_first
from batch_conformance.client_runner.stub import answers

_FACTORY = CaseFactory(0)
#: Seconds that suffice on any machine; only a failing test waits that long.
_PATIENCE = 60

_DRIVER = """
import json, os, sys
for line in sys.stdin:
    request = json.loads(line)
    answer = {"error": {"kind": "other", "status": None, "message": str(os.getpid())}}
    if request["op"] == "hello":
        answer = {"hello": {"protocol": 1, "name": "x", "version": "1", "operations": ["get_batch"]}}
        answer["hello"]["language"] = "python"
    if request["op"] == "bye":
        break
    print(json.dumps({"seq": request["seq"], **answer}), flush=True)
"""


def _drip() -> Case:
    fault = TransportFault("drip", "a body that drips")
    return Case("drip", ("client.fault.drip",), (_FACTORY.fault(fault, answers.batch(), timeout_s=SHORT_DEADLINE),))


def _case(title: str, *, waits: bool = False, calls: int = 1, timeout_s: float = LONG_DEADLINE) -> Case:
    step = replace(_FACTORY.valid(_FACTORY.batch()), timeout_s=timeout_s)
    return Case(title, ("client.decode.fields",), (step,) * calls, waits=waits)


def test_cases_that_wait_for_a_deadline_come_first() -> None:
    """Drips first, then several calls in a row, then retries, then quick ones; otherwise in their order."""
    cases = [
        _case("quick"),
        _case("retried", waits=True),
        _case("several", calls=3),
        _case("late", waits=True, timeout_s=SHORT_DEADLINE),
        _case("several, one late", calls=2, timeout_s=SHORT_DEADLINE),
        _case("quick too"),
        _drip(),
    ]
    titles = [case.title for case in slow_first(cases)]
    assert titles == ["drip", "late", "several, one late", "several", "retried", "quick", "quick too"]


def test_more_lanes_are_opened_while_lanes_wait() -> None:
    """All slow cases run at once before the first of them ends, and the quick ones end meanwhile."""
    waiting = [_case(f"wait {number}", waits=True) for number in range(MOST_LANES - BUSY_LANES)]
    quick = [_case(f"quick {number}") for number in range(50)]
    changed = threading.Condition()
    begun: set[int] = set()
    ended: list[int] = []

    def play(case: Case) -> None:
        with changed:
            begun.add(case.number)
            changed.notify_all()
            if case.waits:
                everybody = {one.number for one in (*waiting, *quick)}
                assert changed.wait_for(lambda: begun == everybody, timeout=_PATIENCE)
            ended.append(case.number)

    play_side_by_side([*quick, *waiting], play)
    assert len(ended) == len(waiting) + len(quick)
    assert set(ended[: len(quick)]) == {case.number for case in quick}


def test_no_more_lanes_are_opened_while_lanes_are_busy() -> None:
    """Busy lanes would only slow each other down."""
    begun: set[str] = set()

    def play(_: Case) -> None:
        begun.add(threading.current_thread().name + str(threading.get_ident()))

    play_side_by_side([_case("quick")] * 200, play, most=BUSY_LANES)
    assert 1 <= len(begun) <= BUSY_LANES


@pytest.mark.parametrize("starting", [0, MOST_LANES])
def test_no_more_lanes_are_opened_while_processes_start(starting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts are CPU work, and more of them at once slow each other down; lanes that wait are joined."""
    monkeypatch.setattr(lanes, "_WAITING_SECONDS", 0.0)
    changed = threading.Condition()
    under_way, most = 0, 0

    def play(_: Case) -> None:
        nonlocal under_way, most
        with changed:
            under_way += 1
            most = max(most, under_way)
            changed.notify_all()
            changed.wait_for(lambda: most > BUSY_LANES, timeout=0.2 if starting else _PATIENCE)
            under_way -= 1

    play_side_by_side([_case("slow", waits=True)] * 8, play, starting=lambda: starting)
    assert (most <= BUSY_LANES) is bool(starting)


def test_fewer_lanes_are_opened_where_processes_start_slowly() -> None:
    """The maximum if a process starts at once, few if it takes seconds."""
    assert lanes.lanes_for(0.0) == MOST_LANES
    assert BUSY_LANES < lanes.lanes_for(60.0) < MOST_LANES


@pytest.mark.parametrize("dies", [False, True])
def test_the_warm_up_call_of_a_process_does_not_count(tmp_path: Path, dies: bool) -> None:
    """The warm-up call is made at the start; a process that it kills is replaced without one."""
    driver, log = tmp_path / "driver.py", tmp_path / "log"
    driver.write_text(_DRIVER.replace("for line", f"first = {str(log)!r}\nfor line", 1).replace(
        '    if request["op"] == "bye":',
        '    if request.get("batch_id") == "batch_warm":\n        open(first, "a").write("w")\n'
        f'        if {dies}:\n            break\n    if request["op"] == "bye":',
    ), "utf-8")  # fmt: skip
    pool = DriverPool(shlex.join([sys.executable, "-S", str(driver)]), 2)
    try:
        pool.warm_up_with(Call("http://127.0.0.1:1", "sk-any", "batch_warm", 20))
        for _ in range(2):
            with pool.one_process():
                reply = pool.get_batch(Call("http://127.0.0.1:1", "sk-any", "batch_1", 20))
                assert reply.broken is None
                assert reply.error is not None
                if not dies:
                    assert pool.get_batch(Call("http://127.0.0.1:1", "sk-any", "batch_2", 20)).broken is None
    finally:
        pool.close()
    assert log.read_text("utf-8") == "w"


def test_an_error_that_ends_the_run_reaches_the_caller() -> None:
    """No further case is started."""
    begun: list[str] = []

    def play(case: Case) -> None:
        begun.append(case.title)
        raise CouldNotRun("the client is gone")

    with pytest.raises(CouldNotRun, match="the client is gone"):
        play_side_by_side([_case("quick")] * 200, play)
    assert len(begun) <= MOST_LANES


def test_the_calls_of_a_case_share_a_process(tmp_path: Path) -> None:
    """Other cases may run at the same time; a client that keeps state between calls is seen doing it."""
    driver = tmp_path / "driver.py"
    driver.write_text(_DRIVER, "utf-8")
    pool = DriverPool(shlex.join([sys.executable, "-S", str(driver)]), 4)
    gate = threading.Barrier(3, timeout=_PATIENCE)
    processes: list[set[str]] = []

    def calls() -> None:
        with pool.one_process():
            seen = set()
            for _ in range(3):
                gate.wait()
                reply = pool.get_batch(Call("http://127.0.0.1:1", "sk-any", "batch_1", 20))
                assert reply.error is not None
                seen.add(reply.error.message or "")
            processes.append(seen)

    threads = [threading.Thread(target=calls) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert [len(seen) for seen in processes] == [1, 1, 1]
    assert len(set.union(*processes)) == 3
