"""One exchange with a hostile target: it ends in time, takes little memory, and is recorded correctly."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batch_conformance.generate.keys import valid_key
from batch_conformance.http import Exchange, Failure
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.server_runner.connection import BODY_CAP, FIELDS_CAP
from batch_conformance.server_runner.content import BodyCache, decoded
from batch_conformance.server_runner.probe import ProbeContext
from batch_conformance.server_runner.profile import PROFILES
from batch_conformance.server_runner.transport import Transport
from tests.support import hostile
from tests.support.hostile import BATCH, Fault, Peer, always, serving_hostile

TIMEOUT = 0.5
#: Seconds that a busy machine may add to any duration.
SLACK = 5.0
WORLD = ProbeContext(valid_key(REFERENCE_KEY, "K"), "K", ["batch_abc123"], PROFILES["quick"], 0)


@contextmanager
def wired(url: str, timeout: float = 20.0) -> Iterator[Callable[..., Exchange]]:
    """Return a function that reads a known batch at a URL, on a reused connection if one is named."""
    wire = Transport(url, timeout=timeout)

    def ask(lane: str = "", method: str = "GET", timeout: float | None = None) -> Exchange:
        send = WORLD.read("reads", "batch_abc123")
        request = send.request(url, url.partition("://")[2])
        return wire.exchange(
            type(request)(method, request.url, request.headers), send.intent, lane=lane, timeout=timeout
        )

    try:
        yield ask
    finally:
        wire.close()


def one(fault: Fault, timeout: float) -> tuple[Exchange, float]:
    """Return the exchange of one request with the fault, and its duration in seconds."""
    with serving_hostile(always(fault)) as server, wired(server.url, timeout) as ask:
        began = time.monotonic()
        return ask(), time.monotonic() - began


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (hostile.hang, None),
        (hostile.hang_in_head, None),
        (hostile.hang_in_body, 200),
        (hostile.drip_head, None),
        (hostile.drip_body, 200),
        (hostile.drip_chunks, 200),
    ],
)
def test_silence_and_drips_end_with_the_timeout(fault: Fault, status: int | None) -> None:
    """The timeout is for the whole exchange, however often a byte arrives."""
    exchange, seconds = one(fault, TIMEOUT)
    assert exchange.failure == Failure("timeout", "no whole answer within 0.5 s")
    assert exchange.status == status
    assert TIMEOUT <= seconds < TIMEOUT + SLACK


@pytest.mark.parametrize(
    ("fault", "kind", "status", "word"),
    [
        (hostile.reset, "reset", None, "reset by peer"),
        (hostile.close, "reset", None, "closed without an answer"),
        (hostile.reset_in_body, "reset", 200, "reset by peer"),
        (hostile.close_in_head, "truncated", None, "within its head"),
        (hostile.half_body, "truncated", 200, "received 76 bytes, expected 152"),
        (hostile.half_chunk, "truncated", 200, "incomplete chunked read"),
        (hostile.surplus, "not-http", 200, "2 bytes follow the end of the answer"),
        (hostile.endless_body, "too-large", 200, f"longer than {BODY_CAP:,} bytes"),
        (hostile.three_gigabytes, "too-large", 200, f"longer than {BODY_CAP:,} bytes"),
        (hostile.endless_fields, "too-large", None, "head is longer than 32,768 bytes"),
        (hostile.endless_line, "too-large", None, "head is longer than 32,768 bytes"),
        (hostile.many_fields, "too-large", 200, f"those beyond {FIELDS_CAP} were dropped"),
        (hostile.interim_flood, "not-http", None, "more than 50 interim answers"),
        (hostile.bomb, "too-large", 200, f"inflates to more than {BODY_CAP:,} bytes"),
        (hostile.layers, "too-large", 200, "100 codings"),
        (hostile.broken_gzip, "truncated", 200, "gzip coding is broken"),
        (hostile.half_gzip, "truncated", 200, "gzip coding ends too early"),
        (hostile.garbage, "not-http", None, "illegal status line"),
        (hostile.http_09, "not-http", None, 'it begins with b\'{"id":'),
        (hostile.bad_length, "not-http", None, "bad Content-Length"),
        (hostile.two_lengths, "not-http", None, "conflicting Content-Length"),
        (hostile.upgrade, "not-http", None, "SWITCH_UPGRADE"),
    ],
)
def test_every_fault_is_recorded_as_its_kind(fault: Fault, kind: str, status: int | None, word: str) -> None:
    """The record has the received part of a response, and one line, at once."""
    exchange, seconds = one(fault, 20.0)
    assert exchange.failure is not None
    assert (exchange.failure.kind, exchange.status) == (kind, status)
    assert word in exchange.failure.message
    assert len(exchange.failure.message.splitlines()) == 1
    assert exchange.response is None or len(exchange.response.body) <= BodyCache.SHORT
    assert seconds < 20.0


def test_an_ordinary_answer_has_no_failure() -> None:
    """Without a fault, no failure is recorded."""
    with serving_hostile(hostile.never) as server, wired(server.url) as ask:
        exchange = ask()
    assert (exchange.status, exchange.failure) == (200, None)
    assert exchange.response is not None
    assert exchange.response.json.value["id"] == "batch_abc123"


def test_a_refused_connection(unused: int) -> None:
    """Nothing listens at the port."""
    with wired(f"http://127.0.0.1:{unused}") as ask:
        exchange = ask()
    assert exchange.failure == Failure("refused", "the connection failed: Connection refused")
    assert exchange.connection == 0


@pytest.fixture
def unused() -> Iterator[int]:
    """A port where nothing listens, reserved for the duration of the test."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("body", [BATCH, b"", b"x" * 200_000])
