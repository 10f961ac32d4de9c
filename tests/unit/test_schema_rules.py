"""Rules in CEL and lifecycles: they hold, are broken, or cannot be evaluated, which is never a pass."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from batch_conformance.contract.lifecycle import lifecycles
from batch_conformance.contract.pointers import MISSING
from batch_conformance.contract.references import SchemaError
from batch_conformance.contract.rules import (
    Broken,
    Holds,
    Outcome,
    RuleError,
    RuleSet,
    RuntimeMissing,
    Unevaluable,
)
from batch_conformance.http.strict_json import read_json
from tests.support.schema_samples import A_TRIP, TRIP, TRIPS


def judged(rule: str, value: Any, schema: dict[str, Any] | None = None, old: Any = MISSING) -> Outcome:
    """Return the result of one rule on a value."""
    rows = {"x-validations": [{"rule": rule, "message": "it does not hold"}]}
    (compiled,) = RuleSet({**(schema or {}), **rows}, {}).rules
    return compiled.evaluate(value, old)


_VALUE = {
    "n": 5,
    "five": 5.0,
    "half": 2.5,
    "s": "abc",
    "nothing": None,
    "list": [1, 2, 3],
    "in": {"k": 1},
    "at": "2024-01-15T10:30:00+02:00",
    "lower": "2024-01-15t08:30:00.000z",
    "big": 2**53 - 1,
    "huge": 2**70,
    "broken": "x\ud800",
}


@pytest.mark.parametrize(
    "rule",
    [
        "self.n == self.five",
        "self.n + self.five == 10",
        "self.half * 2.0 == 5.0",
        "self.n < 5.5",
        "!has(self.none)",
        "has(self.nothing) && self.nothing == null",
        "self.s in ['abc', 'd']",
        "self.n > 3 ? self.s == 'abc' : false",
        "self.list.all(x, x > 0) && self.list.exists(x, x == 3) && self.list.map(x, x * 2) == [2, 4, 6]",
        "size(self.s) == 3 && self.s.startsWith('a') && self.s.matches('^[a-c]+$')",
        "timestamp(self.at) == timestamp(self.lower)",
        "timestamp(self.at) - timestamp(self.lower) < duration('1s')",
        "self['s'] == 'abc' && self['in'].k == 1",
        "self.big + 1 > self.big",
        "self.s.upperAscii() == 'ABC' && math.greatest(1, 2) == 2",
        "'self.none' != 'x' // self.none",
        "self.huge > 1 && self.huge > self.big",
        "self.broken.startsWith('x')",
    ],
)
def test_a_rule_holds(rule: str) -> None:
    """The rules follow the CEL specification, on JSON values."""
    assert judged(rule, _VALUE) == Holds()


@pytest.mark.parametrize(
    ("rule", "wrong_type"),
    [
        ("self.none == 1", False),
        ("self.none.k > 1", False),
        ("self.s > 1", True),
        ("self.nothing > 1", True),
        ("self.n / 0 == 1", False),
        ("self.list[7] == 1", False),
        ("self.n", True),
        ("self.nothing", True),
        ("self.s == 'abc' && self.n", True),
        ("timestamp(self.s) < timestamp(self.at)", False),
        ("9223372036854775807 + self.n > 0", False),
        ("self.list.all(x, x.k > 1)", True),
        ("self.s.matches('(')", False),
    ],
)
def test_a_rule_that_cannot_be_evaluated_does_not_pass(rule: str, wrong_type: bool) -> None:
    """A missing member, a wrong type, an overflow; the reason is one line."""
    outcome = judged(rule, _VALUE)
    assert isinstance(outcome, Unevaluable)
    assert outcome.wrong_type is wrong_type
    assert outcome.reason
    assert "\n" not in outcome.reason


@pytest.mark.parametrize(
    "value",
    [None, 5, "text", [], {}, {"a": "\ud800", "b": 1}, {"a": float("nan"), "b": 1}, {"a": 2**70, "b": 1}],
)
def test_a_rule_takes_any_value(value: Any) -> None:
    """A rule is evaluated on whatever a server sends."""
    assert not isinstance(judged("self.a + self.b == 3", value), Holds)


def test_numbers_are_of_the_types_that_the_schema_names() -> None:
    """It must not matter whether a server writes 2 or 2.0."""
    schema = {"properties": {"price": {"type": "number"}, "count": {"allOf": [{"type": "integer"}]}}}
    for price, count in (("2", "3"), ("2.0", "3.0"), ("2e0", "3")):
        value = read_json(f'{{"price": {price}, "count": {count}}}'.encode()).value
        assert judged("self.price * 1.5 == 3.0 && self.count * 2 == 6", value, schema) == Holds()


def test_a_broken_rule_shows_the_values_it_names() -> None:
    """Missing values are shown too, by path; the message may be computed."""
    outcome = judged("self.n == 6 && self.s == 'abc' && has(self.none)", _VALUE)
    assert outcome == Broken("it does not hold", (("self.n", "5"), ("self.s", '"abc"'), ("self.none", "missing")))
    rule = RuleSet(TRIP, TRIPS)
    (broken,) = rule.broken({**A_TRIP, "fare": 9}, A_TRIP)
    assert isinstance(broken.outcome, Broken)
    assert broken.outcome.message == "the fare fell from 9.5 to 9"
    assert broken.outcome.shown() == "self.fare is 9, oldSelf.fare is 9.5"


def test_rules_are_evaluated_where_their_schema_applies() -> None:
    """They are evaluated for every item, and only in the branch that matches."""
    value = {
        **A_TRIP,
        "legs": [A_TRIP["legs"][0], {"from": "X", "to": "X", "km": 1}, {"from": "Y", "to": "Y", "km": 1}],
    }
    found = RuleSet(TRIP, TRIPS).broken(value)
    assert [(one.rule.code, one.pointer) for one in found] == [("nowhere", "/legs/1"), ("nowhere", "/legs/2")]
    row = [{"rule": "self.a > 1", "message": "small"}]
    branches = {
        "anyOf": [
            {"properties": {"k": {"const": 1}}, "required": ["k"], "x-validations": row},
            {"properties": {"k": {"const": 2}}, "required": ["k"]},
        ],
        "if": {"required": ["b"]},
        "then": {"x-validations": row},
        "dependentSchemas": {"c": {"x-validations": row}},
        "patternProperties": {"^m_": {"x-validations": [{"rule": "self > 1", "message": "small"}]}},
        "additionalProperties": True,
    }
    rules = RuleSet(branches, {})
    assert len(rules.rules) == 4
    assert len(rules.broken({"k": 1, "a": 0})) == 1
    assert rules.evaluate({"k": 2, "a": 0}) == []
    assert len(rules.broken({"k": 2, "a": 0, "b": 1})) == 1
    assert len(rules.broken({"k": 2, "a": 0, "c": 1})) == 1
    assert [one.pointer for one in rules.broken({"k": 2, "m_1": 0})] == ["/m_1"]


def test_a_rule_about_members_does_not_apply_to_a_documented_null() -> None:
    """A rule about the value itself is evaluated; another null is for the clause of the member to report."""
    texts = ["self.n > 1", "self.n >= oldSelf.n", "self == null || self.n < 9"]
    rows = [{"rule": text, "message": "no"} for text in texts]
    own: dict[str, Any] = {"type": ["object", "null"], "x-validations": rows}
    rules = RuleSet({"properties": {"in": own}}, {})

    def evaluated(value: Any, old: Any = MISSING) -> list[str]:
        return [one.rule.rule for one in rules.evaluate({"in": value}, MISSING if old is MISSING else {"in": old})]

    assert evaluated({"n": 2}, {"n": 1}) == texts
    assert evaluated({"n": 2}, None) == ["self.n > 1", "self == null || self.n < 9"]
    assert evaluated(None, {"n": 1}) == ["self == null || self.n < 9"]
    rules = RuleSet({"properties": {"in": {**own, "type": "object"}}}, {})
    assert evaluated(None) == ["self.n > 1", "self == null || self.n < 9"]


def test_a_rule_that_a_documented_null_defeats_does_not_apply() -> None:
    """One that can be evaluated with the null is; an undocumented null is for the clause of the member to report."""
    rows = [{"rule": text, "message": "no"} for text in ("self.a + self.b < 9", "self.a == null || self.b > 1")]
    kinds = {"a": {"type": ["integer", "null"]}, "b": {"type": "integer"}}
    rules = RuleSet({"x-validations": rows, "properties": kinds}, {})

    def outcomes(**value: Any) -> list[str]:
        return [type(one.outcome).__name__ for one in rules.evaluate(value)]

    assert outcomes(a=1, b=2) == ["Holds", "Holds"]
    assert outcomes(a=None, b=1) == ["Holds"]
    assert outcomes(a=1, b=None) == ["Unevaluable", "Unevaluable"]


def test_a_transition_rule_needs_two_reads() -> None:
    """If the earlier read lacks the place, the result says so."""
    rules = RuleSet(TRIP, TRIPS)
    assert {one.rule.code for one in rules.evaluate(A_TRIP)} == {"order", "seats", "done", "nowhere"}
    found = {one.rule.code: one.outcome for one in rules.evaluate(A_TRIP, {**A_TRIP, "id": "t2"})}
    assert isinstance(found["identity"], Broken)
    assert found["fare"] == Holds()
    assert isinstance(rules.rules[3].evaluate(A_TRIP), Unevaluable)
    nested = RuleSet({"properties": {"a": {"x-validations": [{"rule": "self >= oldSelf", "message": "m"}]}}}, {})
    assert [rule.pointer for rule in nested.rules] == ["/a"]
    (one,) = nested.evaluate({"a": 1}, {})
    assert isinstance(one.outcome, Unevaluable)


def test_the_names_in_a_rule_are_known() -> None:
    """Paths, whether it needs two reads, and its place."""
    rules = {rule.code: rule for rule in RuleSet(TRIP, TRIPS).rules}
    assert rules["fare"].paths == ("self.fare", "oldSelf.fare")
    assert rules["fare"].transition
    assert not rules["seats"].transition
    assert rules["seats"].targets() == ["/taken", "/seats"]
    assert rules["fare"].targets("oldSelf") == ["/fare"]
    assert (rules["nowhere"].pointer, rules["nowhere"].schema_pointer) == (
        "/legs/*",
        "/$defs/Leg/x-validations/0",
    )
    (rule,) = RuleSet(
        {"x-validations": [{"rule": "self.a['b c'].d.all(x, x == 'self.q') && self.e.size() > 1", "message": "m"}]},
        {},
    ).rules
    assert rule.paths == ("self.a['b c'].d", "self.e")
    assert rule.targets() == ["/a/b c/d", "/e"]


@pytest.mark.parametrize(
    ("rows", "excerpt"),
    [
        ([{"rule": "self.a ==", "message": "m"}], "Syntax error"),
        ([{"rule": "slef.a == 1", "message": "m"}], "undeclared reference to 'slef.a'"),
        ([{"rule": "self.a.frobnicate()", "message": "m"}], "undeclared reference to 'frobnicate'"),
        ([{"rule": "frobnicate(self)", "message": "m"}], "undeclared reference to 'frobnicate'"),
        ([{"rule": "oldself.a == 1", "message": "m"}], "undeclared"),
        ([{"rule": "1 + 1", "message": "m"}], "answers int, not bool"),
        ([{"rule": "self.a", "messageExpression": "1"}], "answers int, not string"),
        ([{"rule": "self.a"}], "message is missing"),
        ([{"rule": "self.a", "mesage": "m", "message": "m"}], "unknown keyword 'mesage'"),
        ([{"rule": 5, "message": "m"}], "rule"),
        ([{"message": "m"}], "rule"),
        (["self.a"], "rule"),
        ({"rule": "self.a", "message": "m"}, "list"),
    ],
)
def test_an_invalid_rule_is_refused_with_one_line(rows: Any, excerpt: str) -> None:
    """The message names the rule."""
    with pytest.raises(RuleError) as caught:
        RuleSet({"properties": {"x": {"x-validations": rows}}}, {})
    assert excerpt in str(caught.value)
    assert "/properties/x/x-validations" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["not", "if", "contains", "propertyNames", "unevaluatedProperties"])
def test_a_rule_where_none_is_evaluated_is_refused(key: str) -> None:
    """A rule that is never evaluated would seem to hold."""
    with pytest.raises(RuleError, match=key):
        RuleSet({key: {"properties": {"a": {"x-validations": [{"rule": "self.a", "message": "m"}]}}}}, {})


def test_the_runtime_is_imported_for_a_rule_only() -> None:
    """Without it there is one clear line."""
    code = (
        "import sys\n"
        "from batch_conformance.contract.rules import RuleSet, RuntimeMissing\n"
        "from batch_conformance.generate import values\n"
        "values.single_faults({'type': 'object'}, {})\n"
        "assert not RuleSet({'type': 'object'}, {}).rules\n"
        "assert not [name for name in sys.modules if name.startswith('cel')]\n"
        "sys.modules['cel_expr_python'] = None\n"
        "try:\n    RuleSet({'x-validations': [{'rule': 'self.a', 'message': 'm'}]}, {})\n"
        "except RuntimeMissing as error:\n    print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ("rules (x-validations) need the CEL runtime: pip install cel-expr-python")
    assert issubclass(RuntimeMissing, RuleError)


# Lifecycles.


def test_a_lifecycle_says_what_may_follow() -> None:
    """Forward, equal ranks either way, nothing after a final status."""
    (cycle,) = lifecycles(TRIP, TRIPS)
    assert (cycle.pointer, cycle.schema_pointer) == ("/state", "/$defs/Trip/properties/state/x-lifecycle")
    assert [cycle.rank(value) for value in ("planned", "booked", "waiting", "done", "cancelled", "x")] == [
        0,
        1,
        1,
        2,
        2,
        None,
    ]
    assert cycle.is_final("done")
    assert not cycle.is_final("booked")
    assert cycle.allowed("planned", "planned")
    assert cycle.allowed("planned", "done")
    assert cycle.allowed("booked", "waiting")
    assert cycle.allowed("waiting", "booked")
    assert cycle.allowed("done", "done")
    assert cycle.allowed("x", "planned")
    assert not cycle.allowed("done", "x")
    assert not cycle.allowed("booked", "planned")
    assert not cycle.allowed("done", "cancelled")
    assert not cycle.allowed("done", "waiting")


@pytest.mark.parametrize(
    ("given", "excerpt"),
    [
        ({"order": "a"}, "order"),
        ({"order": ["a", "a"]}, "twice"),
        ({"order": ["a", 5]}, "name values"),
        ({"order": ["a"], "last": ["b"]}, "unknown keyword 'last'"),
        ([], "order"),
    ],
)
def test_an_invalid_lifecycle_is_refused_with_one_line(given: Any, excerpt: str) -> None:
    """The message names the place."""
    with pytest.raises(SchemaError) as caught:
        lifecycles({"properties": {"s": {"enum": ["a", "b"], "x-lifecycle": given}}}, {})
    assert excerpt in str(caught.value)
    assert "/properties/s/x-lifecycle" in str(caught.value)
