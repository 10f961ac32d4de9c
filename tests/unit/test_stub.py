"""The stub sends every byte as scripted and records every byte that it receives."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import pytest

from batch_conformance.client_runner.stub import RefusedPort, StubResponse, StubServer, answers
from batch_conformance.client_runner.stub.choose import ByTurn, InOrder
from batch_conformance.client_runner.stub.records import exchange_of
from batch_conformance.client_runner.stub.wire import RawRequest, RequestReader, script_of
from batch_conformance.http import Intent

_INTENT = Intent("stub", "", "known", "valid")
_PLAIN = b"GET /v2/batch/x HTTP/1.1\r\nHost: h\r\n\r\n"


def test_retry_after_becomes_a_date_that_many_seconds_ahead() -> None:
    """Counted from the request; other values are unchanged."""
    staged = answers.error(503).with_header("Retry-After", "{90 s from now}")
    headers = dict(staged.placed({}).headers)
    ahead = parsedate_to_datetime(headers["Retry-After"]).timestamp() - time.time()
    assert 85 < ahead < 91
    assert headers["Retry-After"].endswith(" GMT")
    plain = answers.error(503).with_header("Retry-After", "90")
    assert dict(plain.placed({}).headers)["Retry-After"] == "90"


def test_raw_bytes_can_drip_without_end() -> None:
    """They are sent in pieces, then as long as the client reads."""
    script = script_of(answers.raw(b"HTTP/1.1", "hang").in_pieces(3, pause=0.1), RawRequest(_PLAIN, "GET"))
    assert script.writes == (b"HTT", b"P/1", b".1")
    assert script.endless
    assert not script_of(answers.raw(b"HTTP/1.1"), RawRequest(_PLAIN, "GET")).endless


@contextmanager
def _connected(server: StubServer, timeout: float = 5.0) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout) as connection:
        yield connection


def _everything(server: StubServer, sent: bytes = _PLAIN) -> bytes:
    """Return all bytes until the stub closes the connection."""
    with _connected(server) as connection:
        connection.sendall(sent)
        received = b""
        while data := connection.recv(65536):
            received += data
        return received


def _serving(*staged: StubResponse) -> StubServer:
    return StubServer(InOrder(staged))


def test_request_is_recorded_to_the_byte() -> None:
    """Method, target, the headers' case, order and number, and the body."""
    head = b"PUT /v2/batch/%2e%2E%20?a=%C3%A9 HTTP/1.0\r\nx-API-key:  k1 \r\nX: \xe4\r\nx: 2\r\n"
    sent = head + b"Content-Length: 3\r\n\r\nab\n"
    with _serving(answers.batch()) as server:
        _everything(server, sent)
        (seen,) = server.seen
    assert seen.request.data == sent
    assert (seen.request.method, seen.request.target, seen.request.version) == (
        "PUT",
        "/v2/batch/%2e%2E%20?a=%C3%A9",
        "HTTP/1.0",
    )
    assert seen.request.headers == (("x-API-key", "k1"), ("X", "\xe4"), ("x", "2"), ("Content-Length", "3"))
    assert seen.request.body == b"ab\n"
    exchange = exchange_of(seen, 1, _INTENT)
    assert exchange.request.url == f"{server.url}/v2/batch/%2e%2E%20?a=%C3%A9"
    assert exchange.response is not None
    assert exchange.response.status == 200


def test_answer_is_sent_to_the_byte() -> None:
    """Only framing headers are added to the script."""
    answer = answers.text(418, b"\xff\x00", "x/y").with_header("x-Odd", "a b").closing()
    with _serving(answer) as server:
        received = _everything(server)
    assert received == (
        b"HTTP/1.1 418 I'm a Teapot\r\nContent-Type: x/y\r\nx-Odd: a b\r\nConnection: close\r\n"
        b"Content-Length: 2\r\n\r\n\xff\x00"
    )


