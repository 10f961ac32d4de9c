"""Defective clients leave sockets, coroutines and threads behind: that is theirs, and not a fault of a later test."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What cannot be raised anywhere is no error here; elsewhere it is (tests/conftest.py)."""
    for item in items:
        if item.path.parent.name == "mutants":
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(autouse=True, scope="module")
def _leftovers_stay_here() -> Iterator[None]:
    """Collect them before the tests of another module run."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
