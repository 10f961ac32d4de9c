"""Fixtures for tests of clients: a stub with staged answers, and an assertion on answers of the API."""

from batch_conformance.testing.asserting import assert_conforms
from batch_conformance.testing.stub import BatchStub, StubRequest

__all__ = ["BatchStub", "StubRequest", "assert_conforms"]
