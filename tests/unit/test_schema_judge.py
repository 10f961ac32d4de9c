"""Validation by schemas: the right keyword is reported at the right place, and valid values are accepted."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from batch_conformance.contract.places import places
from batch_conformance.contract.pointers import MISSING, expand, join, matches, read, replaced, split
from batch_conformance.contract.schema import SchemaError, SchemaJudge
from batch_conformance.http.strict_json import read_json
from tests.support.schema_samples import DOCUMENT, SCHEMAS


def wrong(schema: Any, value: Any, document: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """Return code and pointer of every violation."""
    return [(one.code, one.pointer) for one in SchemaJudge(schema, document or {}).violations(value)]


# Numbers.


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("5", []),
        ("5.0", []),
        ("5e0", []),
        ("1e400", []),
        ("123456789012345678901234567890", []),
        ("5.5", ["type"]),
        ("5.00000000000000000000001", ["type"]),
        ("true", ["type"]),
        ('"5"', ["type"]),
    ],
)
def test_an_integer_is_a_number_without_a_fraction(text: str, codes: list[str]) -> None:
    """The digits decide, not a float's value."""
    value = read_json(text.encode()).value
    assert [code for code, _ in wrong({"type": "integer"}, value)] == codes


@pytest.mark.parametrize(
    ("schema", "value", "code"),
    [
        ({"type": "number"}, float("nan"), "type"),
        ({"type": "number"}, True, "type"),
        ({"minimum": 1}, False, None),
        ({"maximum": 5}, float("inf"), "maximum"),
        ({"multipleOf": 0.1}, 0.3, None),
        ({"multipleOf": 0.01}, 19.99, None),
        ({"multipleOf": 0.01}, 19.999, "multipleOf"),
        ({"multipleOf": 3}, 2**70, "multipleOf"),
        ({"multipleOf": 2}, float("inf"), None),
        ({"minimum": 9007199254740993}, 9007199254740992, "minimum"),
        ({"const": 1}, True, "const"),
        ({"const": 1}, 1.0, None),
        ({"const": [0]}, [False], "const"),
        ({"enum": [0, "a"]}, False, "enum"),
        ({"enum": [None]}, None, None),
        ({"uniqueItems": True}, [1, True, "1", [1], [True]], None),
        ({"uniqueItems": True}, [1, 1.0], "uniqueItems"),
        ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1}], "uniqueItems"),
    ],
    ids=repr,
)
def test_numbers_are_exact_and_booleans_are_not_numbers(schema: dict[str, Any], value: Any, code: str | None) -> None:
    """Equality and multiples are those of JSON."""
    assert [found for found, _ in wrong(schema, value)] == ([code] if code else [])


# Reported places.


@pytest.mark.parametrize(
    ("schema", "value", "found"),
    [
        ({"required": ["a/b", "c"]}, {}, [("required", "/a~1b"), ("required", "/c")]),
        ({"type": "string", "enum": ["a"], "minLength": 1}, None, [("type", "")]),
        ({"enum": ["a"]}, None, [("enum", "")]),
        (
            {"additionalProperties": False, "properties": {"a": {}}},
            {"a": 1, "b": 2},
            [("additionalProperties", "/b")],
        ),
        ({"additionalProperties": {"type": "string"}}, {"b": 2}, [("type", "/b")]),
        ({"properties": {"a": False}}, {"a": 1}, [("false", "/a")]),
        ({"prefixItems": [{}, False]}, [1, 2], [("false", "/1")]),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1, "c": 2}, [("propertyNames", "/ab")]),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, [("dependentRequired", "/b")]),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"a": 1}, [("required", "/b")]),
        ({"items": {"type": "integer"}}, [1, "x", 3, None], [("type", "/1"), ("type", "/3")]),
        ({"prefixItems": [{"type": "integer"}], "items": False}, ["x", 1], [("items", ""), ("type", "/0")]),
        ({"prefixItems": [{}], "unevaluatedItems": False}, [1, 2], [("unevaluatedItems", "/1")]),
        ({"contains": {"const": 1}}, [2], [("contains", "")]),
        ({"contains": {"const": 1}, "minContains": 2}, [1], [("minContains", "")]),
        ({"contains": {"const": 1}, "maxContains": 1}, [1, 1], [("maxContains", "")]),
        ({"contains": {"const": 1}, "minContains": 0}, [], []),
        ({"not": {"type": "string"}}, "x", [("not", "")]),
        ({"minProperties": 2, "maxProperties": 2}, {"a": 1}, [("minProperties", "")]),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
            {"a": 1},
            [("required", "/b")],
        ),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
            {},
            [("required", "/c")],
        ),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5, [("anyOf", "")]),
        ({"anyOf": [{"type": "string", "maxLength": 1}, {"type": "null"}]}, "ab", [("maxLength", "")]),
        ({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 3, [("oneOf", "")]),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, [("oneOf", "")]),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, [("oneOf", "")]),
        ({"allOf": [{"type": "string"}, {"type": ["string", "null"]}]}, 5, [("type", "")]),
        ({"patternProperties": {"^x": {"type": "string"}}}, {"x1": 5, "y": 5}, [("type", "/x1")]),
    ],
    ids=repr,
)
def test_the_keyword_is_reported_at_its_place(schema: Any, value: Any, found: list[tuple[str, str]]) -> None:
    """One fault gives one violation; a missing member is reported at its own pointer."""
    assert wrong(schema, value) == found


