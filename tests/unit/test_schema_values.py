"""Values generated from schemas: valid ones are valid, faults have exactly one violation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_conformance.contract.places import places
from batch_conformance.contract.pointers import MISSING, read
from batch_conformance.contract.rules import Broken, Holds, RuleSet
from batch_conformance.contract.schema import SchemaJudge
from batch_conformance.generate.kinds import Kind
from batch_conformance.generate.values import (
    rule_faults,
    single_faults,
    strategy,
    transition_faults,
    valid_values,
)
from tests.support.schema_samples import A_TRIP, DOCUMENT, SCHEMAS, TRIP, TRIPS

NAMES = ["Order", "Shapes", "Pet", "Delivery", "Tree", "Maps"]
CASES = [(SCHEMAS[name], DOCUMENT) for name in NAMES] + [(TRIP, TRIPS)]
IDS = [*NAMES, "Trip"]

#: Keywords that cannot be broken alone, with the reason.
UNREACHABLE: dict[str, set[tuple[str, str]]] = {
    # These tell the branches apart: a value that matches none breaks oneOf.
    "Shapes": {("required", "/kind"), ("const", "/kind")},
}


@pytest.mark.parametrize(("schema", "document"), CASES, ids=IDS)
def test_valid_values_are_valid(schema: dict[str, Any], document: dict[str, Any]) -> None:
    """They conform to the schema and all rules; there are many, without duplicates."""
    judge, rules = SchemaJudge(schema, document), RuleSet(schema, document)
    found = valid_values(schema, document, limit=150)
    assert len(found) >= 8
    for one in found:
        assert judge.violations(one.value) == [], one.label
        assert all(isinstance(row.outcome, Holds) for row in rules.evaluate(one.value)), one.label
    assert len({json.dumps(one.value, sort_keys=True) for one in found}) == len(found)


@pytest.mark.parametrize(("schema", "document"), CASES, ids=IDS)
def test_values_are_deterministic(schema: dict[str, Any], document: dict[str, Any]) -> None:
    """A verdict must be reproducible."""
    assert valid_values(schema, document, limit=40, seed=3) == valid_values(schema, document, limit=40, seed=3)
    assert single_faults(schema, document) == single_faults(schema, document)


@pytest.mark.parametrize(("schema", "document"), CASES, ids=IDS)
def test_a_fault_is_the_only_violation(schema: dict[str, Any], document: dict[str, Any]) -> None:
    """It has the stated code and place, no rule is broken in addition, and its base is valid."""
    judge, rules = SchemaJudge(schema, document), RuleSet(schema, document)
    found = single_faults(schema, document)
    for fault in found:
        (violation,) = judge.violations(fault.value)
        assert (violation.code, violation.pointer) == (fault.code, fault.pointer), fault.label
        assert fault.schema_pointer in (violation.schema_pointer, *violation.also)
        assert not any(isinstance(row.outcome, Broken) for row in rules.evaluate(fault.value)), fault.label
        assert judge.is_valid(fault.base)


@pytest.mark.parametrize(("schema", "document"), CASES, ids=IDS)
def test_every_place_has_a_fault(schema: dict[str, Any], document: dict[str, Any], request: Any) -> None:
    """The exceptions are places that cannot be broken alone."""
    name = request.node.callspec.id
    found = single_faults(schema, document)
    lost = {(one.code, one.pointer) for one in found.unreachable}
    assert lost == UNREACHABLE.get(name, set())
    reached = {fault.schema_pointer for fault in found} | {one.schema_pointer for one in found.unreachable}
    assert reached == {place.schema_pointer for place in places(schema, document)}


@pytest.mark.parametrize(("schema", "document"), CASES, ids=IDS)
def test_the_strategy_draws_valid_values(schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Any value that it draws is valid."""
    judge, rules = SchemaJudge(schema, document), RuleSet(schema, document)

    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy(schema, document))
    def check(value: Any) -> None:
        assert judge.violations(value) == []
        assert all(isinstance(row.outcome, Holds) for row in rules.evaluate(value))

    check()


def _labels(schema: dict[str, Any], document: dict[str, Any], **more: Any) -> set[tuple[str, str]]:
    return {(one.pointer, one.label) for one in valid_values(schema, document, limit=400, **more)}


