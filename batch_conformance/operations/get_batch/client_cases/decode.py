"""Cases for ``client.decode.*``: valid batches, each unusual in one way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from batch_conformance.client_runner.cases.case import Case, CaseFactory, possible
from batch_conformance.client_runner.stub.answers import json_body
from batch_conformance.generate.batches import LARGEST
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.operations.get_batch.client_cases.states import in_state, underway

_EXTRA, _CASE = "client.decode.unknown-fields", "client.decode.unknown-fields-case"
#: Clauses that every request exercises.
EVERY_REQUEST = (
    "client.request.target",
    "client.request.no-body",
    "client.request.single",
    "client.auth.header",
    "client.auth.only-there",
)
_DATES = (
    "2024-01-15T10:30:00+05:30",
    "2024-03-10T02:30:00-08:00",
    "2024-01-15T10:30:00.123456Z",
    "2024-01-15T10:30:00.1Z",
    "2024-12-31T23:59:59.999999-03:45",
    "2024-02-29T00:00:00+00:00",
    "2024-01-15T10:30:00.123456789Z",
    "2024-01-01T00:15:00+14:00",
    "2024-01-15T10:30:00.000001Z",
    "2024-07-15T10:30:00-00:00",
    "1999-12-31T23:59:59.5Z",
    "2047-06-30T12:00:00.250+01:00",
)
#: Ways to write an integer with a fraction or an exponent.
FRACTIONS = ("{}.0", "{}.000", "{}e0", "{}.0E+0")
#: ``t`` and ``z`` in lower case, which RFC 3339, 5.6 allows.
_LOWER_CASE = ("2024-01-15t10:30:00z", "2024-01-15T10:30:00z", "2024-01-15t10:30:00Z", "2024-06-15t23:45:10.125-05:30")
#: Counts of unfinished batches. No count follows from the others, so a client that computes one is detected.
_COUNTS = (
    (90, 41, 7, 13),
    (5, 0, 0, 0),
    (1000, 0, 1, 2),
    (2**31 + 9, 2**31 - 1, 3, 1),
    (2**32 + 70, 2**32 + 1, 5, 7),
    (LARGEST, 12, 4, 9),
    (LARGEST, LARGEST - 9, 2, 3),
    (LARGEST - 1, 1, 2**53 - 11, 5),
    (10, 3, 0, 7),
    (100_000, 65_536, 255, 32_768),
)
#: The names of the counts, in the order total, success, failed, pending.
COUNTS = ("total_generations", "success_count", "failed_count", "pending_count")
#: Final statuses.
DONE = ("COMPLETED", "FAILED")
_OUTCOMES = (("failed", (47, 0, 47, 0)), ("succeeded", (47, 47, 0, 0)))
_UNKNOWN_STATUSES = ("CANCELLED", "ARCHIVED", "completed", "ON_HOLD", "EXPIRED_V2", "COMPLETED_WITH_ERRORS")


def decode_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with batches that every client has to decode."""
    for number in range(4):
        yield Case(
            f"an ordinary batch ({number + 1})",
            ("client.decode.fields", *EVERY_REQUEST),
            (factory.valid(factory.batch()),),
            ordinary=True,
        )
    yield from possible(
        lambda: Case(
            "URLs that lead to the server itself",
            ("client.request.target", "client.request.single"),
            (factory.valid(factory.batch(outputUrl="{own}/v2/batches/1/result", webhookUrl="{own}/hook")),),
        ),
        lambda: Case(
            "an id of both cases, URLs without TLS",
            ("client.decode.fields",),
            (
                factory.valid(
                    factory.batch(
                        id="batch_Ab3xYz9QwE",
                        outputUrl="http://127.0.0.1:9000/Results/1?x=1&y=%20#Top",
                        webhookUrl="http://hooks.example.com/Batch/",
                    )
                ),
            ),
        ),
    )
    for success in factory.values.entity.operation.other_successes:
        step = factory.valid(made := factory.batch(), json_body(made, success))
        yield Case(f"a batch with the status {success}", ("client.decode.fields",), (step,))
    lifecycle = factory.values.entity.lifecycle
    for status in lifecycle.values if lifecycle.pointer else ():
        yield from possible(partial(status_case, factory, status))
        for outcome, row in _OUTCOMES if status in lifecycle.final else ():
            yield from possible(partial(outcome_case, factory, status, outcome, counts(*row)))
    for status in [one for one in lifecycle.values if one not in lifecycle.final] if lifecycle.pointer else ():
        # All generations are done but the status is not final yet: a server may need time in between.
        yield from possible(partial(outcome_case, factory, status, "ended", counts(47, 40, 7, 0)))
    for date in _DATES:
        yield from possible(partial(date_case, factory, date))
    for date in _LOWER_CASE:
        yield from possible(partial(letters_case, factory, date))
    for written in FRACTIONS:
        yield from possible(partial(fraction_case, factory, counts(47, 31, 5, 0), written))
    yield from _other_ids(factory)
    for row in _COUNTS:
        yield from possible(partial(counts_case, factory, counts(*row)))
    yield from _optional(factory)
    yield from _extra(factory)
    for status in _UNKNOWN_STATUSES if lifecycle.pointer else ():
        if status not in lifecycle.values:
            batch = factory.batch_at(lifecycle.pointer, status, valid=False)
            step = factory.valid(batch, refusable=True)
            yield Case(f"a batch in the unknown state {status}", ("client.decode.unknown-status",), (step,))


