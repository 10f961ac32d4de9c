"""A conformance test suite for the Batch API: it tests any server and any client against one contract."""

__version__ = "0.1.0"
