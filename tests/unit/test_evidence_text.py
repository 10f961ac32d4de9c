"""Values of clients in the evidence of findings."""

from __future__ import annotations

import pytest

from batch_conformance.checks.client.compare import shown


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
