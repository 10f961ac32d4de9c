"""Comparison of decoded values, and how evidence shows them."""

from __future__ import annotations

import pytest

from batch_conformance.checks.client.compare import problem_at, shown
from batch_conformance.checks.finding import MISSING
from batch_conformance.contract.leaves import Leaf


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1", '"1"'),
        (1, "1"),
        ("None", '"None"'),
        (None, "null"),
        ("", '""'),
        ("[]", '"[]"'),
        ("PENDING", "PENDING"),
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
    ],
)
def test_a_text_that_reads_like_another_value_is_quoted(value: object, text: str) -> None:
    """Expected 1 and got 1 would say nothing."""
    assert shown(value) == text


@pytest.mark.parametrize(
    ("place", "decoded", "code"),
    [
        ("/labels/*", MISSING, "lost"),
        ("/labels/*", None, ""),
        ("/labels/*", "x", "changed"),
        ("/webhookUrl", MISSING, ""),
        ("/webhookUrl", None, ""),
    ],
)
def test_a_null_in_a_map_is_not_the_same_as_none(place: str, decoded: object, code: str) -> None:
    """The keys of a map are data; a documented member may be left out in place of null."""
    assert problem_at(Leaf("/labels/a", place, "null", None), decoded) == code