def status_case(factory: CaseFactory, status: str) -> Case:
    """Make a case with a batch in a status, with unfinished counts where the contract allows them."""
    batch = factory.batch_at(factory.values.entity.lifecycle_pointer, status)
    if status not in DONE:
        with suppress(NotInContract):
            batch = factory.values.changed(batch, {"metrics": counts(60, 21, 4, 35)})
    return Case(f"a batch in state {status}", ("client.decode.status",), (factory.valid(batch),))


def outcome_case(factory: CaseFactory, status: str, outcome: str, metrics: Mapping[str, int]) -> Case:
    """Make a case with no pending generations: neither status nor counts may be derived from the other."""
    batch = factory.batch_at(factory.values.entity.lifecycle_pointer, status)
    step = factory.valid(factory.values.changed(batch, {"metrics": metrics}))
    return Case(f"a batch in state {status} of which all {outcome}", ("client.decode.status",), (step,))


def date_case(factory: CaseFactory, date: str) -> Case:
    """Make a case with a ``created_at``; one finer than milliseconds also exercises the precision clause."""
    batch = factory.batch(created_at=date)
    finer = ("client.decode.created_at-precision",) if re.search(r"\.\d{3}\d*[1-9]", date) else ()
    return Case(f"created_at {date}", ("client.decode.created_at", *finer), (factory.valid(batch),))


def letters_case(factory: CaseFactory, date: str) -> Case:
    """Make a case with a ``created_at`` that has ``t`` or ``z`` in lower case."""
    batch = factory.batch(created_at=date)
    step = factory.valid(batch, refusable=True)
    return Case(f"created_at {date}", ("client.decode.created_at-letters",), (step,))


def fraction_case(factory: CaseFactory, metrics: Mapping[str, int], written: str) -> Case:
    """Make a case with an unfinished batch whose counts are ``written`` with a fraction or an exponent."""
    batch = factory.batch(metrics=metrics, **underway(factory))
    body = json.dumps(batch, ensure_ascii=False)
    for name, value in metrics.items():
        body = body.replace(f'"{name}": {value}', f'"{name}": {written.format(value)}')
    step = factory.valid(batch, json_body(None).with_body(body), refusable=True)
    return Case(f"counts written {written.format(5)}", ("client.decode.counts-fraction",), (step,))


def counts(total: int, success: int, failed: int, pending: int) -> dict[str, int]:
    """Return the four counts as the ``metrics`` object."""
    return dict(zip(COUNTS, (total, success, failed, pending), strict=True))


def counts_case(factory: CaseFactory, metrics: Mapping[str, int]) -> Case:
    """Make a case with an unfinished batch that has these counts."""
    formatted = ", ".join(f"{value}" for value in metrics.values())
    batch = factory.batch(metrics=metrics, **underway(factory))
    return Case(f"counts {formatted}", ("client.decode.counts",), (factory.valid(batch),))


def _valid(factory: CaseFactory, title: str, clause: str, **changed: Any) -> Iterator[Case]:
    yield from possible(lambda: Case(title, (clause,), (factory.valid(factory.batch(**changed)),)))


def _other_ids(factory: CaseFactory) -> Iterator[Case]:
    for what, changed in (
        ("another one of its form", lambda _: factory.id()),
        ("the one asked for in upper case", str.upper),
        ("the one asked for without its prefix", lambda name: name.removeprefix("batch_")),
        ("the one asked for and more", lambda name: f"{name}_2"),
    ):
        yield from possible(partial(_other_id, factory, what, changed))