def _values_at(schema: dict[str, Any], document: dict[str, Any], pointer: str) -> list[Any]:
    return [read(one.value, pointer) for one in valid_values(schema, document, limit=400)]


def test_values_cover_enums_nulls_and_absence() -> None:
    """Every value of every enum is there; null and absence where allowed, and presence."""
    assert {"open", "paid", "sent"} <= {v for v in _values_at(SCHEMAS["Order"], DOCUMENT, "/state") if v is not MISSING}
    due = _values_at(SCHEMAS["Order"], DOCUMENT, "/due")
    assert None in due
    assert MISSING in due
    assert "2024-02-29" in due
    assert {"post", "pickup", "courier"} == set(_values_at(SCHEMAS["Delivery"], DOCUMENT, "/method"))


def test_values_cover_every_branch() -> None:
    """The branches are those of oneOf and anyOf."""
    assert {"circle", "box"} == set(_values_at(SCHEMAS["Shapes"], DOCUMENT, "/kind"))
    kinds = {type(value) for value in _values_at(SCHEMAS["Maps"], DOCUMENT, "/value")}
    assert {str, int, type(None)} <= kinds


def test_values_cover_bounds_and_lengths() -> None:
    """Both bounds; without one, the largest value that every JSON reader supports."""
    assert {0, 40} <= set(_values_at(SCHEMAS["Pet"], DOCUMENT, "/age"))
    assert {1, 40} <= {len(name) for name in _values_at(SCHEMAS["Pet"], DOCUMENT, "/name")}
    assert 2**53 - 1 in _values_at(SCHEMAS["Delivery"], DOCUMENT, "/shop")
    assert {1, 99} <= set(_values_at(SCHEMAS["Order"], DOCUMENT, "/lines/0/count"))
    assert {1, 5} <= {len(lines) for lines in _values_at(SCHEMAS["Order"], DOCUMENT, "/lines")}


def test_values_cover_ways_to_write_a_date() -> None:
    """Each way has a label of its own."""
    labels = {label for pointer, label in _labels(SCHEMAS["Order"], DOCUMENT) if pointer == "/placed"}
    assert {
        "milliseconds",
        "offset east",
        "lower case t",
        "lower case z",
        "lower case t and z",
        "leap second",
    } <= labels


def test_unknown_members_are_added_where_allowed() -> None:
    """Unknown members are added only where the schema allows them."""
    places_of_extra = {pointer for pointer, label in _labels(SCHEMAS["Order"], DOCUMENT) if label == "unknown member"}
    assert any(pointer.count("/") == 1 for pointer in places_of_extra)
    assert not any(pointer.startswith("/lines/") for pointer in places_of_extra)
    assert not any(label == "unknown member" for _, label in _labels(SCHEMAS["Pet"], DOCUMENT))


def test_examples_come_first_and_outdated_ones_are_completed() -> None:
    """An overlay that requires one more member must not make all examples useless."""
    outgrown = {name: value for name, value in A_TRIP.items() if name != "fare"} | {"id": "t7"}
    found = valid_values(TRIP, TRIPS, examples=[outgrown, A_TRIP], limit=30)
    assert found[0].value == A_TRIP
    assert {name: value for name, value in found[1].value.items() if name != "fare"} == outgrown
    assert outgrown not in [one.value for one in found]


def test_a_limit_is_kept_and_a_seed_chooses() -> None:
    """The seed only affects the less important values."""
    one, other = (valid_values(SCHEMAS["Order"], DOCUMENT, limit=40, seed=seed) for seed in (0, 1))
    assert len(one) == len(other) == 40
    assert one != other
    enums = {row.label for row in one if row.kind is Kind.LISTED}
    assert enums == {row.label for row in other if row.kind is Kind.LISTED}