@pytest.mark.parametrize(
    ("answer", "tail"),
    [
        (answers.text(200, b"abcdef").chunked(4).closing(), b"\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n"),
        (answers.text(200, b"abcdef").cut_off(2), b"Content-Length: 6\r\n\r\nab"),
        (answers.text(200, b"abcdef").cut_off(), b"Content-Length: 6\r\n\r\nabc"),
        (answers.text(200, b"ab").announcing(9).closing(), b"Content-Length: 9\r\n\r\nab"),
        (answers.text(200, b"ab").chunked().cut_off(2), b"\r\n\r\n2\r\nab\r\n"),
        (answers.text(200, b"ab").until_close(), b"Content-Type: application/json\r\n\r\nab"),
        (answers.text(200, b"abcd").in_pieces(1, pause=0.01).closing(), b"\r\n\r\nabcd"),
        (answers.hang_up(), b""),
        (answers.raw(b"nonsense"), b"nonsense"),
    ],
    ids=[
        "chunks",
        "cut off",
        "half",
        "announced",
        "no last chunk",
        "until close",
        "pieces",
        "nothing",
        "raw",
    ],
)
def test_faults_of_framing(answer: StubResponse, tail: bytes) -> None:
    """The bytes before the connection closes."""
    with _serving(answer) as server:
        received = _everything(server)
    assert received.endswith(tail)
    assert bool(received) == bool(tail)


@pytest.mark.parametrize("after", [None, 3])
def test_reset_is_a_reset(after: int | None) -> None:
    """RST at once or within the body, instead of an orderly close."""
    with _serving(answers.batch().reset(after)) as server, pytest.raises(ConnectionResetError):
        _everything(server)


def test_silence_lasts_until_the_client_closes() -> None:
    """The connection stays open without any data."""
    with _serving(answers.silence()) as server, _connected(server, 0.2) as connection:
        connection.sendall(_PLAIN)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert server.seen[0].answer == answers.silence()


def test_drip_goes_on_behind_the_body() -> None:
    """Byte by byte, and no end after the last one."""
    with _serving(answers.text(200, b"ab").dripping(every=0.01)) as server, _connected(server) as connection:
        connection.sendall(_PLAIN)
        received = b""
        while not received.endswith(b"ab" + b" " * 5):
            received += connection.recv(1)
    assert b"Content-Length: 100000\r\n" in received


def test_stall_within_the_body() -> None:
    """A number of bytes, then nothing."""
    with _serving(answers.text(200, b"abcdef").stalled(2)) as server, _connected(server, 0.3) as connection:
        connection.sendall(_PLAIN)
        received = b""
        while not received.endswith(b"\r\n\r\nab"):
            received += connection.recv(64)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert received.endswith(b"\r\n\r\nab")


@pytest.mark.parametrize(
    ("accepts", "zipped"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("", False),
        ("*", False),
    ],
)
def test_gzip_only_if_accepted(accepts: str, zipped: bool) -> None:
    """Accept-Encoding decides, weights included."""
    request = RawRequest(b"", "GET", "/", "HTTP/1.1", (("Accept-Encoding", accepts),) if accepts else ())
    (sent,) = script_of(answers.batch().gzipped(), request).writes
    head, _, body = sent.partition(b"\r\n\r\n")
    assert (b"Content-Encoding: gzip" in head) is zipped
    assert json.loads(gzip.decompress(body) if zipped else body) == answers.example()


def test_head_gets_no_body_and_uses_up_no_response() -> None:
    """Content-Length is sent, the body is not, and the next GET gets the first response."""
    with _serving(answers.batch(), answers.error(404)) as server, httpx.Client(base_url=server.url) as client:
        assert client.head("/v2/batch/x").content == b""
        assert [client.get("/v2/batch/x").status_code for _ in range(3)] == [200, 404, 404]


def test_connections_stay_and_are_counted() -> None:
    """Requests on one connection have the same number."""
    with _serving(answers.batch(), answers.batch().closing(), answers.batch()) as server:
        with httpx.Client(base_url=server.url) as client:
            for _ in range(3):
                client.get("/")
        assert [(seen.connection, seen.reused) for seen in server.seen] == [(1, False), (1, True), (2, False)]


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1\r\nConnection: close"])
def test_connections_close_on_request(version: str) -> None:
    """HTTP/1.0 without keep-alive, and Connection: close."""
    with _serving(answers.batch()) as server:
        assert _everything(server, f"GET / {version}\r\n\r\n".encode()).endswith(b"}")


