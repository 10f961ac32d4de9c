"""Redirects from https to http on the same host and to another https origin, over real TLS and under respx."""

from __future__ import annotations

import shlex
import ssl
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.driver import DriverPool
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.respx_bridge import RespxBridge
from batch_conformance.client_runner.session import judge_client
from batch_conformance.client_runner.stub import answers
from batch_conformance.client_runner.stub import tls as tls_module
from batch_conformance.client_runner.stub.server import StubServer
from batch_conformance.client_runner.stub.tls import Authority, TlsFront, authority
from batch_conformance.mutants.client.base import Following, adapter_of

CLAUSE = "client.auth.redirect"
#: A driver of a client that follows redirects, and treats URLs that pass ``{test}`` as its own origin.
_DRIVER = """
import httpx
from batch_conformance.reference import client, client_driver
from batch_conformance.mutants.client.base import Following, adapter_of

class Downgraded(Following):
    def may_have_key(self, url):
        base, there = httpx.URL(self.base_url), httpx.URL(url)
        return super().may_have_key(url) or {test}

# The embedded client takes nothing from the environment; most clients do.
client._tls = httpx.create_ssl_context
client_driver.serve(adapter_of(Downgraded, "made here"))
"""


class _Downgraded(Following):
    """Only compares the host when a redirect leads from https to http."""

    def may_have_key(self, url: str) -> bool:
        base, there = httpx.URL(self.base_url), httpx.URL(url)
        down = (base.scheme, there.scheme) == ("https", "http") and base.host == there.host
        return down or super().may_have_key(url)


def _result(run: RunResult) -> Any:
    return next(result for result in run.results if result.clause.id == CLAUSE)


def test_the_tls_front_serves_clients_that_trust_it() -> None:
    """The stub behind it receives the request; a client that does not trust the authority fails in the handshake."""
    known = authority()
    assert known
    with StubServer(lambda _: answers.batch()) as stub, TlsFront(stub.port, known.context) as front:
        trusting = ssl.create_default_context(cafile=known.bundle)
        with httpx.Client(verify=trusting, trust_env=False) as client:
            assert client.get(f"{front.url}/v2/batch/1").json()["status"] == "COMPLETED"
        with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError):
            client.get(f"{front.url}/v2/batch/1")
        assert len(stub.seen) == 1


def test_the_authority_leaves_no_secrets() -> None:
    """Its file has a certificate and no key, and is deleted with the process."""
    made = Authority()
    text = Path(made.bundle).read_text("ascii")
    assert "CERTIFICATE" in text
    assert "PRIVATE" not in text
    made._forget()
    assert not Path(made.bundle).exists()


@pytest.mark.parametrize(("client", "fine"), [(_Downgraded, False), (Following, True)])
def test_a_downgrade_is_caught_without_a_socket(client: type[Following], fine: bool) -> None:
    """Same host, no port: only the scheme differs."""
    played = InProcessClient(adapter_of(client, "made here"), spec="made here", size=5, bridge=RespxBridge())
    try:
        result = _result(judge_client(played, selected={CLAUSE}))
    finally:
        played.close()
    assert (result.verdict == "pass") is fine
    assert "no redirect from https was seen" not in result.limits


@pytest.mark.parametrize(
    ("test", "caught"),
    [
        ('(base.scheme, there.scheme) == ("https", "http")', "302 from https to http on the same host"),
        ('base.scheme == there.scheme == "https"', "302 from https to another https origin"),
        ("False", ""),
    ],
)
def test_a_redirect_from_https_is_caught_over_tls(tmp_path: Path, test: str, caught: str) -> None:
    """A process trusts the authority by its environment."""
    script = tmp_path / "driver.py"
    script.write_text(_DRIVER.replace("{test}", test), "utf-8")
    pool = DriverPool(f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}", size=4)
    try:
        result = _result(judge_client(pool, selected={CLAUSE}))
    finally:
        pool.close()
    assert {finding.message.rpartition(": ")[2] for finding in result.findings} == {caught} - {""}
    assert "no redirect from https was seen" not in result.limits


def test_a_client_that_cannot_be_made_to_trust_is_judged_without() -> None:
    """In this process and over a socket, https cases are not run, and the pass says so."""
    played = InProcessClient(adapter_of(Following, "made here"), spec="made here", size=5)
    try:
        result = _result(judge_client(played, selected={CLAUSE}))
    finally:
        played.close()
    assert result.verdict == "pass"
    assert "no redirect from https was seen" in result.limits
    assert not [limit for limit in result.limits if "client.request.target" in limit]


def test_without_trustme_there_is_no_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is optional."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    assert tls_module.authority.__wrapped__() is None
