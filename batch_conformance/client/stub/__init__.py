"""The stub server: answers scripted to the byte, requests recorded to the byte."""

from batch_conformance.client.stub import answers
from batch_conformance.client.stub.answers import Answer
from batch_conformance.client.stub.server import RefusedPort, StubServer
from batch_conformance.client.stub.staged import BatchStub

__all__ = ["Answer", "BatchStub", "RefusedPort", "StubServer", "answers"]