def _other_id(factory: CaseFactory, what: str, changed: Callable[[str], str]) -> Case:
    requested, values = factory.id(), factory.values
    other = changed(requested)
    if values.entity.echo is None or other == requested or not values.may_have(other):
        raise NotInContract("the contract allows no such id")
    batch = values.with_id(factory.batch(requested), other)
    step = replace(factory.valid(batch, refusable=True), batch_id=requested)
    return Case(f"a batch whose id is {what}", ("client.decode.id",), (step,))


def _optional(factory: CaseFactory) -> Iterator[Case]:
    clause = "client.decode.optional"
    yield from _valid(factory, "webhookUrl null", clause, webhookUrl=None)
    yield from possible(lambda: Case("webhookUrl absent", (clause,), (factory.valid(factory.without("webhookUrl")),)))
    for status in ("PENDING", "JOBS_CREATED", "PROCESSING", "FAILED"):
        empty: dict[str, Any] = {**in_state(factory, status), "outputUrl": ""}
        if status != "FAILED":
            empty["metrics"] = counts(10, 3, 0, 7)
        yield from _valid(factory, f"outputUrl empty in state {status}", clause, **empty)
    yield from _valid(
        factory, "just created, nothing there yet", clause, outputUrl="", webhookUrl=None,
        metrics=counts(5, 0, 0, 5), **in_state(factory, "PENDING"),
    )  # fmt: skip


def _extra(factory: CaseFactory) -> Iterator[Case]:
    deep: Any = "bottom"
    for level in range(12):
        deep = {"level": level, "next": [deep]}
    rows: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (
            "members of every kind",
            {"note": "x", "expiresAt": None, "links": {"self": "/"}, "jobs": [{"n": 1}]},
            {"skipped_count": 3, "by_model": {"a": 1}, "average_seconds": None},
        ),
        ("a text", {"errorCode": "none"}, {}),
        ("null", {"expiresAt": None}, {}),
        ("an object", {"links": {"self": "/v2/batch/1", "status": "other", "id": "other"}}, {}),
        ("an array of objects", {"jobs": [{"id": "job_1", "status": "FAILED"}, None, 3]}, {}),
        ("deep nesting", {"debug": deep}, {}),
        ("a count in metrics", {}, {"skipped_count": 3}),
        ("an object in metrics", {}, {"by_model": {"lipsync-2": {"success_count": 1}}}),
        ("null in metrics", {}, {"average_seconds": None}),
        (
            "names that mean something to programs",
            {"class": "x", "self": 1, "__proto__": {"id": "other"}, "": 0},
            {},
        ),
        (
            "objects that look like the batch itself",
            {name: {"id": "other", "status": "FAILED"} for name in ("data", "batch", "result")},
            {},
        ),
        ("names that errors have", {"message": "all is well", "error": "none"}, {}),
        (
            "known names in another style",
            {"createdAt": "1999-01-01T00:00:00Z", "output_url": "https://other.example", "webhook_url": "x"},
            {"successCount": 77, "totalGenerations": 77},
        ),
        ("a long text", {"note": "long " * 8000}, {}),
        ("many of them", {f"extra_{number}": number for number in range(60)}, {}),
    ]
    for what, more, inside in rows:
        yield from possible(partial(extra_case, factory, f"an extra member: {what}", more, inside))
    capitals = {"Status": "FAILED", "ID": "other", "outputURL": "https://other.example", "Metrics": {}}
    for what, more, inside in (
        ("a known name in another case", {"Status": "FAILED"}, {}),
        ("known names in another case", capitals, {"Success_Count": 77}),
    ):
        make = partial(extra_case, factory, f"an extra member: {what}", more, inside, _CASE)
        yield from possible(make)


def extra_case(
    factory: CaseFactory, title: str, more: Mapping[str, Any], inside: Mapping[str, Any], clause: str = _EXTRA
) -> Case:
    """Make a case with extra members, before and after the known ones. Raises :class:`NotInContract`."""
    plain = factory.batch()
    known = factory.values.entity.members
    more = {name: value for name, value in more.items() if name not in known}
    batch = {**dict(list(more.items())[:1]), **plain, **more}
    if isinstance(plain.get("metrics"), dict):
        inside = {name: value for name, value in inside.items() if name not in plain["metrics"]}
        batch["metrics"] = {**plain["metrics"], **inside}
    if batch == plain or (factory.values.edited and not factory.values.space.judge.is_valid(batch)):
        raise NotInContract("the contract leaves no room for these extra members")
    return Case(title, (clause,), (factory.valid(plain, json_body(batch), refusable=clause == _CASE),))
