"""Serves the reference server, a mutant or a legal variation on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.stdlib_server import WireOptions, serving_plainly


@contextmanager
def serving_embedded(app: ReferenceServer) -> Iterator[str]:
    """Serve ``app`` with uvicorn, or with the standard library if it has wire options; yields its URL."""
    if isinstance(app.manner, WireOptions):
        with serving_plainly(app, app.manner) as url:
            yield url
        return
    # Imported late: uvicorn comes with the server extra.
    from batch_conformance.reference.serve import serving

    with serving(app) as url:
        yield url