def test_faults_are_of_every_kind() -> None:
    """They include each type, nearly right enum values, bounds and lengths by one, duplicates, extra members."""
    faults = single_faults(SCHEMAS["Order"], DOCUMENT)
    by_code = {fault.code for fault in faults}
    assert by_code == {
        *(
            "type",
            "required",
            "pattern",
            "format",
            "minimum",
            "multipleOf",
            "minItems",
            "maxItems",
            "uniqueItems",
            "enum",
        ),
        *(
            "minLength",
            "maxLength",
            "exclusiveMinimum",
            "maximum",
            "additionalProperties",
            "dependentRequired",
        ),
    }
    kinds = {type(read(f.value, f.pointer)) for f in faults if f.code == "type" and f.pointer == "/number"}
    assert kinds == {type(None), int, float, bool, list, dict}
    states = {read(f.value, f.pointer) for f in faults if f.code == "enum"}
    assert {"OPEN", "open ", "ope"} <= states
    assert {100} <= {read(f.value, f.pointer) for f in faults if f.code == "maximum"}
    assert {0} <= {read(f.value, f.pointer) for f in faults if f.code == "exclusiveMinimum"}
    assert {2} == {len(read(f.value, f.pointer)) for f in faults if f.code == "minLength"} - {0}
    assert {11} == {len(read(f.value, f.pointer)) for f in faults if f.code == "maxLength"}


def test_a_given_base_is_used_where_it_fits() -> None:
    """The faults have to be those of one entity, not of another."""
    for fault in single_faults(TRIP, TRIPS, base=A_TRIP):
        if fault.code == "required" and fault.pointer.count("/") == 1:
            assert fault.base == A_TRIP


def test_every_rule_has_values_that_break_it_alone() -> None:
    """They break rules at both depths, and satisfy the schema."""
    judge, rules = SchemaJudge(TRIP, TRIPS), RuleSet(TRIP, TRIPS)
    found = rule_faults(TRIP, TRIPS, examples=[A_TRIP])
    assert found.unreachable == ()
    assert {fault.code for fault in found} == {"order", "seats", "done", "nowhere"}
    for fault in found:
        assert judge.violations(fault.value) == []
        (broken,) = [row for row in rules.evaluate(fault.value) if not isinstance(row.outcome, Holds)]
        assert (broken.rule.code, broken.pointer) == (fault.code, fault.pointer)
        assert fault.before is MISSING
        assert fault.values
    assert any(fault.pointer.startswith("/legs/") for fault in found if fault.code == "nowhere")


def test_every_transition_has_reads_that_break_it_alone() -> None:
    """Rules with oldSelf, and each forbidden step of the lifecycle; every single read is valid."""
    judge, rules = SchemaJudge(TRIP, TRIPS), RuleSet(TRIP, TRIPS)
    found = transition_faults(TRIP, TRIPS, examples=[A_TRIP])
    assert found.unreachable == ()
    assert {fault.code for fault in found} == {"identity", "fare", "lifecycle"}
    for fault in found:
        assert judge.violations(fault.value) == judge.violations(fault.before) == []
        broken = [
            row.rule.code for row in rules.evaluate(fault.value, fault.before) if not isinstance(row.outcome, Holds)
        ]
        assert broken == ([] if fault.code == "lifecycle" else [fault.code])
    steps = {(read(f.before, "/state"), read(f.value, "/state")) for f in found if f.code == "lifecycle"}
    assert len(steps) == 10
    assert {("done", "cancelled"), ("booked", "planned"), ("done", "planned")} <= steps
    assert ("booked", "waiting") not in steps


def test_a_rule_that_nothing_breaks_is_reported() -> None:
    """Otherwise there would be a clause that cannot fail."""
    schema = {"type": "object", "x-validations": [{"rule": "1 == 1 || has(self.x)", "message": "never"}]}
    found = rule_faults(schema, {})
    assert len(found) == 0
    assert found.unreachable == ("/x-validations/0",)


def test_a_rule_that_only_a_search_breaks() -> None:
    """Neither an example nor an obvious number breaks it."""
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "integer", "minimum": 0}, "b": {"type": "integer", "minimum": 0}},
        "x-validations": [{"rule": "self.a % 7 != 3 || self.b % 5 != 4", "message": "an odd pair", "code": "odd"}],
    }
    found = rule_faults(schema, {})
    assert found.unreachable == ()
    assert all(fault.value["a"] % 7 == 3 and fault.value["b"] % 5 == 4 for fault in found)


