"""Cases for ``client.reject.*``: a 200 without a batch, and a batch with a status other than 200."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from batch_conformance.checks.client.record import InvalidSuccess
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.stub.answers import StubResponse, empty, html, json_body, text
from batch_conformance.operations.get_batch.client_cases.error_responses import error_response


def reject_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with bodies that are not JSON, not an object, or not a batch, and with other statuses."""
    whole = json.dumps(factory.batch())
    not_json: list[tuple[str, StubResponse]] = [
        ("an HTML page", html()),
        ("an HTML page that claims to be JSON", html().as_type("application/json")),
        ("no body", empty()),
        ("no body and no media type", StubResponse(200)),
        ("white space", text(200, " \r\n ")),
        ("JSON cut off before the last brace", text(200, whole[:-1])),
        ("JSON cut off in the middle", text(200, whole[: len(whole) // 2])),
        ("JSON cut off after the first member", text(200, whole[: whole.index(",")])),
        ("JSON cut off behind a comma", text(200, whole[: whole.rindex(",") + 1])),
        ("an opening brace", text(200, "{")),
        ("plain text", text(200, "OK", "text/plain")),
        ("plain text that claims to be JSON", text(200, "COMPLETED")),
        ("a form", text(200, "id=batch_1&status=COMPLETED", "application/x-www-form-urlencoded")),
    ]
    for what, answer in not_json:
        yield invalid_success_case(factory, what, "client.reject.not-json", answer)
    lenient = [
        ("a comma before the last brace", whole[:-1] + ",}"),
        ("a batch with a comment in it", whole.replace(",", ", /* none */", 1)),
        ("a batch and more behind it", whole + " and more"),
        ("two batches, one behind the other", whole + whole),
        ("quotes of the wrong kind", whole.replace('"', "'")),
    ]
    for what, body in lenient:
        yield invalid_success_case(factory, what, "client.reject.lenient-json", text(200, body))
    not_object: list[tuple[str, Any]] = [
        ("null", None),
        ("an empty array", []),
        ("an array with the batch in it", [factory.batch()]),
        ("a string", "COMPLETED"),
        ("a string that holds the batch as JSON", whole),
        ("a number", 200),
        ("true", True),
        ("false", False),
        ("zero", 0),
        ("an array of pairs", [["id", "batch_1"], ["status", "COMPLETED"]]),
        ("an empty string", ""),
    ]
    for what, value in not_object:
        yield invalid_success_case(factory, what, "client.reject.not-object", json_body(value))
    yield from _other_statuses(factory)
    for what, value in (
        ("the batch stands in a member named batch", {"batch": factory.batch()}),
        ("an error body", {"message": "Internal server error"}),
    ):
        if factory.values.entity.required:
            yield invalid_success_case(factory, what, "client.reject.wrong-types", json_body(value))


def _other_statuses(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with a batch, or a part of one, in a response with another status than 200."""
    batch_id = factory.id()
    whole = json_body(factory.batch(batch_id))
    size = len(whole.body)
    gone = error_response(factory, 410, "it was here")
    rows: list[tuple[str, tuple[StubResponse, ...]]] = []
    # The target of the redirect answers 410, so that a client gets no batch whether or not it follows.
    for status in (302, 307, 301, 303, 308):
        moved = whole.of_status(status).with_header("Location", "{own}{path}/moved")
        rows.append((f"a {status} with a batch in its body", (moved, gone)))
    rows.append(("a 302 with a batch in its body, without a Location", (whole.of_status(302),)))
    part = whole.of_status(206).with_header("Content-Range", f"bytes 0-{size - 1}/{size * 2}")
    rows += [
        ("a 204", (StubResponse(204),)),
        ("a 304", (StubResponse(304, (("ETag", '"1"'),)),)),
        ("a 206 with a batch in its body", (part,)),
        ("a 300 with a batch in its body", (whole.of_status(300),)),
        ("a 205", (StubResponse(205),)),
        # These statuses have no body in HTTP; the bytes detect clients that read one all the same.
        ("a 204 with a batch behind it", (whole.of_status(204).closing(),)),
        ("a 304 with a batch behind it", (whole.of_status(304).closing(),)),
        ("a 205 with a batch in its body", (whole.of_status(205).closing(),)),
        ("a 305 with a batch in its body", (whole.of_status(305),)),
        ("a 399 with a batch in its body", (whole.of_status(399),)),
        ("a 103 with a batch behind it, and no more", (whole.of_status(103).closing(),)),
        ("a 100 with a batch behind it, and no more", (whole.of_status(100).closing(),)),
    ]
    documented = factory.values.entity.operation.documented_statuses
    for what, answers in rows:
        if answers[0].status in documented:
            continue
        clauses = ("client.reject.other-status", "client.auth.not-in-errors")
        yield Case(what, clauses, (CallStep(batch_id, InvalidSuccess(what), answers),))


def invalid_success_case(factory: CaseFactory, what: str, clause: str, answer: StubResponse) -> Case:
    """Make a case with a 200 that the client has to report as an error."""
    step = CallStep(factory.id(), InvalidSuccess(what), (answer,))
    return Case(f"a 200 with {what}", (clause, "client.auth.not-in-errors"), (step,))
