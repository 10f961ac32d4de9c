"""The keys of the embedded server, and its batches: valid under the contract in use."""

from __future__ import annotations

from batch_conformance.contract import current_contract
from batch_conformance.operations.get_batch.store import sample_store
from batch_conformance.operations.stored import Store

#: The key of the embedded server; it opens nothing else.
REFERENCE_KEY = "sk-Reference7Qm2xVb9LpD4tZ"
#: A valid key of another organisation, and one that is valid no more.
OTHER_KEY = "sk-Neighbour3Hc8wRn5YtK1aE"
REVOKED_KEY = "sk-Formerly6Ju0sGd4PzX7oC"


def store_in_use() -> Store:
    """The sample batches; under an edited contract, what is made of them there."""
    if not current_contract().edited:
        return sample_store()
    # What generates takes its time to be imported.
    from batch_conformance.reference.edited import edited_batches

    return Store({batch.id: batch for batch in edited_batches()})
