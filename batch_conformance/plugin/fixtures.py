"""Fixtures for a client's own tests, with imports only when a test uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batch_conformance.testing import BatchStub


@pytest.fixture
def batch_stub() -> Iterator[BatchStub]:
    """Stub server for one test: stage answers by name, use ``url`` in the client, inspect ``requests``."""
    from batch_conformance.testing import BatchStub

    with BatchStub() as stub:
        yield stub


@pytest.fixture
def assert_conforms() -> Callable[..., None]:
    """Function that checks a batch, an error body or a response (see ``batch_conformance.testing``)."""
    from batch_conformance.testing import assert_conforms

    return assert_conforms
