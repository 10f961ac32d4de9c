"""Keys and batches of the embedded server; the batches are valid under the contract in use."""

from __future__ import annotations

from batch_conformance.contract import current_contract
from batch_conformance.operations.get_batch.store import sample_store
from batch_conformance.operations.stored import Store

#: The key of the embedded server. It is not a real one.
REFERENCE_KEY = "sk-Reference7Qm2xVb9LpD4tZ"
#: A valid key of another organisation, and a revoked one.
OTHER_KEY = "sk-Neighbour3Hc8wRn5YtK1aE"
REVOKED_KEY = "sk-Formerly6Ju0sGd4PzX7oC"


def store_in_use() -> Store:
    """Return the sample batches, adapted where the contract is edited."""
    if not current_contract().edited:
        return sample_store()
    # Imported late: generation is slow to import.
    from batch_conformance.reference.edited import edited_batches

    return Store({batch.id: batch for batch in edited_batches()})