def test_no_port_is_used_twice() -> None:
    """A client that remembers something about an origin does not meet it again in another case."""
    seen = []
    for _ in range(400):
        refused = RefusedPort()
        refused.close()
        with StubServer(InOrder([answers.batch()])) as stub:
            seen += [stub.port, urlsplit(refused.url).port]
    assert len(set(seen)) == len(seen)


def test_tls_is_refused_at_once() -> None:
    """A client that follows a redirect to https must not wait in vain."""
    with _serving(answers.batch()) as server, httpx.Client(timeout=5) as client:
        began = time.monotonic()
        with pytest.raises(httpx.ConnectError):
            client.get(server.url.replace("http://", "https://"))
        assert time.monotonic() - began < 2
        assert "TLS" in server.seen[0].request.problem


def test_garbage_is_recorded_as_such() -> None:
    """The record says why it is not a request."""
    with _serving(answers.batch()) as server:
        assert _everything(server, b"GARBAGE\r\n\r\n") == b""
        assert "GARBAGE" in server.seen[0].request.problem


def test_bodies_in_chunks_are_read() -> None:
    """Requests may arrive in pieces, or two at once."""
    reader = RequestReader()
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"
    requests = [request for byte in chunked + _PLAIN for request in reader.feed(bytes([byte]))]
    assert [(request.method, request.body) for request in requests] == [("POST", b"abc"), ("GET", b"")]
    assert [request.method for request in RequestReader().feed(_PLAIN * 3)] == ["GET"] * 3


@pytest.mark.parametrize(
    ("framing", "body", "why"),
    [
        ("Transfer-Encoding: chunked", b"-6\r\nabcdef\r\n0\r\n\r\n", "chunk"),
        ("Transfer-Encoding: chunked", b"zz\r\nabcdef\r\n0\r\n\r\n", "chunk"),
        ("Transfer-Encoding: chunked", b"+6\r\nabcdef\r\n0\r\n\r\n", "chunk"),
        ("Transfer-Encoding: chunked", b"0x6\r\nabcdef\r\n0\r\n\r\n", "chunk"),
        ("Transfer-Encoding: chunked", b"\r\nabcdef\r\n0\r\n\r\n", "chunk"),
        ("Transfer-Encoding: chunked", b"6\r\nabcdefgh\r\n0\r\n\r\n", ""),
        ("Transfer-Encoding: gzip, chunked", b"", "Transfer-Encoding"),
        ("Content-Length: -6", b"abcdef", "Content-Length"),
        ("Content-Length: six", b"abcdef", "Content-Length"),
        ("Content-Length: 6\r\nContent-Length: 7", b"abcdefg", "Content-Length"),
        ("Content-Length: \xb2", b"ab", "Content-Length"),
        ("Content-Length: 99999999999999999999999", b"ab", "Content-Length"),
    ],
)
def test_a_malformed_body_loses_neither_the_request_nor_other_stubs(framing: str, body: bytes, why: str) -> None:
    """It is recorded to the byte, with the error, and all stubs go on."""
    data = f"GET /v2/batch/b HTTP/1.1\r\nHost: x\r\nx-api-key: k\r\n{framing}\r\n\r\n".encode("latin-1") + body
    with _serving(answers.batch()) as server, _serving(answers.batch()) as other:
        assert _everything(server, data) == b""
        (seen,) = server.seen
        assert seen.request.problem.startswith("its body is malformed: ")
        assert why.lower() in seen.request.problem.lower()
        assert seen.request.data == data
        assert (seen.request.method, seen.request.target, seen.request.values("x-api-key")) == (
            "GET", "/v2/batch/b", ["k"],
        )  # fmt: skip
        assert httpx.get(f"{other.url}/v2/batch/b", trust_env=False).status_code == 200