@pytest.mark.parametrize(
    "style", ["length", "chunked", "closed", "1.0", "interim", "gzip", "members", "deflate", "raw"]
)
def test_legal_answers_of_every_form_are_read(style: str, body: bytes) -> None:
    """A conforming server must not fail for an unusual form."""
    head = b"HTTP/1.1 200 OK\r\n"
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(body),
        "members": gzip.compress(body[:50]) + gzip.compress(body[50:]),
        "deflate": zlib.compress(body),
        "raw": raw.compress(body) + raw.flush(),
    }
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    answers = {
        "length": head + length + body,
        "chunked": head
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"".join(
            b"%x;x=y\r\n%b\r\n" % (len(body[at : at + 999]), body[at : at + 999]) for at in range(0, len(body), 999)
        )
        + b"0\r\nX-Trailer: 1\r\n\r\n",
        "closed": head + b"\r\n" + body,
        "1.0": b"HTTP/1.0 200 \r\n\r\n" + body,
        "interim": (b"HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\n" + b"HTTP/1.1 100 Continue\r\n\r\n") * 2
        + head
        + length
        + body,
    }
    for name, content in packed.items():
        coding = b"gzip" if name in ("gzip", "members") else b"deflate"
        answers[name] = head + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            coding,
            len(content),
            content,
        )
    exchange, _ = one(lambda peer: peer.send(answers[style]), 20.0)
    assert (exchange.status, exchange.failure) == (200, None)
    assert exchange.response is not None
    assert exchange.response.body == body


def test_a_head_has_no_body() -> None:
    """Its Content-Length does not matter; the connection can be reused."""
    with serving_hostile(hostile.never) as server, wired(server.url) as ask:
        first, second = ask("valid", "HEAD"), ask("valid")
    assert (first.failure, second.failure, second.reused) == (None, None, True)


# Connections.


def test_lanes_keep_their_connection_and_no_lane_means_a_fresh_one() -> None:
    """A key must only count for its own request, on a reused connection too."""
    with serving_hostile(hostile.never) as server, wired(server.url) as ask:
        sent = [ask("a"), ask("b"), ask("a"), ask(), ask("a"), ask()]
        assert [(exchange.connection, exchange.reused) for exchange in sent] == [
            (1, False),
            (2, False),
            (1, True),
            (3, False),
            (1, True),
            (4, False),
        ]
        assert server.connections == 4


