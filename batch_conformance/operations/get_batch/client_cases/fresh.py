"""Cases for ``client.decode.fresh``: several calls of one client, each with a response of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from batch_conformance.checks.client.record import HttpError, InvalidSuccess, TransportFault, Unconstrained
from batch_conformance.client_runner.cases.case import SHORT_DEADLINE, CallStep, Case, CaseFactory
from batch_conformance.client_runner.stub.answers import StubResponse, html, json_body, text
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.operations.get_batch.client_cases.decode import counts
from batch_conformance.operations.get_batch.client_cases.error_responses import error_response
from batch_conformance.operations.get_batch.client_cases.states import underway

_FRESH = ("client.decode.fresh",)


def fresh_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with calls after other calls, successful and failed ones."""
    name = factory.id()
    states = [
        _later(factory, name, counts(60, 21, 4, 35), **underway(factory)),
        _later(factory, name, counts(60, 55, 5, 0)),
    ]
    done = _later(factory, name, counts(60, 56, 4, 0))
    with suppress(NotInContract):
        done = factory.values.without(done, "webhookUrl")
    yield Case(
        "a batch that moves on between three calls",
        _FRESH,
        tuple(replace(factory.valid(batch), batch_id=name) for batch in (*states, done)),
    )
    other = factory.id()
    moving = [factory.values.with_id(batch, other) for batch in states]
    yield Case(
        "a batch that moves on, with entity tags",
        _FRESH,
        tuple(
            replace(factory.valid(batch, _tagged(json_body(batch), number)), batch_id=other)
            for number, batch in enumerate(moving)
        ),
    )
    words = "Batch not found"
    removed = factory.valid(factory.batch())
    missing = HttpError(404, (words,))
    yield Case(
        "a batch that is gone at the second call",
        _FRESH,
        (removed, replace(removed, expected=missing, answers=(error_response(factory, 404, words),))),
    )
    late = factory.valid(factory.batch())
    yield Case(
        "a batch that is there at the second call",
        _FRESH,
        (replace(late, expected=missing, answers=(error_response(factory, 404, words),)), late),
    )
    yield from _after_failures(factory)


def _later(factory: CaseFactory, name: str, metrics: Mapping[str, int], **more: str) -> dict[str, Any]:
    """Return a batch with these counts and members; an ordinary one where the contract forbids them."""
    try:
        return factory.batch(name, metrics=metrics, **more)
    except NotInContract:
        return factory.batch(name)


def _tagged(answer: StubResponse, number: int) -> StubResponse:
    return answer.with_header("ETag", f'"{number}"').with_header("Cache-Control", "no-cache")


def _after_failures(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with calls after a failed one: nothing of it may remain in a connection or in memory."""
    long = "nothing by that name: " + "no " * 60_000
    absent = factory.refusal(HttpError(404), error_response(factory, 404, long))
    yield Case(
        "batches between errors with long bodies",
        _FRESH,
        (
            absent,
            factory.valid(factory.batch()),
            factory.refusal(HttpError(404), error_response(factory, 404, long)),
            factory.valid(factory.batch()),
        ),
    )
    down = error_response(factory, 500, "the archive does not respond")
    locked = error_response(factory, 401, "Unauthorized")
    reset = TransportFault("reset", "a connection reset")
    for what, known, failed in (
        ("a server error", factory.valid(factory.batch()), factory.refusal(HttpError(500), down)),
        ("a refusal of its key", factory.valid(factory.batch()), factory.refusal(HttpError(401), locked)),
        (
            "a connection that breaks",
            factory.valid(factory.batch()),
            factory.fault(reset, json_body(factory.batch()).reset()),
        ),
    ):
        yield Case(
            f"a batch, then {what}, then the batch again",
            _FRESH,
            (known, replace(failed, batch_id=known.batch_id), known),
        )
    yield Case(
        "batches behind answers that are none",
        _FRESH,
        (
            CallStep(factory.id(), InvalidSuccess("an HTML page"), (html(),)),
            factory.valid(factory.batch()),
            CallStep(factory.id(), InvalidSuccess("cut-off JSON"), (text(200, '{"id": "batch_1", "sta'),)),
            factory.valid(factory.batch()),
        ),
    )
    whole = json_body(factory.batch())
    yield Case(
        "batches behind connections that broke",
        _FRESH,
        (
            factory.fault(TransportFault("truncated", "half a batch", begun=True), whole.cut_off()),
            factory.valid(factory.batch()),
            factory.fault(TransportFault("reset", "a connection reset before any answer"), whole.reset()),
            factory.valid(factory.batch()),
        ),
    )
    # Later than the deadline, but within the grace: the first call may report anything.
    late = factory.batch()
    yield Case(
        "a batch behind an answer that came too late",
        _FRESH,
        (
            CallStep(
                factory.id_of(late),
                Unconstrained(),
                (json_body(late).delayed(1.4),),
                timeout_s=SHORT_DEADLINE,
            ),
            factory.valid(factory.batch()),
            factory.valid(factory.batch()),
        ),
    )
