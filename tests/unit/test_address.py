"""Connecting to a target: host names, IPv6, timeouts and TLS; nothing is sent to the wrong place."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from batch_conformance.http import Failure
from batch_conformance.reference.embedded import serving_embedded
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.server_runner.session import judge_server
from batch_conformance.server_runner.target import Target
from tests.support import hostile
from tests.support.hostile import serving_hostile
from tests.unit.test_wire import SLACK, TIMEOUT, wired


def test_every_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """``localhost`` often resolves to ::1 first, where nothing listens; next time the working address is first."""
    with serving_hostile(hostile.never) as server:
        port = int(server.url.rpartition(":")[2])
        tried = _resolving(monkeypatch, [("::1", port), ("127.0.0.1", port)])
        with wired(f"http://localhost:{port}") as ask:
            assert [ask().status, ask().status] == [200, 200]
    assert tried == ["localhost"]


def test_an_address_that_never_answers_leaves_time_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each address gets a share of the timeout."""
    with serving_hostile(hostile.never) as server, _unresponsive() as black_hole:
        port = int(server.url.rpartition(":")[2])
        _resolving(monkeypatch, [black_hole, ("127.0.0.1", port)])
        with wired("http://two.example", 3.0) as ask:
            assert ask().status == 200
        _resolving(monkeypatch, [black_hole, black_hole])
        with wired("http://none.example", TIMEOUT) as ask:
            began = time.monotonic()
            assert ask().failure == Failure("timeout", "no connection within 0.5 s")
            assert time.monotonic() - began < TIMEOUT + SLACK


def _resolving(monkeypatch: pytest.MonkeyPatch, places: list[tuple[str, int]]) -> list[str]:
    """Make every name resolve to these addresses; return the names that were looked up."""
    names: list[str] = []

    def look_up(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        names.append(host)
        families = [socket.AF_INET6 if ":" in place[0] else socket.AF_INET for place in places]
        return [(family, socket.SOCK_STREAM, 6, "", place) for family, place in zip(families, places, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@contextmanager
def _unresponsive() -> Iterator[tuple[str, int]]:
    """An address whose backlog is full, so that connecting to it hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place: tuple[str, int] = listener.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        try:
            for queued in waiting:
                queued.setblocking(False)
                queued.connect_ex(place)
            yield place
        finally:
            for queued in waiting:
                queued.close()


def test_a_name_look_up_that_hangs_ends_with_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver has no timeout of its own."""
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait() and [])
    try:
        with wired("http://slow.example", TIMEOUT) as ask:
            assert ask().failure == Failure("timeout", "no connection within 0.5 s")
    finally:
        release.set()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70 + ".invalid"])
def test_an_unknown_host_is_reported(host: str) -> None:
    """An unknown host, and one that cannot be a host name."""
    with wired(f"http://{host}") as ask:
        failure = ask().failure
    assert failure is not None
    assert failure.kind == "refused"
    assert failure.message.startswith(f"the host {host!r} is not known: ")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_an_ipv6_address_is_reached() -> None:
    """The address is in brackets."""
    try:
        with serving_hostile(hostile.never, host="::1") as server, wired(server.url) as ask:
            assert ask().status == 200
            assert server.asked[0].header(b"host") == [server.url.removeprefix("http://").encode()]
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


# TLS.


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that this machine trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


def presenting(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a server's context with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """Return the context of a server with a self-signed certificate."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "own.pem"))
    made.private_key_pem.write_to_path(str(tmp_path / "own.key"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "own.key")
    return context


def test_a_valid_certificate(authority: trustme.CA) -> None:
    """The run works as over plain HTTP, on reused connections too."""
    context = presenting(authority.issue_cert("127.0.0.1"))
    with serving_hostile(hostile.never, tls=context) as server, wired(server.url) as ask:
        sent = [ask("a"), ask("a"), ask()]
    assert [(exchange.status, exchange.failure, exchange.reused) for exchange in sent] == [
        (200, None, False),
        (200, None, True),
        (200, None, False),
    ]


_BAD = {
    "another authority": "unable to get local issuer certificate",
    "self-signed": "self-signed certificate",
    "wrong host": "IP address mismatch",
    "expired": "certificate has expired",
}


def bad(case: str, authority: trustme.CA, tmp_path: Path) -> ssl.SSLContext:
    """Return the context of a server that should not be trusted."""
    if case == "another authority":
        return presenting(trustme.CA().issue_cert("127.0.0.1"))
    if case == "self-signed":
        return self_signed(tmp_path)
    if case == "wrong host":
        return presenting(authority.issue_cert("other.example"))
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    return presenting(authority.issue_cert("127.0.0.1", not_after=long_ago))


@pytest.mark.parametrize(("case", "word"), _BAD.items(), ids=list(_BAD))
def test_a_bad_certificate_ends_the_run_before_the_key_is_sent(
    case: str, word: str, authority: trustme.CA, tmp_path: Path
) -> None:
    """One line says what is wrong with the certificate."""
    context = bad(case, authority, tmp_path)
    with serving_hostile(hostile.never, tls=context) as server:
        target = Target("tls", server.url, REFERENCE_KEY, batch_ids=("batch_abc123",))
        run = judge_server(target, profile="quick")
        assert server.asked == []
    assert run.verdict == "error"
    assert run.error.startswith(f"{server.url} cannot be reached: its TLS certificate is not valid: ")
    assert word in run.error
    assert len(run.error.splitlines()) == 1


def test_plain_http_instead_of_tls_and_the_reverse(authority: trustme.CA) -> None:
    """Each ends at once, with a line that says so."""
    with serving_hostile(hostile.never) as plain, wired(plain.url.replace("http:", "https:")) as ask:
        failure = ask().failure
        assert plain.asked == []
    assert failure is not None
    assert failure.kind == "tls"
    assert failure.message.startswith("the TLS handshake ")
    context = presenting(authority.issue_cert("127.0.0.1"))
    with (
        serving_hostile(hostile.never, tls=context) as secured,
        wired(secured.url.replace("https:", "http:")) as ask,
    ):
        failure = ask().failure
    assert failure is not None
    assert failure.kind in ("not-http", "reset")


def test_the_scheme_that_may_be_meant_is_named(authority: trustme.CA) -> None:
    """In the one line of a run that reached nothing."""

    def error_of(url: str) -> str:
        return judge_server(Target("other scheme", url, REFERENCE_KEY, batch_ids=("b",)), timeout=2).error

    with serving_embedded(ReferenceServer()) as plain:
        assert "WRONG_VERSION_NUMBER (is it plain HTTP? then http://…)" in error_of(plain.replace("http:", "https:"))
    context = presenting(authority.issue_cert("127.0.0.1"))
    with serving_hostile(hostile.never, tls=context) as secured:
        assert error_of(secured.url.replace("https:", "http:")).endswith("(is it TLS? then https://…)")


def test_a_handshake_that_hangs_ends_with_the_timeout() -> None:
    """The listener accepts connections and sends nothing."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        wired(f"https://127.0.0.1:{silent.getsockname()[1]}", TIMEOUT) as ask,
    ):
        began = time.monotonic()
        assert ask().failure == Failure("timeout", "no TLS handshake within 0.5 s")
        assert time.monotonic() - began < TIMEOUT + SLACK