def test_a_body_without_end_is_cut_off() -> None:
    """An endless upload uses a bounded amount of memory."""
    reader = RequestReader()
    head = b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    requests = list(reader.feed(head))
    for _ in range(100):
        requests += reader.feed(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        if requests:
            break
    (request,) = requests
    assert "longer than" in request.problem


def test_calls_have_their_own_answers() -> None:
    """A call may make any number of requests; the next one starts with its own first response."""
    choose = ByTurn([[answers.batch()], [answers.error(404), answers.error(500)]])
    request = RawRequest(b"", "GET", "/")
    assert [choose(request).status for _ in range(2)] == [200, 200]
    choose.begin(1, {})
    assert [choose(request).status for _ in range(3)] == [404, 500, 500]


def test_redirects_name_the_real_origins() -> None:
    """Placeholders in Location are replaced, everything else is unchanged."""
    answer = answers.redirect(302, "{other}/x?own={own}").with_header("X", "{own}")
    placed = answer.placed({"own": "http://a", "other": "http://b"})
    assert placed.headers == (("Location", "http://b/x?own=http://a"), ("X", "{own}"))


def test_reached_by_name_too() -> None:
    """The names localhost and 127.0.0.1 share the port; the record tells them apart."""
    with StubServer(InOrder([answers.batch()]), by_name=True) as server, httpx.Client() as client:
        client.get(server.url.replace("127.0.0.1", "localhost") + "/a")
        client.get(server.url + "/b")
        assert [seen.url for seen in server.seen] == [
            f"http://localhost:{server.port}/a",
            f"http://127.0.0.1:{server.port}/b",
        ]


def test_refused_port_refuses() -> None:
    """The port is bound but not listening."""
    port = RefusedPort()
    try:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", urlsplit(port.url).port or 0), 2)
    finally:
        port.close()


def test_closing_ends_all_connections() -> None:
    """A client that waits for a response sees the end of the connection."""
    requested = threading.Event()

    def choose(_: RawRequest) -> StubResponse:
        requested.set()
        return answers.silence()

    server = StubServer(choose)
    with _connected(server) as connection:
        connection.sendall(_PLAIN)
        assert requested.wait(20)
        assert len(server.seen) == 1
        server.close()
        assert connection.recv(1) == b""


def test_many_stubs_at_once() -> None:
    """Two hundred, each on its own port, in well under a second each."""
    servers = [_serving(answers.batch(id=f"batch_{number}")) for number in range(200)]
    try:
        with httpx.Client() as client:
            assert [client.get(server.url).json()["id"] for server in servers[::20]] == [
                f"batch_{number}" for number in range(0, 200, 20)
            ]
        assert len({server.port for server in servers}) == 200
    finally:
        for server in servers:
            server.close()


def test_excess_requests_are_counted_but_not_recorded() -> None:
    """Memory is bounded, the count is exact."""
    with _serving(answers.batch()) as server:
        _everything(server, _PLAIN * 1000 + b"GET / HTTP/1.0\r\n\r\n")
        assert server.log.count() == 1001
        assert len(server.seen) == 300


def test_time_is_taken_before_a_response_is_sent() -> None:
    """The time until the client's next request is never measured too short."""
    with _serving(answers.error(500).delayed(0.05)) as server, httpx.Client() as client:
        began = time.monotonic()
        client.get(server.url)
        ended = time.monotonic()
        (seen,) = server.seen
    assert seen.answered is not None
    assert began <= seen.arrived <= seen.answered - 0.04
    assert seen.answered <= ended


def test_a_client_that_resets_does_no_harm() -> None:
    """The client resets the connection in the middle of a drip, or of its request."""
    with _serving(answers.batch().in_pieces(1, pause=0.001), answers.batch()) as server:
        for sent in (_PLAIN, _PLAIN[:9]):
            connection = socket.create_connection(("127.0.0.1", server.port), 5)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(sent)
            connection.close()
        assert httpx.get(server.url).status_code == 200
