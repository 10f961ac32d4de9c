"""Driver processes that break the protocol: each call ends in bounded time, and no process is left."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.client_runner.call import Reply
from batch_conformance.client_runner.driver import DriverPool
from batch_conformance.client_runner.process import Limits
from batch_conformance.http import Redactor
from tests.support.calls import KEY, SLACK, call, could_not_run

BREACH = "sent a reply that breaks the protocol: "
ADAPTERS = Path(__file__).parents[1] / "support" / "adapters"
#: Short where a test waits for a time limit, ample elsewhere.
LIMITS = Limits(hello_s=20, grace_s=0.2, bye_s=5, ending_s=0.2, line_bytes=1 << 20)

Open = Callable[..., DriverPool]


class Shelf:
    """Commands of the adapters, marked so that their processes can be found."""

    def __init__(self) -> None:
        self.mark = f"mark-{uuid.uuid4().hex}"

    def command(self, name: str, *arguments: str) -> str:
        """Return the command that runs an adapter."""
        return shlex.join([sys.executable, "-S", str(ADAPTERS / f"{name}.py"), *arguments, self.mark])

    def processes(self) -> list[str]:
        """Return the command lines of the adapters' processes, their children and our own zombies included."""
        columns = ["ps", "-A", "-ww", "-o", "ppid=", "-o", "stat=", "-o", "args="]
        listing = subprocess.run(columns, capture_output=True, text=True, check=True).stdout.splitlines()
        rows = [line.split(None, 2) for line in listing]
        zombies = [row[-1] for row in rows if row[0] == str(os.getpid()) and row[1].startswith("Z")]
        return zombies + [row[-1] for row in rows if self.mark in row[-1]]

    def is_empty(self) -> bool:
        """Whether no process is left, after a moment for the kernel to end a killed child."""
        deadline = time.monotonic() + SLACK
        while self.processes():
            if time.monotonic() > deadline:
                return False
        return True


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """Adapters; none of their processes may be left after the test."""
    shelf = Shelf()
    yield shelf
    assert shelf.is_empty()


@pytest.fixture
def open_pool(shelf: Shelf) -> Iterator[Open]:
    """Open pools of adapters, which are closed after the test."""
    pools: list[DriverPool] = []

    def open_pool(name: str, *arguments: str, size: int = 1, limits: Limits = LIMITS) -> DriverPool:
        pools.append(DriverPool(shelf.command(name, *arguments), size, limits=limits))
        return pools[-1]

    yield open_pool
    for pool in pools:
        pool.close()


def test_good_driver_answers_hello_and_calls(open_pool: Open) -> None:
    """The hello is read, and consecutive calls share one process."""
    pool = open_pool("good", size=4)
    assert (pool.hello.name, pool.hello.operations) == ("good", ("get_batch",))
    replies = [pool.get_batch(call(f"batch_{number}")) for number in range(20)]
    assert [reply.batch for reply in replies] == [{"id": f"batch_{number}"} for number in range(20)]
    assert all(reply.broken is None and reply.error is None for reply in replies)


def test_consecutive_calls_share_a_process_and_concurrent_calls_do_not(shelf: Shelf, open_pool: Open) -> None:
    """Processes are started on demand, and hangs overlap."""
    pool = open_pool("silent_in_call", size=4)
    pool.get_batch(call())
    pool.get_batch(call())
    assert len(shelf.processes()) == 1
    started = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        replies = list(threads.map(pool.get_batch, [call("fault", 0.4)] * 4))
    assert [reply.broken for reply in replies] == ["the driver gave no answer within 0.6 s"] * 4
    assert time.monotonic() - started < sum(reply.seconds for reply in replies)
    assert pool.broken_in_a_row == 4
    assert pool.get_batch(call()).batch == {"id": "batch_1"}
    assert pool.broken_in_a_row == 0


def test_many_concurrent_hangs_do_not_end_the_run(open_pool: Open) -> None:
    """The run only ends if the next call fails too: these eight hang in one kind of call."""
    pool = open_pool("silent_in_call", size=8)

    def hangs_then_lives(number: int) -> tuple[bool, bool]:
        hung, alive = pool.get_batch(call("fault", 0.4)), pool.get_batch(call(f"batch_{number}"))
        return hung.broken is not None, alive.batch is not None

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(hangs_then_lives, range(8))) == [(True, True)] * 8


