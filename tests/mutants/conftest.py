"""Hooks and fixtures for faulty clients, which leave sockets, coroutines and threads behind."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest

from batch_conformance.contract import current_contract
from batch_conformance.generate.satisfiable import NoValidValue, require_values


def pytest_sessionstart() -> None:
    """Refuse an overlay without a valid response: no subject and no mutant could be made for it."""
    try:
        require_values(current_contract())
    except NoValidValue as error:
        raise pytest.UsageError(str(error)) from None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ignore unraisable exceptions here; elsewhere they are errors (tests/conftest.py)."""
    for item in items:
        if item.path.parent.name == "mutants":
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(autouse=True, scope="module")
def _leftovers_stay_here() -> Iterator[None]:
    """Collect garbage before the tests of another module run."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
