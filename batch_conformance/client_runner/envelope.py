"""Envelope that a contract may put around Get Batch's response: clients may return the batch with or without it."""

from __future__ import annotations

from dataclasses import replace

from batch_conformance.checks.client.record import ExpectedOutcome, ValidBatch
from batch_conformance.client_runner.call import Reply
from batch_conformance.contract.entity import entity_of
from batch_conformance.contract.pointers import MISSING, replaced


def enclosed(reply: Reply, expected: ExpectedOutcome) -> Reply:
    """Return the reply with the response's envelope around the batch, if the client removed it."""
    entity = entity_of("get")
    if not (entity.place and isinstance(expected, ValidBatch) and isinstance(reply.batch, dict)):
        return reply
    if entity.within(reply.batch) is not MISSING or entity.within(expected.batch) is MISSING:
        return reply
    return replace(reply, batch=replaced(expected.batch, entity.place, reply.batch))
