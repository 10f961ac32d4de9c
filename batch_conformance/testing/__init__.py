"""For tests of clients: a stub whose answers are staged by name, and an assertion on anything the API may have sent."""

from batch_conformance.testing.asserting import assert_conforms
from batch_conformance.testing.stub import BatchStub, StubRequest

__all__ = ["BatchStub", "StubRequest", "assert_conforms"]
