"""Tests of the client repository, with names that the suite's modules could have."""

from __future__ import annotations

import pytest
import suites.helpers
from toy.client import BatchError, get_batch

import contracts
import reports
import schemas


@pytest.mark.batch
def test_refuses_an_empty_id() -> None:
    """An empty id is refused without a request."""
    with pytest.raises(BatchError):
        get_batch("http://127.0.0.1:9", "sk-test", "", 1)


def test_the_packages_are_the_clients_own(base_url: str, batch_stub: str, assert_conforms: str) -> None:
    """The packages and fixtures are the repository's own, and pytest-base-url works."""
    assert (contracts.TERM_MONTHS, schemas.TABLES[0], reports.CURRENCY) == (12, "customers", "EUR")
    assert suites.helpers.OWN == batch_stub == assert_conforms == "the client's own"
    assert base_url == "http://127.0.0.1:9"


def test_the_clients_parameters(clause: str, pytestconfig: pytest.Config) -> None:
    """The repository's own option is not mistaken for one of the suite's."""
    assert clause in ("one", "two")
    assert pytestconfig.getoption("--batch-size") == int(pytestconfig.getini("batch_size")) == 20
