"""Fixtures, options and markers of the client repository; some have the same names as the suite's."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option that begins like the suite's."""
    parser.addoption("--batch-size", type=int, default=20, help="records in a batch of the tests")
    parser.addini("batch_size", "the same", default="20")


@pytest.fixture
def batch_stub() -> str:
    """Clashes with a fixture name of the suite."""
    return "the client's own"


@pytest.fixture
def assert_conforms() -> str:
    """Clashes with a fixture name of the suite."""
    return "the client's own"


@pytest.fixture(params=["one", "two"])
def clause(request: pytest.FixtureRequest) -> object:
    """Clashes with an argument name of the suite's tests."""
    return request.param


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNC_API_KEY", raising=False)
