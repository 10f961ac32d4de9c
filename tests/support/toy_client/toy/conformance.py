"""Adapter of the client: ``--batch-client python:toy.conformance:adapter``."""

from __future__ import annotations

from typing import Any

from toy.client import BatchError, get_batch


def adapter(request: dict[str, Any]) -> dict[str, Any]:
    """Make one call."""
    try:
        batch = get_batch(
            request["base_url"], request["api_key"], request["batch_id"], timeout=request["timeout_s"]
        )
    except BatchError as error:
        return {"error": {"kind": error.kind, "status": error.status, "message": str(error)}}
    return {"batch": batch}


adapter.hello = {  # type: ignore[attr-defined]
    "protocol": 1,
    "name": "toy",
    "version": "1.4.0",
    "language": "python",
    "operations": ["get_batch"],
}
