"""Error responses of the stub: the documented body of a status, with the message of a case."""

from __future__ import annotations

from typing import Any

from batch_conformance.client_runner.cases.case import CaseFactory, error_bodies
from batch_conformance.client_runner.stub.answers import StubResponse, json_body


def error_response(factory: CaseFactory, status: int, message: str, **members: Any) -> StubResponse:
    """Return a documented error response, with the message if the contract allows one, and ``members``."""
    body = error_bodies(factory.operation, status).holding({"statusCode": status, "message": message}, members)
    return json_body(body, status)


def response_with_message(factory: CaseFactory, status: int, message: str | list[str], **members: Any) -> StubResponse:
    """Return a documented error response with exactly this message.

    Raises :class:`NotInContract` where the contract has no member for it.
    """
    said = {"message": message}
    bodies = error_bodies(factory.operation, status)
    return json_body(bodies.saying(said, bodies.holding({"statusCode": status}, {}) | said | members), status)
