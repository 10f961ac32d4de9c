"""Defective clients leave sockets, coroutines and threads behind: that is theirs, and not a fault of a later test."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest

from batch_conformance.contract import current_contract
from batch_conformance.generate.satisfiable import NoValidValue, require_values


def pytest_sessionstart() -> None:
    """Refuse an overlay that leaves no valid answer: neither subject nor mutant could be made."""
    try:
        require_values(current_contract())
    except NoValidValue as error:
        raise pytest.UsageError(str(error)) from None


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
