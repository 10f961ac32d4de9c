"""Cases for ``client.error.*`` and ``client.retry.*``: error statuses with documented and other bodies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from batch_conformance.checks.client.record import (
    HttpError,
    InvalidSuccess,
    clause_of_status,
    has_own_clause,
    may_be_retried,
)
from batch_conformance.client_runner.cases.case import SHORT_DEADLINE, CallStep, Case, CaseFactory, possible
from batch_conformance.client_runner.stub.answers import StubResponse, json_body, text
from batch_conformance.contract import current_contract
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.operations.get_batch.client_cases.error_responses import (
    error_response,
    response_with_message,
)
from batch_conformance.operations.get_batch.client_cases.odd_bodies import OddBody, odd_bodies

_RETRY = ("client.retry.bounded", "client.retry.waits")
_ALL = ("client.auth.not-in-errors",)


#: Undocumented error statuses, also of proxies, and those that some clients treat specially.
_OTHERS = (403, 503, 400, 502, 402, 418, 405, 408, 409, 410, 422, 451, 499, 406, 413, 415, 425, 431, 504, 599)


def error_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with error statuses, messages, odd bodies, and bodies that contradict the status."""
    yield from _statuses(factory)
    yield from _messages(factory)
    # Few of 5xx: a client may retry them, which takes seconds each.
    for status, count in ((503, 1), (404, None), (500, 2), (401, 12), (403, 8)):
        for odd in odd_bodies(status)[:count]:
            yield odd_case(factory, status, odd)
    yield from _contradictions(factory)
    yield from _errors_as_success(factory)
    yield from _retries(factory)


def _statuses(factory: CaseFactory) -> Iterator[Case]:
    operation = current_contract().operation(factory.operation)
    for status, message in ((401, "Unauthorized"), (404, "Batch not found")):
        if not operation.documents(status):
            continue
        clauses = (clause_of_status(status), "client.retry.never-401-404", *_ALL)
        yield _error_case(factory, f"a {status}", clauses, HttpError(status), error_response(factory, status, message))
        yield _error_case(
            factory,
            f"a {status} with an error code",
            clauses,
            HttpError(status),
            error_response(factory, status, message, errorCode="no_such"),
        )
    for status, message in ((429, "too many from organisation 7781"), (500, "the archive does not respond")):
        if operation.documents(status):
            yield _message_if_documented(factory, status, message)
    errors = [status for status in sorted(operation.documented_statuses) if status >= 400]
    # Documented ones first: a short run takes the first ones only.
    for status in dict.fromkeys([*(one for one in errors if not has_own_clause(one)), *_OTHERS]):
        more = _RETRY if may_be_retried(status) else ("client.request.single",)
        yield _error_case(
            factory, f"a {status}", ("client.error.other-status", *more, *_ALL), HttpError(status),
            error_response(factory, status, "not this time"),
        )  # fmt: skip


def _message_if_documented(factory: CaseFactory, status: int, message: str) -> Case:
    """Make a case with an error that has a message; without it where the contract has no member for it."""
    clauses: tuple[str, ...] = (clause_of_status(status), "client.error.message", *_RETRY, *_ALL)
    try:
        expected, answer = HttpError(status, (message,)), response_with_message(factory, status, message)
    except NotInContract:
        expected, answer = HttpError(status), error_response(factory, status, message)
        return _error_case(factory, f"a {status}", (clauses[0], *clauses[2:]), expected, answer)
    return _error_case(factory, f"a {status}", clauses, expected, answer)


def _messages(factory: CaseFactory) -> Iterator[Case]:
    wide = "kein Schlüssel für die Gruppe 中文"
    long = "a long story: " + " ".join(f"step {number}" for number in range(12))
    rows: list[tuple[int, str, str | list[str], dict[str, Any]]] = [
        (401, "a 401 with a message", "your key was revoked on Monday", {}),
        (404, "a 404 with a message", "nothing here for organisation 7781", {}),
        (400, "a 400 with a message", "that id is not one of ours", {}),
        (
            400,
            "a 400 with an array of 2",
            ["id must be longer than 3 characters", "id must start with batch"],
            {},
        ),
        (
            404,
            "a 404 with an array of 3",
            ["no batch of that name", "no organisation of that name", "try another one"],
            {},
        ),
        (401, "a 401 with an array of 1", ["one reason only"], {}),
        (403, "a 403 with a message beyond ASCII", wide, {}),
        (
            400,
            "a 400 with a message and a code",
            "nobody may step for that many",
            {"errorCode": "limit_reached"},
        ),
        (403, "a 403 with a long message", long, {}),
        (404, "a 404 with a message of percent signs and braces", "100%s of {batch} is %d{0}", {}),
    ]
    for status, title, message, members in rows:
        yield from possible(partial(_with_message, factory, status, title, message, members))


def _with_message(
    factory: CaseFactory, status: int, title: str, message: str | list[str], members: dict[str, Any]
) -> Case:
    expected = HttpError(status, (message,) if isinstance(message, str) else tuple(message))
    answer = response_with_message(factory, status, message, **members)
    return _error_case(factory, title, ("client.error.message", *_ALL), expected, answer)


def odd_case(factory: CaseFactory, status: int, odd: OddBody) -> Case:
    """Make a case with an error status and a body that is not the documented one."""
    more = _RETRY if may_be_retried(status) else ()
    return _error_case(
        factory, f"a {status} with {odd.what}", ("client.error.odd-body", *more, *_ALL),
        HttpError(status, body=odd.what), text(status, odd.body, odd.media_type),
    )  # fmt: skip


