"""Cases with responses that are no list: ``client.list.not-array`` and ``client.reject.other-status``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from batch_conformance.checks.client.record import InvalidSuccess
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.stub.answers import StubResponse, json_body
from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import list_shape
from batch_conformance.operations.list_batches.answers import answer_of
from batch_conformance.operations.list_batches.client_record import OPERATION, Arguments


def non_list_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with a 200 that holds no list, or holds it at an undocumented place."""
    rows = [factory.batch(), factory.batch()]
    values: Mapping[str, Any] = {
        "null": None,
        "the list within data": {"data": rows},
        "the list within batches": {"batches": rows},
        "the list within items": {"items": rows},
        "the list within results": {"results": rows},
        "a batch alone": rows[0],
        "an empty object": {},
        "a string": "none",
        "false": False,
        "batches by their ids": {f"batch_{number}": row for number, row in enumerate(rows)},
        "the list alone": rows,
    }
    shape = list_shape()
    for what, value in values.items():
        if shape is None or shape.allows(value) or shape.entries(value) is not None:
            continue  # documented
        step = CallStep("", InvalidSuccess(what), (json_body(value),), arguments=Arguments.nothing())
        yield Case(
            f"a 200 with {what}",
            ("client.list.not-array", "client.auth.not-in-errors"),
            (step,),
            operation=OPERATION,
        )


def other_status_cases(entries: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    """Yield cases with another status than 200, with a list or without. Raises :class:`NotInContract`."""
    whole = json_body(answer_of(list(entries)))
    size = len(whole.body)
    part = whole.of_status(206).with_header("Content-Range", f"bytes 0-{size - 1}/{size * 2}")
    rows = {
        "a 204 in place of a list": StubResponse(204),
        "a 206 with a list in its body": part,
        "a 302 with a list in its body, without a Location": whole.of_status(302),
        **{f"a {status} in place of a list": StubResponse(status) for status in (205, 301, 303, 304, 307, 308)},
    }
    for what, answer in rows.items():
        if answer.status not in current_contract().operation(OPERATION).documented_statuses:
            step = CallStep("", InvalidSuccess(what), (answer,), arguments=Arguments.nothing())
            clauses = ("client.reject.other-status", "client.auth.not-in-errors")
            yield Case(what, clauses, (step,), operation=OPERATION)
