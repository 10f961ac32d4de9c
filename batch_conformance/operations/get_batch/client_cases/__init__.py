"""Handwritten client cases of Get Batch, in addition to those derived from the schema."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from batch_conformance.contract.entity import entity_of
from batch_conformance.operations.get_batch.client_cases.decode import counts, decode_cases
from batch_conformance.operations.get_batch.client_cases.drawn import PROPERTIES
from batch_conformance.operations.get_batch.client_cases.errors import error_cases
from batch_conformance.operations.get_batch.client_cases.fresh import fresh_cases
from batch_conformance.operations.get_batch.client_cases.reject import reject_cases
from batch_conformance.operations.get_batch.client_cases.transfer import transfer_cases

__all__ = ["PROPERTIES", "THEMES", "VARIED", "draw_ordinary"]

THEMES = (decode_cases, fresh_cases, transfer_cases, reject_cases, error_cases)
#: Schema places that the cases here vary, in more ways than can be derived from the schema.
VARIED = (
    "/id",
    "/created_at",
    "/status",
    "/metrics",
    "/metrics/total_generations",
    "/metrics/success_count",
    "/metrics/failed_count",
    "/metrics/pending_count",
    "/outputUrl",
    "/webhookUrl",
)


def draw_ordinary(chance: random.Random) -> Sequence[Mapping[str, Any]]:
    """Return changes, by pointer, that make an ordinary COMPLETED batch of generated values."""
    success, failed = chance.sample(range(2, 90), 2)
    done = counts(success + failed, success, failed, 0)
    status = entity_of("get").lifecycle_pointer or "/status"
    return (
        {"/created_at": f"2024-0{chance.randint(1, 9)}-15T10:30:{chance.randint(10, 59)}Z"},
        {status: "COMPLETED", **{f"/metrics/{name}": count for name, count in done.items()}},
        # No parameter with a name like a credential: redacted, the response could not be replayed.
        {"/outputUrl": f"https://api.sync.so/v2/batches/{chance.randint(1000, 9999)}/result?path=A%2Fb&part=1"},
        {"/webhookUrl": f"https://hooks.example.com/Batch/{chance.randint(1000, 9999)}?from=Sync"},
    )
