"""Generated values: valid batches are valid, invalid ones have exactly one wrong member."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from batch_conformance.client_runner.cases.case import ordinary_values
from batch_conformance.client_runner.cases.generated import examples, properties, smallest
from batch_conformance.client_runner.cases.wrong_types import wrong_types
from batch_conformance.contract import parse_date_time, schema_violations
from batch_conformance.generate.batches import (
    LARGEST,
    Style,
    instants,
    styles,
    written,
)
from batch_conformance.generate.client_ids import DOTS, TRICKY, ids_of_every_kind
from batch_conformance.http import read_json
from batch_conformance.operations.get_batch.client_cases.decode import COUNTS
from batch_conformance.operations.get_batch.client_cases.odd_bodies import (
    OTHERS_4XX,
    OTHERS_5XX,
    odd_bodies,
    odd_error_bodies,
)
from batch_conformance.operations.get_batch.client_cases.strategies import counts, valid_batches

_SOME = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@_SOME
@given(valid_batches(), styles())
def test_valid_batches_are_valid_however_written(batch: dict[str, Any], style: Style) -> None:
    """They conform to the schema and to the rules on counts, in any serialization."""
    assert not list(schema_violations("batch", batch))
    metrics = batch["metrics"]
    assert metrics["success_count"] + metrics["failed_count"] + metrics["pending_count"] <= metrics["total_generations"]
    if batch["status"] == "COMPLETED":
        assert metrics["pending_count"] == 0
    read = read_json(written(batch, style))
    assert read.error is None
    assert read.value == json.loads(json.dumps(batch))
    assert not read.repeated


@_SOME
@given(instants(latitude=True))
def test_dates_exist(text: str) -> None:
    """Every one is an RFC 3339 date-time."""
    assert not isinstance(parse_date_time(text), str)


@_SOME
@given(st.booleans().flatmap(lambda unfinished: counts(unfinished=unfinished)))
def test_counts_are_exact_in_every_reader(metrics: dict[str, int]) -> None:
    """They are between 0 and 2^53 - 1."""
    assert list(metrics) == list(COUNTS)
    assert all(0 <= value <= LARGEST for value in metrics.values())


def test_wrong_types_are_wrong_in_one_member() -> None:
    """Every required member is missing, null and of other types in turn, and each value breaks the schema."""
    rows = wrong_types()
    assert len({(row.pointer, row.label) for row in rows}) == len(rows)
    for pointer in (
        "/id",
        "/created_at",
        "/status",
        "/metrics",
        "/outputUrl",
        *(f"/metrics/{count}" for count in COUNTS),
    ):
        labels = {row.label for row in rows if row.pointer == pointer}
        assert labels > {"removed", "null"}
    judge = ordinary_values("get").entity.judge
    for row in rows:
        assert [one.pointer for one in judge.violations(row.value)] == [row.pointer]
        assert judge.is_valid(row.base)


@_SOME
@given(ids_of_every_kind())
def test_ids_can_be_requested(text: str) -> None:
    """They are no dot segments, and UTF-8 can encode them."""
    assert text not in DOTS
    text.encode("utf-8")


def test_listed_ids_and_bodies_are_distinct() -> None:
    """There are no duplicates, and each has its own description."""
    assert len({text for text, _ in TRICKY}) == len({what for _, what in TRICKY}) == len(TRICKY)
    bodies = odd_bodies(404)
    assert len({odd.what for odd in bodies}) == len({(odd.body, odd.media_type) for odd in bodies}) == len(bodies)
    assert not {407, 408, 421, 425} & {*OTHERS_4XX, *OTHERS_5XX}


@_SOME
@given(odd_error_bodies(404))
def test_odd_bodies_are_bytes(odd: Any) -> None:
    """Their content may be anything."""
    assume(odd.body)
    assert isinstance(odd.body, bytes)
    assert odd.what


def test_examples_are_deterministic_for_a_seed() -> None:
    """The same seed gives the same examples; a few of each property."""
    for which in properties():
        drawn = examples.__wrapped__(which, 6, 3)
        assert [repr(example) for example in drawn] == [repr(example) for example in examples.__wrapped__(which, 6, 3)]
        assert len(drawn) >= 3


def test_the_smallest_failing_example_is_found_within_its_budget() -> None:
    """Hypothesis shrinks; examples that were already run are not run again."""
    which = next(row for row in properties() if row.clause == "client.request.id-encoding")
    played: list[str] = []

    def fails(example: str) -> bool:
        played.append(example)
        return "+" in example

    known = {repr(example): "+" in example for example in examples(which, 200, 0)}
    assert any(known.values())
    before = set(known)
    assert smallest(which, 200, 0, known, fails, 60) == "+"
    assert len(played) <= 60
    assert not before & {repr(example) for example in played}


def test_nothing_smaller_without_a_failure() -> None:
    """Without a failing example, there is no result."""
    which = properties()[1]
    known = {repr(example): False for example in examples(which, 5, 0)}
    assert smallest(which, 5, 0, known, lambda _: False, 10) is None
