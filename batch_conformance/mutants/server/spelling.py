"""Servers whose authentication covers fewer paths or queries than their router accepts."""

from __future__ import annotations

from dataclasses import replace

from batch_conformance.contract import current_contract
from batch_conformance.mutants.server.base import fault_in_auth, register
from batch_conformance.reference.server import Answer, Asked, ReferenceServer, segment_of

MISSING_KEY = "server.auth.missing-key"


class _OtherCase(ReferenceServer):
    """Router accepts paths, here in another case, that skip authentication."""

    def plain(self, path: bytes) -> bytes:
        """Return the path as the router reads it."""
        first = path.find(b"/", 1)
        return path[:first].lower() + path[first:]

    def answer(self, asked: Asked) -> Answer:
        path = self.plain(asked.path)
        segment = segment_of(path, "get")
        batch = self.look_up(segment) if segment is not None and path != asked.path else None
        return super().answer(asked) if batch is None else self.found(batch, replace(asked, path=path))


class _DotSegments(_OtherCase):
    def plain(self, path: bytes) -> bytes:
        return path.replace(b"/./", b"/")


class _ListWithTrailingSlash(ReferenceServer):
    def answer(self, asked: Asked) -> Answer:
        listing = current_contract().operation("list")
        if asked.method == "GET" and asked.path == listing.url_path().encode() + b"/":
            return self.list_batches(asked)
        return super().answer(asked)


class _ListByStatus(ReferenceServer):
    """Lists by status without authentication."""

    def authenticate(self, asked: Asked) -> bool:
        return super().authenticate(asked) or (asked.segment is None and asked.query.startswith(b"status="))


register("guard-sees-no-other-case", MISSING_KEY, _OtherCase)
register("guard-sees-no-dot-segments", MISSING_KEY, _DotSegments)
register("guard-sees-no-slash-behind-the-list", MISSING_KEY, _ListWithTrailingSlash, operations=("list",))
register("guard-sees-no-status", MISSING_KEY, _ListByStatus, operations=("get", "list"))


class _DateAcrossOrganisations(ReferenceServer):
    """Checks the organisation only where no date is given."""

    def owns(self, asked: Asked) -> bool:
        return super().owns(asked) or asked.query.startswith(b"created_before=")


fault_in_auth(
    "server.auth.empty-key", "own-host-is-a-friend",
    lambda _, asked: asked.header(b"x-forwarded-for") == [b"127.0.0.1"] or None,
)  # fmt: skip
register("list-foreign-with-a-date", "server.list.other-org", _DateAcrossOrganisations, operations=("get", "list"))