@pytest.mark.parametrize(
    ("schema", "unreachable"),
    [
        ({"type": "integer", "multipleOf": 7, "minimum": 10, "maximum": 22}, set()),
        ({"type": "string", "format": "date", "pattern": "^2024-"}, set()),
        ({"type": "string", "format": "email", "maxLength": 15}, set()),
        ({"type": "string", "pattern": "^[A-Z]{2}-", "minLength": 6, "maxLength": 8}, set()),
        ({"type": "string", "pattern": "^[äöü]{3}$"}, set()),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "minItems": 3}, set()),
        (
            {"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 5}, "minContains": 2},
            set(),
        ),
        (
            {"type": "object", "propertyNames": {"enum": ["a", "b"]}, "minProperties": 1, "maxProperties": 1},
            set(),
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "additionalProperties": {"maximum": 3},
            },
            set(),
        ),
        (
            {
                "type": "object",
                "patternProperties": {"^[a-z]{2}$": {"minLength": 1}},
                "additionalProperties": False,
            },
            set(),
        ),
        ({"oneOf": [{"type": "null"}, {"type": "object", "required": ["a"]}]}, set()),
        ({"type": "integer", "minimum": 2**60, "maximum": 2**62}, set()),
        ({"type": "number", "minimum": 2.5, "maximum": 2.5}, set()),
        ({"properties": {"a": {"anyOf": [{"type": "integer"}, True]}, "b": {"x": 1}}}, {("anyOf", "/a")}),
        ({"required": ["a", "b"]}, set()),
        ({"enum": [1, None, {"a": [1]}, "x"]}, set()),
        ({"type": "object", "properties": {"a": False}, "minProperties": 1}, set()),
        # Neither can be broken alone: each constrains all that the other allows.
        ({"type": "string", "allOf": [{"minLength": 3}, {"maxLength": 2}]}, None),
    ],
    ids=repr,
)
def test_keywords_that_conflict(schema: dict[str, Any], unreachable: set[Any] | None) -> None:
    """A value that breaks one satisfies the others."""
    judge = SchemaJudge(schema, {})
    found = valid_values(schema, {})
    faults = single_faults(schema, {})
    assert bool(found) is (unreachable is not None)
    assert all(judge.is_valid(one.value) for one in found)
    for fault in faults:
        assert [(one.code, one.pointer) for one in judge.violations(fault.value)] == [(fault.code, fault.pointer)]
    lost = {(one.code, one.pointer) for one in faults.unreachable}
    assert unreachable is None or lost == unreachable


def test_a_member_that_may_be_null_by_a_branch_is_added() -> None:
    """An example without the member is completed."""
    schema = {
        "type": "object",
        "required": ["until", "id"],
        "properties": {
            "id": {"type": "string"},
            "until": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        },
    }
    found = valid_values(schema, {}, examples=[{"id": "abc"}])
    assert found[0].value["id"] == "abc"
    assert {None, "2024-01-15"} <= {one.value["until"] for one in found}


_SCALARS = st.sampled_from(
    [
        {"type": "string", "minLength": 2, "maxLength": 4},
        {"type": "integer", "minimum": -3, "maximum": 8},
        {"type": ["number", "null"], "exclusiveMaximum": 2.5},
        {"enum": ["a", "b", 3, None]},
        {"type": "string", "format": "ipv4"},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
        {"const": 7},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
        {"type": "string", "pattern": "^[ab]+$"},
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(st.sampled_from("abcdef"), _SCALARS, min_size=1, max_size=4).flatmap(
        lambda members: st.builds(
            lambda required, closed: {
                "type": "object",
                "properties": members,
                "required": sorted(required),
                **({"additionalProperties": False} if closed else {}),
            },
            st.sets(st.sampled_from(sorted(members))),
            st.booleans(),
        )
    )
)
def test_any_generated_schema_is_supported(schema: dict[str, Any]) -> None:
    """Valid values are valid, faults are single, every place is reached."""
    judge = SchemaJudge(schema, {})
    assert all(judge.is_valid(one.value) for one in valid_values(schema, {}, limit=60))
    faults = single_faults(schema, {})
    for fault in faults:
        (violation,) = judge.violations(fault.value)
        assert (violation.code, violation.pointer) == (fault.code, fault.pointer)
    assert faults.unreachable == ()