def test_many_concurrent_hangs_in_two_rounds_end_the_run(open_pool: Open) -> None:
    """The second round ends the run, however many calls are concurrent."""
    pool, hang = open_pool("silent_in_call", size=8), call("fault", 0.4)

    def hangs_twice(_: int) -> str:
        assert pool.get_batch(hang).broken
        return could_not_run(lambda: pool.get_batch(hang))

    with ThreadPoolExecutor(8) as threads:
        assert "times in a row" in "".join(threads.map(hangs_twice, range(8)))


def test_more_calls_than_processes_wait(shelf: Shelf, open_pool: Open) -> None:
    """No two calls share a process at a time, and there are never more processes than allowed."""
    pool = open_pool("split_writes", size=2)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(pool.get_batch, [call(f"batch_{number}") for number in range(16)]))
        assert len(shelf.processes()) <= 2
    assert [reply.batch for reply in replies] == [{"id": f"batch_{number}"} for number in range(16)]


BROKEN = [
    ("bad_json", "wrote a line to stdout that is not JSON (Expecting ':' delimiter at line 1, column 26)"),
    ("not_utf8", "wrote a line to stdout that is not JSON (it is not UTF-8 at byte 31)"),
    ("noisy_stdout", "wrote a line to stdout that is not JSON (Expecting value at line 1, column 1): 'DEBUG"),
    ("wrong_seq", "answered seq 6 where seq 2 was asked"),
    ("breaks_schema", f"{BREACH}error.kind is 'sad', not one of unauthorized, "),
    ("batch_and_error", f"{BREACH}the message must hold either batch (batches for a list) or error"),
    ("dies_mid_case", "was ended by SIGSEGV before it answered"),
    ("exits_mid_case", "exited with status 7 before it answered"),
    ("keeps_stdout_open", "exited with status 3 before it answered"),
    ("closes_stdout", "closed its stdout before it answered"),
    ("huge_line", "wrote a line of more than 1048576 bytes"),
    ("no_newline_and_exits", "exited with status 0 before it answered (its last line lacks the newline"),
]


@pytest.mark.parametrize(("name", "reason"), BROKEN, ids=[name for name, _ in BROKEN])
def test_a_protocol_violation_breaks_one_call_and_one_process(open_pool: Open, name: str, reason: str) -> None:
    """The call is broken for that reason, long before its deadline, and the next one is answered."""
    pool = open_pool(name)
    assert pool.get_batch(call()).batch == {"id": "batch_1"}
    started = time.monotonic()
    reply = pool.get_batch(call("fault", timeout_s=60))
    assert time.monotonic() - started < 2 + SLACK
    assert str(reply.broken).startswith(f"the driver {reason}")
    assert (reply.batch, reply.error) == (None, None)
    assert pool.get_batch(call()).batch == {"id": "batch_1"}


@pytest.mark.parametrize("name", ["silent_in_call", "late", "ignores_sigterm", "no_newline"])
def test_a_hang_ends_with_the_deadline_and_the_grace(open_pool: Open, name: str) -> None:
    """A driver may ignore signals; a late reply never reaches a later call."""
    pool = open_pool(name)
    reply = pool.get_batch(call("fault", timeout_s=0.2))
    unfinished = " (its last line lacks the newline that ends a message)" if name == "no_newline" else ""
    assert reply.broken == f"the driver gave no answer within 0.4 s{unfinished}"
    assert 0.4 <= reply.seconds < 0.4 + SLACK
    assert pool.get_batch(call()).batch == {"id": "batch_1"}


def until_it_shows(pool: DriverPool) -> None:
    """Wait until the unsolicited output of the idle process has arrived."""
    deadline = time.monotonic() + SLACK
    while (process := pool._idle[0].process) and not process.afterwards():
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("noisy_afterwards", "the driver wrote to stdout without being asked: 'bye for now\\n'"),
        ("exits_between_calls", "the driver exited with status 0 after it had answered"),
        ("replies_twice", "the driver wrote to stdout without being asked: "),
    ],
)
def test_an_event_after_a_reply_breaks_that_call(open_pool: Open, name: str, reason: str) -> None:
    """The next call gets a process of its own, and is not broken."""
    pool = open_pool(name, size=1)
    first = pool.get_batch(call("fault"))
    assert first.batch == {"id": "fault"}
    assert first.settled() is first
    until_it_shows(pool)
    assert pool.get_batch(call()).batch == {"id": "batch_1"}
    assert str(first.settled().broken).startswith(reason)
    pool.settle()