def test_violations_are_reported_within_the_intended_branch() -> None:
    """A circle without a radius lacks its radius, rather than matching no shape."""
    schema = SCHEMAS["Shapes"]
    assert wrong(schema, {"kind": "circle"}, DOCUMENT) == [("required", "/radius")]
    assert wrong(schema, {"kind": "box", "width": 0, "height": 1}, DOCUMENT) == [("minimum", "/width")]
    assert wrong(schema, {"kind": "star"}, DOCUMENT) == [("oneOf", "")]
    assert wrong(schema, {"radius": 1}, DOCUMENT) == [("oneOf", "")]
    assert wrong(schema, None, DOCUMENT) == [("oneOf", "")]


def test_unevaluated_members_are_told_from_those_of_other_schemas() -> None:
    """Evaluation is tracked through allOf, references, matching branches, then and dependentSchemas."""
    pet = {"name": "Rex", "age": 3}
    assert wrong(SCHEMAS["Pet"], pet, DOCUMENT) == []
    assert wrong(SCHEMAS["Pet"], {**pet, "owner": "a@example.com"}, DOCUMENT) == []
    assert wrong(SCHEMAS["Pet"], {**pet, "tail": 1}, DOCUMENT) == [("unevaluatedProperties", "/tail")]
    schema = {
        "anyOf": [
            {"properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {}}, "required": ["b"]},
        ],
        "if": {"properties": {"c": {"const": 1}}, "required": ["c"]},
        "then": {"properties": {"d": {}}},
        "dependentSchemas": {"b": {"properties": {"e": {}}}},
        "unevaluatedProperties": False,
    }
    assert wrong(schema, {"b": 1, "c": 1, "d": 1, "e": 1}) == []
    assert wrong(schema, {"a": "x", "d": 1}) == [("unevaluatedProperties", "/d")]
    assert wrong(schema, {"a": "x", "e": 1}) == [("unevaluatedProperties", "/e")]


def test_a_violation_says_where_in_the_document_and_in_a_few_words() -> None:
    """The place is found through references too."""
    order = {
        "number": "O-1234",
        "placed": "2024-01-15T10:30:00Z",
        "total": 1,
        "lines": [{"sku": "abc", "count": 100}],
    }
    (found,) = SchemaJudge(SCHEMAS["Order"], DOCUMENT).violations(order)
    assert found.schema_pointer == "/components/schemas/Line/properties/count/maximum"
    assert (found.pointer, found.expected, found.actual) == ("/lines/0/count", "at most 99", "100")
    (found,) = SchemaJudge({"type": ["string", "null"]}, {}).violations([1])
    assert (found.expected, found.actual, found.schema_pointer) == (
        "a string or null",
        "an array of 1",
        "/type",
    )
    (found,) = SchemaJudge({"required": ["a"]}, {}).violations({})
    assert (found.expected, found.actual) == ("present", "missing")
    (found,) = SchemaJudge({"enum": ["a", 1]}, {}).violations("x" * 200)
    assert found.expected == 'one of "a", 1'
    assert len(found.actual) == 60


def test_a_recursive_schema_checks_deep_values_and_limits_the_depth() -> None:
    """Exceeding it is a violation, not a crash."""
    tree: dict[str, Any] = {"label": 5, "children": []}
    for _ in range(20):
        tree = {"label": "x", "children": [tree]}
    assert wrong(SCHEMAS["Tree"], tree, DOCUMENT) == [("type", "/children/0" * 20 + "/label")]
    for _ in range(3000):
        tree = {"label": "x", "children": [tree]}
    assert [code for code, _ in wrong(SCHEMAS["Tree"], tree, DOCUMENT)] == ["depth"]


def test_what_every_branch_refers_to_is_reported_where_it_is() -> None:
    """A tag that no branch knows is wrong by the schema that all of them share, not the object as a whole."""
    named = {"$defs": {"Named": {"required": ["kind"], "properties": {"kind": {"enum": ["cat", "dog"]}}}}}
    schema = {
        "oneOf": [
            {"allOf": [{"$ref": "#/$defs/Named"}, {"properties": {"kind": {"const": "cat"}}}]},
            {"allOf": [{"$ref": "#/$defs/Named"}, {"properties": {"kind": {"const": "dog"}}}]},
        ]
    }
    assert wrong(schema, {"kind": "cow"}, named) == [("enum", "/kind")]
    assert wrong(schema, {"kind": "cat"}, named) == []


@pytest.mark.parametrize(
    ("schema", "excerpt"),
    [
        ({"type": "strnig"}, "strnig"),
        ({"properties": 5}, "5"),
        ({"$ref": "#/nowhere"}, "leads nowhere"),
        ({"$ref": "other.json"}, "leads nowhere"),
        ({"properties": {"a": {"minimum": "x"}}}, "/properties/a/minimum"),
        ({"$dynamicRef": "#x"}, "not supported"),
        ({"$ref": "#/$defs/A"}, "comes back to itself"),
        ({"$ref": "#/$defs/Bad"}, "/$defs/Bad/type"),
    ],
)
def test_an_invalid_schema_is_refused_with_one_line(schema: Any, excerpt: str) -> None:
    """The message names the place."""
    document = {"$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}]}, "Bad": {"type": "x"}}}
    with pytest.raises(SchemaError) as caught:
        SchemaJudge(schema, document)
    assert excerpt in str(caught.value)
    assert "\n" not in str(caught.value)


_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 100),
        st.floats(-2, 2),
        st.sampled_from(["", "abc", "circle", "post"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "kind",
                    "radius",
                    "width",
                    "height",
                    "name",
                    "age",
                    "method",
                    "address",
                    "shop",
                    "label",
                    "children",
                    "scores",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(_JSON)
def test_validity_agrees_with_jsonschema(value: Any) -> None:
    """More precise places must not change what is valid."""
    for name, schema in SCHEMAS.items():
        plain = Draft202012Validator({**DOCUMENT, **json.loads(json.dumps(schema))})
        if not any(word in json.dumps(schema) for word in ("format", "multipleOf", "pattern")):
            assert (wrong(schema, value, DOCUMENT) == []) == plain.is_valid(value), name


# Places.


def test_places_are_listed_through_everything() -> None:
    """Each has its pointer, its place in the document, and whether it always applies."""
    found = {(p.pointer, p.keyword): p for p in places(SCHEMAS["Order"], DOCUMENT)}
    assert not found["/lines/*/count", "maximum"].conditional
    assert found["/lines/*/count", "maximum"].schema_pointer == "/components/schemas/Line/properties/count/maximum"
    assert ("/lines/*/sku", "required") in found
    assert ("/lines/*/*", "additionalProperties") in found
    assert found["/state", "dependentRequired"].conditional
    found = {(p.pointer, p.keyword): p for p in places(SCHEMAS["Delivery"], DOCUMENT)}
    assert found["/shop", "required"].conditional
    assert found["/address", "required"].schema_pointer == "/components/schemas/Delivery/else/required"
    found = {(p.pointer, p.keyword): p for p in places(SCHEMAS["Maps"], DOCUMENT)}
    assert {
        ("/scores/*", "maximum"),
        ("/limits/*", "type"),
        ("/position/0", "minimum"),
        ("/value", "anyOf"),
    } <= set(found)
    assert ("/value", "type") not in found


def test_places_of_a_recursive_schema_end() -> None:
    """They end after one recursion."""
    found = {p.pointer for p in places(SCHEMAS["Tree"], DOCUMENT)}
    assert {"/label", "/children", "/children/*/label"} <= found | {"/children/*/label"}
    assert all(pointer.count("/children") <= 2 for pointer in found)


# Pointers.


def test_pointers_are_read_and_changed() -> None:
    """RFC 6901; the original value is not changed."""
    value = {"a/b": [1, {"~": 2}], "c": {}}
    assert read(value, "/a~1b/1/~0") == 2
    assert read(value, "/a~1b/7") is read(value, "/x/y") is MISSING
    assert split(join("", "a/b", 0, "~")) == ["a/b", "0", "~"]
    assert replaced(value, "/c/d", 5) == {"a/b": [1, {"~": 2}], "c": {"d": 5}}
    assert replaced(value, "/a~1b/0", MISSING) == {"a/b": [{"~": 2}], "c": {}}
    assert value == {"a/b": [1, {"~": 2}], "c": {}}
    with pytest.raises(KeyError):
        replaced(value, "/x/y", 1)
    assert copy.deepcopy(MISSING) is pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert matches("/a/*/b", "/a/0/b")
    assert not matches("/a/*", "/a/0/b")
    assert expand({"a": [{"b": 1}, {}]}, "/a/*/b") == ["/a/0/b", "/a/1/b"]
    assert expand({"a": {"x": 1, "y": 2}}, "/a/*") == ["/a/x", "/a/y"]
    assert expand({"a": 5, "b": None, "c": "text"}, "/a/*") == expand(True, "/*/b") == []
