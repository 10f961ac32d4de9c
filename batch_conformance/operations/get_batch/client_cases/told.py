"""What a server tells of an error: the documented body of its status, with the words of a case."""

from __future__ import annotations

from typing import Any

from batch_conformance.client_runner.cases.case import error_bodies
from batch_conformance.client_runner.stub.answers import StubResponse, json_body


def telling(status: int, message: str, **members: Any) -> StubResponse:
    """An error as documented, with this message if the contract has a place for it; ``members`` as given."""
    body = error_bodies(status).holding({"statusCode": status, "message": message}, members)
    return json_body(body, status)


def with_message(status: int, message: str | list[str], **members: Any) -> StubResponse:
    """An error as documented, with this very message. Raises ``NotInContract`` where that has no place."""
    said = {"message": message}
    bodies = error_bodies(status)
    return json_body(bodies.saying(said, bodies.holding({"statusCode": status}, {}) | said | members), status)
