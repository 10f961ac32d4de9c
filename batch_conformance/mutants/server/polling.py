"""Faults between two reads: ``server.poll.*``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batch_conformance.mutants.server.base import Payload, fault_in_batch, register
from batch_conformance.operations.stored import StoredBatch
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

FINAL, FORWARD, GROW = "server.poll.final", "server.poll.forward-only", "server.poll.counts-grow"
IDENTITY, WEBHOOK = "server.poll.identity", "server.poll.webhook-stable"


def _from(
    nth: int, change: Callable[[Payload], Payload], state: str | None = None
) -> Callable[[Payload, StoredBatch], Payload]:
    """Change every response from the nth read of a batch on."""

    def apply(payload: Payload, batch: StoredBatch) -> Payload:
        hit = batch.reads >= nth and state in (None, payload["status"])
        return change(payload) if hit else payload

    return apply


def _at(
    nth: int, change: Callable[[Payload], Payload], state: str | None = None
) -> Callable[[Payload, StoredBatch], Payload]:
    """Change only the nth response for a batch."""

    def apply(payload: Payload, batch: StoredBatch) -> Payload:
        hit = batch.reads == nth and state in (None, payload["status"])
        return change(payload) if hit else payload

    return apply


def _set(**members: Any) -> Callable[[Payload], Payload]:
    return lambda payload: {**payload, **members}


def _counts(**members: int) -> Callable[[Payload], Payload]:
    return lambda payload: {**payload, "metrics": {**payload["metrics"], **members}}


fault_in_batch(IDENTITY, "created-changes", _from(3, _set(created_at="2025-06-01T00:00:00Z")))
fault_in_batch(IDENTITY, "created-is-now", lambda payload, batch: {
    **payload, "created_at": f"2024-01-15T10:30:{batch.reads % 60:02}Z"})  # fmt: skip
fault_in_batch(IDENTITY, "created-one-microsecond-off", _at(4, _set(created_at="2024-01-15T10:30:00.000001Z")))
fault_in_batch(IDENTITY, "created-offset-lost", lambda payload, batch: {
    **payload, "created_at": "2024-01-15T10:30:00" + ("Z" if batch.reads % 2 else "+05:00")})  # fmt: skip
fault_in_batch(FORWARD, "back-to-pending", _at(5, _set(status="PENDING"), "PROCESSING"))
fault_in_batch(FORWARD, "back-to-jobs-created", _at(4, _set(status="JOBS_CREATED"), "PROCESSING"))
fault_in_batch(FORWARD, "back-to-pending-from-jobs", _at(3, _set(status="PENDING"), "JOBS_CREATED"))


class _Flips(ReferenceServer):
    """Alternates between two statuses before the end."""

    def found(self, batch: StoredBatch, asked: Asked) -> Answer:
        payload = batch.read()
        if payload["status"] == "JOBS_CREATED" and batch.reads % 2:
            payload["status"] = "PENDING"
        return Answer(200, payload)


register("alternates", FORWARD, _Flips)
fault_in_batch(FINAL, "completed-then-failed", _from(4, _set(status="FAILED", outputUrl=""), "COMPLETED"))
fault_in_batch(FINAL, "failed-then-completed",
               _from(4, lambda payload: {**payload, "status": "COMPLETED", "outputUrl": "https://api.sync.so/r"}, "FAILED"))  # fmt: skip
fault_in_batch(FINAL, "completed-total-grows", lambda payload, batch: payload if payload["status"] != "FAILED" else {
    **payload, "metrics": {**payload["metrics"], "total_generations": payload["metrics"]["total_generations"] + batch.reads}})  # fmt: skip
fault_in_batch(FINAL, "failed-success-grows", _from(5, _counts(success_count=2, failed_count=4, pending_count=0,
                                                              total_generations=7), "FAILED"))  # fmt: skip
fault_in_batch(FINAL, "completed-success-grows", _from(4, _counts(total_generations=6, success_count=5), "COMPLETED"))
fault_in_batch(FINAL, "completed-then-processing", _from(5, _set(status="PROCESSING"), "COMPLETED"), also=[FORWARD])
fault_in_batch(FINAL, "failed-then-pending", _at(5, _set(status="PENDING"), "FAILED"), also=[FORWARD])
fault_in_batch(GROW, "success-shrinks", _at(4, _counts(success_count=1), "PROCESSING"))
fault_in_batch(GROW, "success-resets", _from(5, _counts(success_count=0), "PROCESSING"))
fault_in_batch(GROW, "failed-shrinks", lambda payload, batch: payload if payload["status"] != "PROCESSING" else {
    **payload, "metrics": {**payload["metrics"], "failed_count": 3 - min(3, batch.reads), "pending_count": 0}})  # fmt: skip
fault_in_batch(WEBHOOK, "webhook-vanishes", _from(4, lambda payload: {
    key: value for key, value in payload.items() if key != "webhookUrl"}))  # fmt: skip
fault_in_batch(WEBHOOK, "webhook-changes", lambda payload, batch: {
    **payload, "webhookUrl": f"https://hooks.example/{batch.reads}"})  # fmt: skip


class _MixesUp(ReferenceServer):
    """Answers every 11th read with the batch requested before, like a cache whose key is too short."""

    def __init__(self) -> None:
        super().__init__()
        self.last: StoredBatch | None = None
        self.count = 0

    def found(self, batch: StoredBatch, asked: Asked) -> Answer:
        self.count += 1
        returned = self.last if self.last and self.count % 11 == 0 else batch
        self.last = batch
        return Answer(200, returned.read())


register("answers-with-another-batch", "server.body.id", _MixesUp)
