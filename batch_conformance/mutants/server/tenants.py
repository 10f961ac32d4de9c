"""Servers that separate organisations incompletely: by connection, under conditions, with filters."""

from __future__ import annotations

from batch_conformance.contract import current_contract
from batch_conformance.mutants.server.auth import OTHER
from batch_conformance.mutants.server.base import register
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

LEGAL = ""
_BOTH = ("get", "list")
_TAG = '"v1"'


class _OrganisationOfConnection(ReferenceServer):
    """Attributes a connection to the first organisation whose key came over it."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[object] = set()

    def owns(self, asked: Asked) -> bool:
        if super().owns(asked):
            self.known.add(asked.client)
            return True
        return asked.client in self.known


class _TagBeforeOrganisation(ReferenceServer):
    """Evaluates If-None-Match before it checks which organisation a batch belongs to."""

    def answer(self, asked: Asked) -> Answer:
        known = asked.segment is not None and self.look_up(asked.segment) is not None
        if known and asked.header(b"if-none-match") == [_TAG.encode()] and self.authenticate(asked):
            return Answer(304, b"", [("ETag", _TAG)], None)
        answer = super().answer(asked)
        if answer.status == 200:
            answer.headers = [*answer.headers, ("ETag", _TAG)]
        return answer


class _StatusAcrossOrganisations(ReferenceServer):
    """Filters by status across all organisations."""

    def owns(self, asked: Asked) -> bool:
        return super().owns(asked) or (asked.segment is None and asked.query.startswith(b"status="))


class _RefusesUnknownParameters(ReferenceServer):
    """Refuses undocumented query parameters."""

    def answer(self, asked: Asked) -> Answer:
        operation = current_contract().operation("list" if asked.segment is None else "get")
        known = {row.name.encode() for row in operation.of_place("query")}
        sent = {part.partition(b"=")[0] for part in asked.query.split(b"&") if part}
        if asked.method == "GET" and sent - known and self.authenticate(asked):
            return self.error(400, "there is no such parameter")
        return super().answer(asked)


register("organisation-of-the-connection", OTHER, _OrganisationOfConnection)
register("304-to-another-organisation", OTHER, _TagBeforeOrganisation, ["server.error.documented-status"])
register("list-foreign-with-a-status", "server.list.other-org", _StatusAcrossOrganisations, operations=_BOTH)
register("unknown-parameters-refused", LEGAL, _RefusesUnknownParameters, operations=_BOTH)
