"""Fixtures, options and markers of the client repo: some are called like the suite's."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """An option that begins like the suite's."""
    parser.addoption("--batch-size", type=int, default=20, help="records in a batch of the tests")
    parser.addini("batch_size", "the same", default="20")


@pytest.fixture
def batch_stub() -> str:
    """Called like a fixture of the suite, and another thing."""
    return "the client's own"


@pytest.fixture
def assert_conforms() -> str:
    """Called like a fixture of the suite, and another thing."""
    return "the client's own"


@pytest.fixture(params=["one", "two"])
def clause(request: pytest.FixtureRequest) -> object:
    """Called like an argument of the suite's tests."""
    return request.param


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNC_API_KEY", raising=False)
