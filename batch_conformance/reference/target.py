"""The embedded server as a target, with its keys, batches and staging hook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batch_conformance.generate.keys import Key
from batch_conformance.reference.embedded import serving_embedded
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY, REVOKED_KEY
from batch_conformance.server_runner.target import Target


@contextmanager
def embedded_target(app: ReferenceServer, rate: float | None = None) -> Iterator[Target]:
    """Serve ``app`` and yield it as a target; ``rate`` is in requests per second, None for no limit."""
    with serving_embedded(app) as url:
        yield Target(
            name="embedded",
            url=url,
            api_key=REFERENCE_KEY,
            batch_ids=tuple(app.store.batches),
            rate=rate,
            stager=app,
            other_key=Key(OTHER_KEY, "other-org", "the valid key of another organisation", "$OTHER_API_KEY"),
            revoked_key=Key(REVOKED_KEY, "invalid", "a revoked key", "$REVOKED_API_KEY"),
        )
