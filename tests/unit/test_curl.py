"""Curl lines, run by real shells against a recording server: they repeat the request and contain no key."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_conformance.contract import current_contract
from batch_conformance.generate.ids import hostile_ids, known_id, near_ids, segment_of
from batch_conformance.generate.keys import EMPTY, MISSING, hostile_keys, near_keys, other_places, valid_key
from batch_conformance.http import Redactor, Request, curl_line
from batch_conformance.operations.get_batch.key_probes import auth_per_request, wrong_place
from batch_conformance.operations.get_batch.server_probes import unusual_requests
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import ProbeContext, planned
from batch_conformance.server_runner.profile import PROFILES

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="no curl")

SHELLS = [shell for shell in ("sh", "bash", "dash", "busybox") if shutil.which(shell)]
VARIABLE = "BATCH_TEST_KEY"
KEYS = ["sk-Plain0123456789", "sk_live/7Qv+9x=Zk3&LmN0pR", "q\"u'o\\t`e$(x) #%^[a],~|;<b>{c}!*?"]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Recorder:
    """Responds to every connection once, with 204, and keeps the received bytes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.host}"

    def hear(self, act: Callable[[], object]) -> bytes:
        """Return the request that ``act`` sent, as bytes."""
        heard: Future[bytes] = Future()
        thread = threading.Thread(target=self._answer, args=[heard])
        thread.start()
        act()
        thread.join()
        return heard.result(0)

    def _answer(self, heard: Future[bytes]) -> None:
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(20)
                received = b""
                while (whole := _whole(received)) is None:
                    received += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                heard.set_result(whole)
        except OSError as error:
            heard.set_exception(error)

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


def _whole(received: bytes) -> bytes | None:
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return None
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    return received if len(body) >= length else None


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    """A recording server."""
    recorder = Recorder()
    yield recorder
    recorder.close()


#: Headers in which curl and the suite legitimately differ.
_OWN = ("host", "accept", "accept-encoding", "user-agent", "connection")


