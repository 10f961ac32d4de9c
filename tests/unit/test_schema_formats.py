"""Formats and patterns accept what their standard allows, and refuse everything else."""

from __future__ import annotations

from typing import Any

import pytest

from batch_conformance.contract.ecma_regex import UnsupportedPattern, compile_pattern
from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.schema import SchemaError, SchemaJudge


def wrong(schema: Any, value: Any) -> list[tuple[str, str]]:
    """Return code and pointer of every violation."""
    return [(one.code, one.pointer) for one in SchemaJudge(schema, {}).violations(value)]


# Formats.


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, one in FORMATS.items() for _, v in one.valid], ids=repr)
def test_a_format_accepts(name: str, value: Any) -> None:
    """Values that its standard allows."""
    assert wrong({"format": name}, value) == []


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, one in FORMATS.items() for _, v in one.malformed], ids=repr)
def test_a_format_refuses(name: str, value: Any) -> None:
    """Values that its standard forbids."""
    assert wrong({"format": name}, value) == [("format", "")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", "２０２４-01-15"),
        ("date-time", "2024-01-15T10:30:00Ｚ"),
        ("time", "01:29:60+01:30"),
        ("uuid", "9f1c8f3e-7a55-4c1b-9d5e-2f6a1b0c3d4"),
        ("uri", "http://exa mple.com"),
        ("uri", "http://a/\\b"),
        ("uri", "http://a/[b]"),
        ("uri", ":no-scheme"),
        ("email", "a@[300.0.0.1]"),
        ("email", "a@example..com"),
        ("ipv4", "１.2.3.4"),
        ("ipv6", "fe80::1%25eth0"),
        ("hostname", "example.com."),
        ("int32", 2**40),
    ],
    ids=repr,
)
def test_a_format_handles_edge_cases(name: str, value: Any) -> None:
    """Digits of other scripts, zones, hosts."""
    assert FORMATS[name].accepts(value) is (value == "01:29:60+01:30")


def test_a_format_ignores_other_types_and_unknown_formats_are_ignored() -> None:
    """2020-12, 7.2.1."""
    for name, one in FORMATS.items():
        assert wrong({"format": name}, None if one.type == "number" else 5) == []
    assert wrong({"format": "x-own"}, "anything") == []


# Patterns.


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        ("b", "abc", True),
        (r"^\d+$", "٣", False),
        (r"^\w$", "ä", False),
        (r"^\s$", "\u00a0", True),
        (r"^\s$", "\ufeff", True),
        (r"^\S$", "\u2003", False),
        ("^.$", "\u2028", False),
        ("^.$", "🎬", True),
        (r"^[\s\S]$", "\n", True),
        ("^[^]$", "\n", True),
        ("[]", "a", False),
        (r"^\u{1F3AC}$", "🎬", True),
        (r"^\u00e4$", "ä", True),
        (r"^(?<x>a)\k<x>$", "aa", True),
        (r"^\/a\-b$", "/a-b", True),
        (r"^\cJ$", "\n", True),
        ("^a{2,3}$", "aaa", True),
        ("^[a-z&&b]$", "&", True),
        ("^(?!x)a", "a", True),
        (r"^[\]]$", "]", True),
    ],
)
def test_patterns_are_those_of_ecma_262(pattern: str, text: str, found: bool) -> None:
    """Search semantics, ASCII classes, no match before a trailing line feed."""
    assert bool(compile_pattern(pattern).search(text)) is found


@pytest.mark.parametrize("pattern", ["(", "[a", r"\Z", r"\p{L}", "(?P<x>a)", "a**", "a++", "(?i)a", "{", r"\u12"])
def test_an_invalid_pattern_is_refused(pattern: str) -> None:
    """The message is one line."""
    with pytest.raises(UnsupportedPattern) as caught:
        compile_pattern(pattern)
    assert "\n" not in str(caught.value)
    with pytest.raises(SchemaError):
        SchemaJudge({"properties": {"x": {"pattern": pattern}}}, {})
