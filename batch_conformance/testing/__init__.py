"""Helpers for tests of clients: a stub with staged responses, and an assertion on responses of the API."""

from batch_conformance.testing.asserting import assert_conforms
from batch_conformance.testing.stub import BatchStub, StubRequest

__all__ = ["BatchStub", "StubRequest", "assert_conforms"]
