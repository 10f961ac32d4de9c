"""Contract and conformance suite for a lip-sync Batch API: any server, any client, one contract."""

__version__ = "0.1.0"
