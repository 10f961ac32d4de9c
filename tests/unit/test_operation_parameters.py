"""Serialization of required parameters, and recognition of documented values in requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from batch_conformance.contract.parameter import Parameter
from batch_conformance.contract.sendable import may_be


@pytest.mark.parametrize(
    ("example", "more", "pairs"),
    [
        ("a", {}, [("f", "a")]),
        (["a", "b"], {}, [("f", "a"), ("f", "b")]),
        (["a", "b"], {"explode": False}, [("f", "a,b")]),
        (["a", "b"], {"style": "pipeDelimited", "explode": False}, [("f", "a|b")]),
        ({"a": 5, "b": True}, {}, [("a", "5"), ("b", "true")]),
        ({"a": 5, "b": True}, {"explode": False}, [("f", "a,5,b,true")]),
        ({"a": 5}, {"style": "deepObject"}, [("f[a]", "5")]),
        ({"a": 5}, {"media_type": "application/json"}, [("f", '{"a": 5}')]),
        ("a", {"media_type": "application/json"}, [("f", '"a"')]),
    ],
)
def test_examples_are_written_by_their_style(example: Any, more: dict[str, Any], pairs: list[Any]) -> None:
    """The default is OpenAPI's, form and exploded."""
    row = replace(Parameter("f", "query", True, {}, example, True), **more)
    assert row.pairs() == pairs
    assert all(row.is_named(name) for name, _ in pairs)
    assert not row.is_named("other")


def test_headers_are_never_exploded() -> None:
    """A list is one value with commas."""
    assert Parameter("x-f", "header", True, {}, ["a", "b"], True).pairs() == [("x-f", "a,b")]


@pytest.mark.parametrize(
    ("schema", "text", "fits"),
    [
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "True", False),
        ({"type": "integer", "minimum": 1}, "3", True),
        ({"type": "integer", "minimum": 1}, "0", False),
        ({"type": "string", "format": "date"}, "2024-01-15", True),
        ({"type": "string", "format": "date"}, "15/01/2024", False),
        ({"const": "2024-10"}, "2024-10", True),
        ({"const": "2024-10"}, "2025-01", False),
        ({}, "anything", True),
        ({"type": "array", "items": {"type": "integer"}}, "a", False),
        ({"type": "array", "items": {"type": "integer"}}, "1", True),
        ({"type": ["array", "string"], "items": {"type": "integer"}}, "a", True),
    ],
)
def test_a_value_is_documented(schema: dict[str, Any], text: str, fits: bool) -> None:
    """The schema of the parameter decides, on the text or the parsed value."""
    assert may_be(Parameter("f", "query", True, schema), [("f", text)]) is fits


_FEW = {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True}
_APP = {"type": "object", "required": ["app"], "properties": {"app": {"type": "string"}, "n": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("place", "schema", "style", "explode", "sent", "fits"),
    [
        ("query", _FEW, "", None, "f=a f=b", True),
        ("query", _FEW, "", None, "f=a f=a", False),
        ("query", _FEW, "", False, "f=a,b", True),
        ("query", _FEW, "", False, "f=a,c", False),
        ("query", _FEW, "pipeDelimited", False, "f=a|b", True),
        ("query", _FEW, "pipeDelimited", False, "f=a|c", False),
        ("header", _FEW, "", None, "f=a,b", True),
        ("header", _FEW, "", None, "f=c", False),
        ("header", _APP, "", None, "f=app,y,n,1", True),
        ("header", _APP, "", None, "f=app,y,n,x", False),
        ("header", _APP, "", True, "f=app=y,n=1", True),
        ("header", _APP, "", True, "f=n=4", False),
        ("query", _APP, "", None, "app=y n=1", True),
        ("query", _APP, "", None, "n=1", False),
        ("query", _APP, "deepObject", None, "f[app]=y f[n]=2", True),
        ("query", _APP, "deepObject", None, "f[app]=y f[n]=two", False),
        ("query", {"type": "string"}, "", None, "f=a f=b", True),
    ],
)
def test_arrays_and_objects_are_documented_values(
    place: Any, schema: dict[str, Any], style: str, explode: bool | None, sent: str, fits: bool
) -> None:
    """Parsed by the serialization of the parameter."""
    row = Parameter("f", place, True, schema, style=style, explode=explode)
    pairs = [(name, value) for name, _, value in (one.partition("=") for one in sent.split())]
    assert may_be(row, pairs) is fits


@pytest.mark.parametrize(
    ("example", "segment"), [([3, 4], "3,4"), (["a b", ","], "a%20b,%2C"), ("a/b", "a%2Fb"), (".", "%2E"), (5, "5")]
)
def test_examples_are_segments_of_a_path(example: Any, segment: str) -> None:
    """Each item is encoded by itself."""
    assert Parameter("f", "path", True, {}, example, True).in_path() == segment


@pytest.mark.parametrize(
    ("more", "pairs", "fits"),
    [
        ({"explode": False}, [("f", "1,2")], True),
        ({"explode": False}, [("f", "1"), ("f", "2")], False),
        ({}, [("f", "1"), ("f", "2")], True),
        ({"media_type": "application/json"}, [("f", "[1, 2]")], True),
        ({"media_type": "application/json"}, [("f", "1,2")], False),
        ({"media_type": "application/json"}, [("f", "1"), ("f", "2")], False),
    ],
)
def test_lists_are_read_as_they_are_documented(more: dict[str, Any], pairs: list[tuple[str, str]], fits: bool) -> None:
    """Not by name alone."""
    schema = {"type": "array", "items": {"type": "integer"}}
    assert may_be(replace(Parameter("f", "query", True, schema), **more), pairs) is fits
