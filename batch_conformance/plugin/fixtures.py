"""Fixtures for a client's own tests. Nothing of them is imported before a test asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batch_conformance.testing import BatchStub


@pytest.fixture
def batch_stub() -> Iterator[BatchStub]:
    """A Get Batch server for one test: stage answers by name, point the client at ``url``, look at ``requests``."""
    from batch_conformance.testing import BatchStub

    with BatchStub() as stub:
        yield stub


@pytest.fixture
def assert_conforms() -> Callable[..., None]:
    """Holds a batch, an error body or a response against the contract (see batch_conformance.testing)."""
    from batch_conformance.testing import assert_conforms

    return assert_conforms
