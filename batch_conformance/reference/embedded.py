"""The embedded server: the reference server, one of its mutants, or a legal variation, on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batch_conformance.reference.server import ReferenceServer
from batch_conformance.reference.stdlib_server import WireOptions, serving_plainly


@contextmanager
def serving_embedded(app: ReferenceServer) -> Iterator[str]:
    """Serve ``app`` as it wants to be served; yields its base URL."""
    if isinstance(app.manner, WireOptions):
        with serving_plainly(app, app.manner) as url:
            yield url
        return
    # uvicorn comes with the server extra, which variants served plainly can do without.
    from batch_conformance.reference.serve import serving

    with serving(app) as url:
        yield url
