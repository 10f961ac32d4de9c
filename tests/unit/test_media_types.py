"""Media types: ranges, the one to send, and parameters."""

from __future__ import annotations

import pytest

from batch_conformance.contract.media_types import contradicts, one_of, with_ranges


def test_ranges_are_by_family_and_by_suffix() -> None:
    """Closest first."""
    assert with_ranges("Application/Problem+JSON") == (
        "application/problem+json", "application/*+json", "application/*", "*/*",
    )  # fmt: skip
    assert with_ranges("text/csv") == ("text/csv", "text/*", "*/*")


@pytest.mark.parametrize(
    ("documented", "sent"),
    [
        ([], None),
        (["application/xml", "application/json"], "application/json"),
        (["application/*"], "application/json"),
        (["application/*+json"], "application/batch+json"),
        (["application/vnd.x+json", "text/csv"], "application/vnd.x+json"),
        (["application/json; version=2"], "application/json; version=2"),
    ],
)
def test_json_is_sent_where_it_is_documented(documented: list[str], sent: str | None) -> None:
    """Else the first one."""
    assert one_of(documented) == sent


@pytest.mark.parametrize(
    ("sent", "documented", "expected"),
    [
        ("application/json", ["application/json; version=2"], False),
        ("application/json; Version=2; charset=utf-8", ["application/json; version=2"], False),
        ('application/json; version="2"', ["application/json; version=2"], False),
        ("application/json; version=1", ["application/json; version=2"], True),
        ("application/json; version=1", ["application/json; version=2", "application/json; version=1"], False),
        ("application/json; version=1", ["application/json"], False),
        ("application/json; charset=latin-1", ["application/json; charset=utf-8"], True),
        ("text/html; version=1", ["application/json; version=2"], False),
    ],
)
def test_a_documented_parameter_may_be_absent_but_not_another(sent: str, documented: list[str], expected: bool) -> None:
    """One that is not documented says nothing."""
    assert contradicts(sent, documented) is expected