def test_an_event_after_the_last_reply_is_seen_at_the_end(open_pool: Open) -> None:
    """It is seen without another call."""
    pool = open_pool("noisy_afterwards", size=1)
    last = pool.get_batch(call("fault"))
    until_it_shows(pool)
    pool.settle()
    assert "without being asked" in str(last.settled().broken)


def test_a_reply_in_pieces_is_accepted(open_pool: Open) -> None:
    """Byte by byte, also at hello."""
    assert open_pool("split_writes").get_batch(call()).batch == {"id": "batch_1"}


def test_a_flood_of_stderr_neither_blocks_nor_fills_the_memory(open_pool: Open) -> None:
    """The end of stderr is kept, for its own call only."""
    pool = open_pool("stderr_flood")
    reply = pool.get_batch(call("fault"))
    assert reply.batch == {"id": "fault"}
    assert reply.stderr.startswith("…")
    assert reply.stderr.endswith("line    65535 of a very talkative client, 64 bytes long, always\n")
    assert 16_000 < len(reply.stderr) <= (16 << 10) + 1
    assert pool.get_batch(call()).stderr == ""


def test_stderr_of_a_crash_is_attached(open_pool: Open) -> None:
    """What was written just before the exit is not lost."""
    assert open_pool("dies_mid_case").get_batch(call("fault")).stderr == "about to crash\n"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "exits_at_start",
            "exited with status 1 before it answered (asked: hello); its stderr says: Error: cannot",
        ),
        ("exits_with_zero", "exited with status 0 before it answered (asked: hello)"),
        ("wrong_version", "speaks protocol 2, this suite speaks 1"),
        ("lacks_get_batch", "does not offer the operation get_batch or list_batches (it offers: create_batch)"),
    ],
)
def test_a_driver_that_fails_at_hello_cannot_be_run(open_pool: Open, name: str, reason: str) -> None:
    """One line says why, at once."""
    started = time.monotonic()
    message = could_not_run(lambda: open_pool(name))
    assert message.startswith("the client exec:")
    assert f" cannot be judged: it {reason}" in message
    assert time.monotonic() - started < SLACK


def test_a_driver_silent_at_hello_cannot_be_run(open_pool: Open) -> None:
    """The time limit of hello bounds it."""
    started = time.monotonic()
    message = could_not_run(lambda: open_pool("silent_at_hello", limits=Limits(hello_s=0.5)))
    hint = "does it flush stdout after each line?"
    assert message.endswith(f" cannot be judged: it gave no answer within 0.5 s; {hint} (asked: hello)")
    assert time.monotonic() - started < 0.5 + SLACK


def test_a_command_that_cannot_be_started_cannot_be_run(tmp_path: Path) -> None:
    """The line says whether it is not found, not executable, or not a program."""
    assert "it cannot be started: there is no program no-such-driver" in could_not_run(
        lambda: DriverPool("no-such-driver --flag")
    )
    script = tmp_path / "driver"
    script.write_text("no program")
    assert "driver is not executable" in could_not_run(lambda: DriverPool(str(script)))
    script.chmod(0o755)
    assert "Exec format error" in could_not_run(lambda: DriverPool(str(script)))


def test_a_malformed_command_is_wrong_usage() -> None:
    """Detected before anything is started."""
    with pytest.raises(ValueError, match=r"^exec:node 'driver cannot be split .*; check its quotes$"):
        DriverPool("node 'driver")
    with pytest.raises(ValueError, match=r"^exec: names no command"):
        DriverPool("  ")


def test_five_restarts_without_a_good_reply_end_the_run(open_pool: Open) -> None:
    """Counted over the whole pool, not for each process; the line has the last failure."""
    pool = open_pool("breaks_at_once", size=2)
    with ThreadPoolExecutor(2) as threads:
        replies: list[Reply] = list(threads.map(pool.get_batch, [call()] * 2))
    replies += [pool.get_batch(call()) for _ in range(3)]
    assert {reply.broken for reply in replies} == {"the driver exited with status 1 before it answered"}
    message = could_not_run(lambda: pool.get_batch(call()))
    assert "broke 6 times in a row, 5 fresh starts included; the last time it exited with status 1" in message
    assert message.endswith("its stderr says: no such client")


