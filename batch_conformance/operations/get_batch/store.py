"""Sample batches of the embedded server, from which those of an edited contract are made, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from batch_conformance.operations.stored import Store, StoredBatch


@dataclass(frozen=True)
class State:
    """Status and counts of a batch at one moment."""

    status: str
    total: int
    success: int = 0
    failed: int = 0
    pending: int = 0


#: Each state of a batch of five generations, in the order of progress; ``failed`` is the other final state.
STATES = {
    "pending": State("PENDING", 5),
    "jobs_created": State("JOBS_CREATED", 5, pending=5),
    "processing": State("PROCESSING", 5, 2, 0, 3),
    "completed": State("COMPLETED", 5, 4, 1),
    "failed": State("FAILED", 5, 1, 4),
}
CREATED = "2024-01-15T10:30:00Z"
WEBHOOK = "https://your-webhook-url.com/batch-webhook"


@dataclass
class Batch(StoredBatch):
    """A batch and the states that it goes through as it is read; it stays in the last one."""

    id: str
    created_at: str
    states: Sequence[State]
    webhook_url: str | None = None
    show_null_webhook: bool = False
    reads: int = 0

    def payloads(self) -> Sequence[dict[str, Any]]:
        """Return the JSON object of each state."""
        return [self.render(state) for state in self.states]

    def render(self, state: State) -> dict[str, Any]:
        """Return the JSON object of one state."""
        rendered: dict[str, Any] = {
            "id": self.id,
            "created_at": self.created_at,
            "status": state.status,
            "metrics": {
                "total_generations": state.total,
                "success_count": state.success,
                "failed_count": state.failed,
                "pending_count": state.pending,
            },
            "outputUrl": f"https://api.sync.so/v2/batches/{quote(self.id)}/result"
            if state.status == "COMPLETED"
            else "",
        }
        if self.webhook_url is not None or self.show_null_webhook:
            rendered["webhookUrl"] = self.webhook_url
        return rendered


def sample_store() -> Store:
    """Return a store with a batch in each state, and two that reach COMPLETED and FAILED as they are read."""
    store = Store()
    rows = [
        Batch("batch_abc123", CREATED, [STATES["completed"]], WEBHOOK),
        Batch("batch_Def456", "2024-01-15T11:00:00Z", [State("PROCESSING", 10, 3, 0, 7)], show_null_webhook=True),
        Batch("batch_ghi789", "2024-01-15T12:00:00.250Z", [State("PENDING", 5)]),
        Batch("batch_jkl012", "2024-01-15T13:00:00+02:00", [State("JOBS_CREATED", 8, pending=8)], WEBHOOK),
        Batch("batch_mno345", "2024-01-15T14:00:00Z", [State("FAILED", 6, 2, 4)]),
        Batch(
            "batch_pqr678",
            "2024-01-15T15:00:00Z",
            [
                State("PENDING", 4),
                State("JOBS_CREATED", 4, pending=4),
                State("PROCESSING", 4, 1, 0, 3),
                State("PROCESSING", 4, 2, 1, 1),
                State("COMPLETED", 4, 3, 1),
            ],
            WEBHOOK,
        ),
        Batch(
            "batch_stu901",
            "2024-01-22T16:00:00Z",
            [
                State("JOBS_CREATED", 3, pending=3),
                State("PROCESSING", 3, 1, 1, 1),
                State("FAILED", 3, 1, 2),
            ],
        ),
    ]
    for row in rows:
        store.add(row)
    return store