def comparable(raw: bytes, own: Sequence[str] = _OWN) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """Return request line, headers and body of a request, without headers in which clients differ."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *rows = head.split(b"\r\n")
    pairs = [(name, value.strip(b" ")) for name, _, value in (row.partition(b":") for row in rows)]
    return line, [pair for pair in pairs if pair[0].lower().decode() not in own], body


def as_recorded(request: Request) -> bytes:
    """Return the bytes of a request."""
    target = "/" + request.url.partition("://")[2].partition("/")[2]
    rows = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers)]
    return "\r\n".join([*rows, "", ""]).encode("utf-8", "surrogateescape") + request.body


def run(shell: str, line: str, key: str) -> bytes:
    """Run a line and return its output."""
    environment = {"PATH": os.environ["PATH"], VARIABLE: key, "HOME": "/nonexistent"}
    command = [shell, "sh", "-c", line] if shell == "busybox" else [shell, "-c", line]
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, b""), line
    return ended.stdout


def secrets_of(key: str) -> dict[str, str]:
    """Return the secrets with their shell expressions, as a run registers them."""
    rows = [valid_key(key, VARIABLE), *near_keys(key, VARIABLE, 0)]
    return {row.value: row.shell for row in rows if row.value and row.shell}


def hides(line: str, key: str) -> bool:
    """Whether a line contains neither the key nor anything that the redactor would replace, and so can be run."""
    return key not in line and Redactor({key: "[api-key]"}).text(line) == line


def repeats(recorder: Recorder, request: Request, key: str, shells: Sequence[str] = SHELLS) -> None:
    """Assert that the line sends the same request in each of the shells, and does not contain the key."""
    line = curl_line(request, secrets_of(key))
    assert "\n" not in line
    assert line.isascii()
    assert line.isprintable()
    assert hides(line, key)
    for shell in shells:
        heard = recorder.hear(lambda shell=shell: run(shell, line, key))  # type: ignore[misc]
        assert comparable(heard) == comparable(as_recorded(request)), line


def world(key: str) -> ProbeContext:
    """Return a context with two known batches."""
    return ProbeContext(valid_key(key, VARIABLE), VARIABLE, ["batch_abc123", "batch_ü/1"], PROFILES["thorough"], 0)


def request_of(send: PlannedRequest, recorder: Recorder) -> Request:
    """Return the request that a probe would send."""
    return send.request(recorder.url, recorder.host)


@pytest.mark.parametrize("key", KEYS)
def test_near_keys_come_from_the_variable(recorder: Recorder, key: str) -> None:
    """Each variant is derived from the key by the shell."""
    place = world(key)
    for near in [valid_key(key, VARIABLE), *near_keys(key, VARIABLE, 0)]:
        send = place.anonymous("near-keys", known_id("batch_abc123"), near)
        repeats(recorder, request_of(send, recorder), key, SHELLS[:1])
    # Shells differ in how they split words, not in the variants: the others run all of them in one line.
    both = Request(
        "GET",
        f"{recorder.url}/v2/batch/x",
        tuple((f"x-{i}", near.value or "") for i, near in enumerate(near_keys(key, VARIABLE, 0))),
    )
    repeats(recorder, both, key)


def test_hostile_keys_are_sent_byte_by_byte(recorder: Recorder) -> None:
    """Keys beyond ASCII, not UTF-8, quoted, with tabs, empty, missing."""
    place = world(KEYS[0])
    for key in [*hostile_keys(KEYS[0], VARIABLE), EMPTY, MISSING]:
        send = place.anonymous("hostile-keys", known_id("batch_abc123"), key)
        repeats(recorder, request_of(send, recorder), KEYS[0], SHELLS[:2])


@pytest.mark.parametrize("key", KEYS)
def test_misplaced_keys_come_from_the_variable_in_any_encoding(recorder: Recorder, key: str) -> None:
    """Percent-encoded in a query, in base64 in Authorization."""
    for send in planned(wrong_place, world(key)):
        request = request_of(send, recorder)
        if not hides(as_recorded(request).decode(), key):
            repeats(recorder, request, key)
    assert _base64(f"{key}:") in str(other_places(key, current_contract().operation("get")))


def test_hostile_ids_are_sent_unchanged(recorder: Recorder) -> None:
    """No tool normalizes them on the way."""
    place = world(KEYS[0])
    for known in [*hostile_ids("batch_abc123"), *near_ids("batch_{[1-3]}", []), known_id("é/ü?#%[{*")]:
        send = PlannedRequest("hostile-ids", known, place.key)
        repeats(recorder, request_of(send, recorder), KEYS[0], SHELLS[:1])


@pytest.mark.parametrize("shell", SHELLS)
def test_dots_brackets_and_odd_bytes_in_the_target_survive(recorder: Recorder, shell: str) -> None:
    """Characters that curl would resolve, expand or refuse."""
    for segment in [
        "..",
        "%2e%2e/x",
        "[1-3]",
        "{a,b}",
        "a'b",
        "$HOME",
        "`id`",
        "a;b&c",
        "!",
        "\\",
        '"',
        "~",
    ]:
        request = Request("GET", f"{recorder.url}/v2/batch/{segment}", (("Host", recorder.host),))
        repeats(recorder, request, KEYS[0], [shell])


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"])
def test_methods(recorder: Recorder, method: str) -> None:
    """Including those without a body: a POST has a Content-Length of 0."""
    place = world(KEYS[0])
    send = PlannedRequest("methods", known_id("batch_abc123"), place.key, method=method)
    repeats(recorder, request_of(send, recorder), KEYS[0])


def test_odd_reads(recorder: Recorder) -> None:
    """The line has the unusual headers of a request: Accept, or a missing User-Agent."""
    place = world(KEYS[0])
    for send in [*planned(unusual_requests, place), *planned(auth_per_request, place)]:
        request = request_of(send, recorder)
        line = curl_line(request, secrets_of(KEYS[0]))
        line_, headers, _ = comparable(recorder.hear(lambda line=line: run("sh", line, KEYS[0])), ())  # type: ignore[misc]
        names = {name.lower() for name, _ in headers}
        expected = {name.lower().encode(): value.encode() for name, value in request.headers}
        assert (b"user-agent" in names) == (b"user-agent" in expected)
        if expected[b"accept"] != b"application/json":
            assert (b"Accept", expected[b"accept"]) in headers
        assert line_ == comparable(as_recorded(request))[0]


_BODIES = [
    b"{}",
    b"@/etc/passwd",
    b'it\'s "quoted" $HOME `id` \\n 100%',
    b"a=b&c=%20+",
    b"line\nbreak\r\n",
    b"\n\n",
    b"\x00\x01\xff\xfe%s%n\\x41",
    "é🎬".encode(),
    b"-e",
    b"%",
    bytes(range(256)),
    b'{"apiKey":"' + KEYS[1].encode() + b'"}\n',
    KEYS[1].encode(),
]


@pytest.mark.parametrize("body", _BODIES, ids=lambda body: ascii(body)[2:22])
def test_bodies_are_sent_byte_by_byte(recorder: Recorder, body: bytes) -> None:
    """NUL, trailing line feeds, at signs, and a key within."""
    headers = (("Host", recorder.host), ("Content-Length", str(len(body))))
    for typed in ((), (("Content-Type", "application/json"),)):
        for method in ("POST", "GET"):
            request = Request(method, f"{recorder.url}/v2/batch", (*headers, *typed), body)
            line = curl_line(request, secrets_of(KEYS[1]))
            assert hides(line, KEYS[1])
            for shell in SHELLS[:2]:
                heard = recorder.hear(lambda line=line, shell=shell: run(shell, line, KEYS[1]))  # type: ignore[misc]
                first, rows, sent = comparable(heard)
                assert (first, sent) == (f"{method} /v2/batch HTTP/1.1".encode(), body)
                assert sorted(rows) == sorted(comparable(as_recorded(request))[1])


#: curl drops a header value of only white space, which in C includes vertical tab and form feed.
_BYTES = st.binary(min_size=1, max_size=12).filter(
    lambda raw: not set(raw) & {0, 10, 13} and raw.strip(b" \t") == raw and raw.strip()
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=_BYTES, segment=st.text(min_size=1, max_size=8), body=st.binary(max_size=20))
def test_any_header_target_and_body(recorder: Recorder, value: bytes, segment: str, body: bytes) -> None:
    """All characters that need quoting."""
    headers = [("Host", recorder.host), ("x-any", value.decode("utf-8", "surrogateescape"))]
    if body:
        headers += [("Content-Length", str(len(body))), ("Content-Type", "application/octet-stream")]
    encoded = segment_of(segment.encode("utf-8", "replace").decode())
    request = Request("POST" if body else "GET", f"{recorder.url}/{encoded}", tuple(headers), body)
    line = curl_line(request, {})
    first, rows, sent = comparable(recorder.hear(lambda: run("sh", line, KEYS[0])))
    assert unquote_to_bytes(first.split(b" ")[1][1:]) == unquote_to_bytes(encoded)
    assert sent == body
    assert (b"x-any", value) in rows


def test_the_response_is_printed(recorder: Recorder, tmp_path: Path) -> None:
    """Status line and headers are printed, whatever the working directory."""
    request = Request("GET", f"{recorder.url}/v2/batch/x", (("Host", recorder.host),))
    output: list[bytes] = []
    recorder.hear(lambda: output.append(run("sh", f"cd '{tmp_path}' && {curl_line(request, {})}", "")))
    assert output[0].startswith(b"HTTP/1.1 204 No Content\r\n")


def test_a_line_with_another_request_is_noticed(recorder: Recorder) -> None:
    """The comparison above can fail: another header, another target, the key in the line."""
    request = request_of(world(KEYS[0]).read("reads", "batch_abc123"), recorder)
    other = replace(request, url=request.url + "x")
    heard = recorder.hear(lambda: run("sh", curl_line(other, secrets_of(KEYS[0])), KEYS[0]))
    assert comparable(heard) != comparable(as_recorded(request))
    assert not hides(curl_line(request, {}), KEYS[0])
    assert not hides(curl_line(replace(request, headers=(("a", _base64(KEYS[0])),)), {}), KEYS[0])