def test_a_driver_that_never_starts_again_ends_the_run(tmp_path: Path) -> None:
    """A failed start does not break the call, and is not repeated for ever."""
    script = tmp_path / "driver.py"
    script.write_text((ADAPTERS / "exits_mid_case.py").read_text())
    pool = DriverPool(shlex.join([sys.executable, "-S", str(script)]), 1, limits=LIMITS)
    script.write_text("raise SystemExit('ValueError: not today')")
    assert pool.get_batch(call("fault")).broken == "the driver exited with status 7 before it answered"
    message = could_not_run(lambda: pool.get_batch(call()))
    assert message.endswith(
        "exited with status 1 before it answered (asked: hello); its stderr says: ValueError: not today"
    )
    pool.close()


def test_a_driver_that_runs_once_at_a_time_is_used_as_such(tmp_path: Path, open_pool: Open) -> None:
    """If a second process cannot start, the pool gets smaller, and no call is broken."""
    pool = open_pool("runs_once_at_a_time", str(tmp_path / "lock"), size=4)
    with ThreadPoolExecutor(4) as threads:
        replies = list(threads.map(pool.get_batch, [call()] * 8))
    assert [reply.batch for reply in replies] == [{"id": "batch_1"}] * 8


def test_a_driver_that_never_reads_bye_is_killed(shelf: Shelf, open_pool: Open) -> None:
    """It is killed after a short wait, without an error."""
    pool = open_pool("never_reads_bye", limits=Limits(bye_s=0.3))
    assert pool.get_batch(call()).batch == {"id": "batch_1"}
    started = time.monotonic()
    pool.close()
    assert 0.3 <= time.monotonic() - started < 0.3 + SLACK
    assert shelf.is_empty()


def test_closing_ends_the_calls_under_way(open_pool: Open) -> None:
    """Nothing waits for a deadline in an interrupted run."""
    pool = open_pool("silent_in_call")
    with ThreadPoolExecutor(2) as threads:
        future = threads.submit(pool.get_batch, call("fault", timeout_s=60))
        deadline = time.monotonic() + SLACK
        while not pool._busy and time.monotonic() < deadline:
            pass
        waiting = threads.submit(pool.get_batch, call())
        pool.close()
        assert future.result(SLACK).broken == "the driver was ended by SIGKILL before it answered"
        with pytest.raises(CouldNotRun, match="was closed before all calls were made"):
            waiting.result(SLACK)


def test_drivers_are_killed_when_the_interpreter_exits(shelf: Shelf) -> None:
    """The pool is not closed, as after an interrupt, and the driver ignores the end of its input."""
    program = (
        "from batch_conformance.client_runner.driver import DriverPool\n"
        f"pool = DriverPool({shelf.command('never_reads_bye')!r})\n"
        "raise KeyboardInterrupt\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=False)
    assert b"KeyboardInterrupt" in ended.stderr
    assert shelf.is_empty()


def test_the_key_is_passed_through_stdin_only(shelf: Shelf, open_pool: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is not on a command line, nor in the environment; and no text contains it, whatever the driver does."""
    monkeypatch.setenv("SYNC_API_KEY", KEY)
    pool = open_pool("leaks_key")
    good = pool.get_batch(call())
    assert good.stderr == "key None\nkey [api-key]\n"
    assert KEY not in "".join(shelf.processes())
    broken = pool.get_batch(call("fault"))
    assert broken.stderr == "x-api-key: [api-key]\n"
    assert str(broken.broken).endswith(": 'sending [api-key]'")
    assert KEY not in repr(call())


def test_the_given_redaction_covers_every_text(shelf: Shelf) -> None:
    """Secrets of the run are replaced by their names in what a driver writes."""
    redactor = Redactor({"sync'": "[secret module]", KEY: "[the key]"})
    assert could_not_run(
        lambda: DriverPool(shelf.command("exits_at_start"), redact=redactor.text, limits=LIMITS)
    ).endswith("Error: cannot find module '[secret module]")
    pool = DriverPool(shelf.command("leaks_key"), redact=redactor.text, limits=LIMITS)
    assert "[the key]" in pool.get_batch(call()).stderr
    pool.close()