def test_a_connection_closed_while_idle_is_replaced() -> None:
    """The server need not announce it; this is never a failure (RFC 9112, 9.3.1)."""

    def farewell(peer: Peer) -> None:
        peer.answer(BATCH)

    with serving_hostile(always(farewell)) as server, wired(server.url) as ask:
        sent = [ask("a") for _ in range(20)]
        assert {(exchange.status, exchange.failure) for exchange in sent} == {(200, None)}
        assert server.connections == 20


def test_a_connection_that_breaks_under_a_request_is_tried_once_more() -> None:
    """A GET may be repeated; if a fresh connection breaks too, the server is at fault."""
    with serving_hostile(lambda number, _: hostile.reset if number == 2 else None) as server:
        with wired(server.url) as ask:
            assert [ask("a").failure for _ in range(3)] == [None, None, None]
        assert len(server.asked) == 4
    with serving_hostile(lambda number, _: hostile.reset if number in (2, 3) else None) as server:
        with wired(server.url) as ask:
            kinds = [exchange.failure and exchange.failure.kind for exchange in (ask("a"), ask("a"), ask("a"))]
        assert kinds == [None, "reset", None]


def test_surplus_bytes_are_not_taken_for_the_next_response() -> None:
    """Surplus bytes are a fault of that response and not the beginning of the next one."""
    with (
        serving_hostile(lambda number, _: hostile.surplus if number == 1 else None) as server,
        wired(server.url) as ask,
    ):
        first, second = ask("a"), ask("a")
    assert first.failure is not None
    assert "follow the end" in first.failure.message
    assert (second.failure, second.reused) == (None, False)


def test_an_answer_to_half_a_request_counts() -> None:
    """A server may refuse a long key without reading it to the end."""

    def refuse(peer: Peer) -> None:
        peer.answer(b"{}", status="431 Too Long")

    with serving_hostile(always(refuse)) as server, wired(server.url) as ask:
        assert ask().status == 431


# Memory.


def test_bodies_are_kept_once_and_long_ones_while_there_is_room() -> None:
    """A run records hundreds of them."""
    shelf = BodyCache()
    first, again = b"x" * 100_000, b"x" * 99_999 + b"x"
    assert shelf.keep(again, None)[0] is shelf.keep(first, None)[0]
    bodies = [shelf.keep(bytes([number]) * BODY_CAP, None) for number in range(40)]
    assert sum(len(body) for body, _ in bodies) <= BodyCache.ROOM + 40 * BodyCache.SHORT
    assert [failure.kind for _, failure in bodies if failure] == ["too-large"] * 25
    assert shelf.keep(b"short", None) == (b"short", None)
    broken = Failure("truncated", "cut off")
    assert shelf.keep(b"y" * BODY_CAP, broken) == (b"y" * BodyCache.SHORT, broken)


def test_unrequested_codings_are_not_decoded() -> None:
    """They are not JSON, and are reported as such."""
    assert decoded(b"\x0b\x02\x80{}", ["br"]) == (b"\x0b\x02\x80{}", None)
    assert decoded(gzip.compress(b"{}"), ["gzip, identity", ""]) == (b"{}", None)
    assert decoded(gzip.compress(zlib.compress(b"{}")), ["deflate", "gzip"]) == (b"{}", None)


# ru_maxrss outlives exec: it would begin with the size of pytest, and hide every flood.
_PEAK = """
import pathlib, re, sys
from tests.support import hostile
from tests.unit import test_wire as wire

def peak(): return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
hostile._bomb(), wire.one(hostile.garbage, 5)
before = peak()
for name in sys.argv[1:]:
    for _ in range(3):
        wire.one(getattr(hostile, name), 60)
    print(name, (peak() - before) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from Linux")
def test_floods_take_little_memory() -> None:
    """The unit is megabytes above an ordinary exchange; five copies of the longest body that is kept are the limit."""
    floods = ["endless_body", "three_gigabytes", "endless_fields", "endless_line", "interim_flood", "bomb"]
    ended = subprocess.run(
        [sys.executable, "-c", _PEAK, *floods],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    peaks = {name: int(grown) for name, grown in map(str.split, ended.stdout.splitlines())}
    assert list(peaks) == floods
    assert 0 < max(peaks.values()) < 5 * BODY_CAP >> 20, peaks