def _contradictions(factory: CaseFactory) -> Iterator[Case]:
    clause = ("client.error.status-line-wins", *_ALL)
    for status, claimed in (
        (404, 200),
        (404, 500),
        (401, 404),
        (403, 401),
        (500, 404),
        (401, 200),
        (404, 429),
        (400, 404),
    ):
        body = error_response(factory, status, "as it says above", statusCode=claimed)
        expected = HttpError(status, body=f"statusCode {claimed}", claimed=claimed)
        yield _error_case(factory, f"a {status} whose body says {claimed}", clause, expected, body)
    for status, code in ((403, "not_found"), (404, "unauthorized"), (400, "rate_limited")):
        expected = HttpError(status, body=f"errorCode {code}")
        body = error_response(factory, status, "as it says above", errorCode=code)
        yield _error_case(factory, f"a {status} whose errorCode is {code}", clause, expected, body)
    for status, written in ((404, "401"), (403, "404")):
        expected = HttpError(status, body=f"statusCode {written} as text", claimed=int(written))
        body = error_response(factory, status, "as it says above", statusCode=written)
        yield _error_case(factory, f"a {status} whose body says {written}, as text", clause, expected, body)
    for status in (404, 401):
        hidden = json_body({**factory.batch(), "message": "as it says above", "statusCode": status}, status)
        expected = HttpError(status, body="a batch")
        yield _error_case(factory, f"a {status} with a batch in its body", clause, expected, hidden)
    for claimed in (404, 500):
        batch = factory.batch()
        known = factory.values.entity.members
        extended = batch | {
            name: value for name, value in (("statusCode", claimed), ("message", "none")) if name not in known
        }
        yield Case(
            f"a 200 whose batch also says {claimed}",
            clause,
            (factory.valid(batch, json_body(extended)),),
        )


def _errors_as_success(factory: CaseFactory) -> Iterator[Case]:
    for claimed in (404, 401):
        expected = InvalidSuccess(f"an error body that says {claimed}")
        step = CallStep(factory.id(), expected, (_plain_error(factory, claimed).of_status(200),))
        yield Case(f"a 200 with an error body that says {claimed}", ("client.error.status-line-wins", *_ALL), (step,))


def _plain_error(factory: CaseFactory, status: int) -> StubResponse:
    return error_response(factory, status, StubResponse(status).reason_phrase())


def _retries(factory: CaseFactory) -> Iterator[Case]:
    for status in (401, 404):
        expected = HttpError(status, body="Retry-After")
        answer = error_response(factory, status, "not now").with_header("Retry-After", "1")
        known = status in current_contract().operation(factory.operation).documented_statuses
        clause = ("client.retry.never-401-404", *([clause_of_status(status)] if known else []), *_ALL)
        yield _error_case(factory, f"a {status} with Retry-After: 1", clause, expected, answer)
    clauses = ("client.retry.waits", "client.retry.bounded", *_ALL)
    # Many clients wait about a second by default: only two seconds show that Retry-After was read.
    for status, seconds, times in ((429, 2, 1), (503, 1, 2)):
        step = factory.refusal(
            HttpError(status, retry_after=float(seconds)),
            error_response(factory, status, "come back later").with_header("Retry-After", str(seconds)),
        )
        # Errors, then the batch: the outcome depends on how often the client retries.
        retried = CallStep(step.batch_id, step.expected, (*step.answers[:times], step.answers[-1]))
        yield Case(f"a {status} with Retry-After: {seconds}", clauses, (retried,), waits=True)
    for status in (503, 429):
        step = factory.refusal(
            HttpError(status, retry_after=2.0),
            error_response(factory, status, "come back later").with_header("Retry-After", "{2 s from now}"),
        )
        retried = CallStep(step.batch_id, step.expected, (step.answers[0], step.answers[-1]))
        yield Case(f"a {status} with a date two seconds ahead as Retry-After", clauses, (retried,), waits=True)
    for status, after, what in (
        (429, "3600", "3600"),
        (503, "86400", "86400"),
        (503, "{3600 s from now}", "a date an hour ahead"),
    ):
        # A date exercises the clause about waits first, since a client may fail to parse it.
        first, second = _RETRY if after.isdecimal() else _RETRY[::-1]
        # The deadline allows no such wait: the client may give up, or retry earlier.
        answer = error_response(factory, status, "not today").with_header("Retry-After", after)
        step = factory.refusal(HttpError(status), answer, timeout_s=SHORT_DEADLINE)
        title = f"a {status} with Retry-After: {what}"
        yield Case(title, (first, second, *_ALL), (step,), waits=True)
    yield _error_case(
        factory, "429 again and again, with Retry-After: 0", ("client.retry.bounded", "client.retry.waits", *_ALL),
        HttpError(429, retry_after=0.0), error_response(factory, 429, "still not").with_header("Retry-After", "0"),
    )  # fmt: skip
    yield _error_case(
        factory, "429 again and again", ("client.retry.bounded", "client.retry.waits", *_ALL), HttpError(429),
        error_response(factory, 429, "still not"),
    )  # fmt: skip


def _error_case(
    factory: CaseFactory, title: str, clauses: tuple[str, ...], expected: HttpError, answer: StubResponse
) -> Case:
    waits = may_be_retried(expected.status)
    return Case(title, clauses, (factory.refusal(expected, answer),), waits=waits)
