"""Environments of the suite: plugins that block connections, Python's flags, environment variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.running import CLIENT, SERVER, run

_FEW = ("--batch-profile", "quick")

#: Stand-ins for plugins by module name, with the part that interferes.
_SOCKET = """
import socket
import pytest

class SocketBlockedError(RuntimeError): pass

def pytest_runtest_setup():
    class Guarded(socket.socket):
        def __new__(cls, *args, **kwargs):
            raise SocketBlockedError("A test tried to use socket.socket.")
    socket.socket = Guarded
"""
_RECORDING = """
import socket

def guard(self, *args):
    raise RuntimeError("Network is disabled")

def pytest_runtest_setup():
    socket.socket.connect = guard
"""
_FORKED = """
def pytest_addoption(parser):
    parser.addoption("--forked", action="store_true")
"""
_WARNING = """
import warnings

def pytest_configure():
    warnings.warn(DeprecationWarning("the default of an option will change"))
"""


@pytest.mark.parametrize("suite", [SERVER, CLIENT], ids=["server", "client"])
@pytest.mark.parametrize(
    ("module", "source", "arguments", "words"),
    [
        ("pytest_socket", _SOCKET, (), ("pytest-socket blocks", "--disable-socket")),
        ("pytest_recording", _RECORDING, (), ("pytest-recording blocks", "--block-network")),
        ("forking", _FORKED, ("--forked",), ("pytest-forked", "remove --forked")),
    ],
)
def test_plugins_that_interfere_are_named(
    tmp_path: Path, suite: str, module: str, source: str, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """Status 3, with the plugin and its flag in one line."""
    (tmp_path / f"{module}.py").write_text(source)
    ended = run(tmp_path, suite, "-p", module, *arguments, *_FEW, PYTHONPATH=str(tmp_path))
    assert ended.status == 3, ended.text
    assert any(all(word in line for word in words) for line in ended.text.splitlines()), ended.text
    assert "bug of the suite" not in ended.text
    assert "Traceback" not in ended.text


@pytest.mark.parametrize("suite", [SERVER, CLIENT], ids=["server", "client"])
def test_python_without_assertions(tmp_path: Path, suite: str) -> None:
    """One line, before anything runs."""
    ended = run(tmp_path, suite, *_FEW, PYTHONOPTIMIZE="1")
    assert ended.status == 3, ended.text
    assert "Python runs without assertions (PYTHONOPTIMIZE or -O)" in ended.text
    assert "Traceback" not in ended.text


def test_plugins_beside_the_suite_may_warn(tmp_path: Path) -> None:
    """Strict warnings are for this suite's own tests, not for other plugins (pytest-asyncio warns at its start)."""
    (tmp_path / "warning.py").write_text(_WARNING)
    ended = run(tmp_path, SERVER, "-p", "warning", "-k", "server.ok", *_FEW, PYTHONPATH=str(tmp_path))
    assert ended.status == 0, ended.text


@pytest.mark.parametrize(
    "variables",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"SSL_CERT_FILE": "no/such/file"},
    ],
    ids=lambda variables: next(iter(variables)),
)
@pytest.mark.parametrize("suite", [SERVER, CLIENT], ids=["server", "client"])
def test_the_embedded_subjects_ignore_the_environment(tmp_path: Path, suite: str, variables: dict[str, str]) -> None:
    """Proxies and certificates in the environment are ignored."""
    ended = run(tmp_path, suite, *_FEW, **variables)
    assert ended.status == 0, ended.text


def test_the_tests_are_skipped_where_their_extra_is_missing(tmp_path: Path) -> None:
    """The README's first command installs less than the tests need: no traceback, but one line that says so."""
    (tmp_path / "hiding.py").write_text(
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'trustme' else find(name, *rest)\n"
    )
    proof = str(Path(__file__).parent)
    ended = run(tmp_path, proof, "--collect-only", "-q", "-p", "hiding", PYTHONPATH=str(tmp_path))
    assert ended.status == 5, ended.text
    assert "tests/ was left out: trustme not installed" in ended.text
    assert "Traceback" not in ended.text
