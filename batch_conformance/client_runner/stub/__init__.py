"""Stub server: responses scripted to the byte, requests recorded to the byte."""

from batch_conformance.client_runner.stub import answers
from batch_conformance.client_runner.stub.answers import StubResponse
from batch_conformance.client_runner.stub.server import RefusedPort, StubServer

__all__ = ["RefusedPort", "StubResponse", "StubServer", "answers"]
