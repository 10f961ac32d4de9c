"""Responses with exactly one fault that any JSON reader can see: a missing member, or one of a wrong type.

Clients need not detect faults that only a validator notices: ``format``, ``pattern``, bounds, unknown values of an
enum (contracts/decisions.md, 30).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from batch_conformance.checks.client.record import InvalidSuccess
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory, ordinary_values
from batch_conformance.client_runner.cases.derived import unchanged_varied
from batch_conformance.client_runner.stub.answers import json_body
from batch_conformance.contract import cached_by_contract
from batch_conformance.contract.numbers import is_number
from batch_conformance.contract.places import places
from batch_conformance.contract.pointers import expand, read, replaced, split
from batch_conformance.generate.faults import Fault, faults_of
from batch_conformance.generate.shape import Shape
from batch_conformance.generate.space import Space

CLAUSE = "client.reject.wrong-types"
#: Faults of a place, likeliest first.
_LIKELIEST = (
    "removed",
    "null",
    "the number as text",
    "a number with a fraction",
    "a number",
    "true",
    "an empty array",
    "in an array",
    "a string",
    "an array",
    "an object",
)
#: Wrong values for places with an enum but no type.
_OTHERS = (("null", None), ("a number", 1705314600), ("true", True), ("an array", ["x"]), ("an object", {"value": "x"}))


@cached_by_contract
def wrong_types(most: int = 5, operation: str = Case.operation) -> tuple[Fault, ...]:
    """Return single faults of a documented response: missing members, and at most ``most`` wrong types a place."""
    values = ordinary_values(operation)
    known = values.space
    space = Space(known.schema, known.document, [values.base, *known.examples], ruled=False, judge=known.judge)
    found = [*faults_of(space, only=("required", "type", "oneOf", "anyOf")), *_of_listed(space)]
    rank = {label: at for at, label in enumerate(_LIKELIEST)}
    found = [fault for fault in found if fault.pointer and (fault.code == "required" or _is_other_type(space, fault))]
    unchanged = unchanged_varied(operation)
    # Places that an overlay changed come first: a short run takes the first ones only.
    found.sort(key=lambda fault: (fault.pointer in unchanged, rank.get(fault.label, len(rank))))
    counts: Counter[str] = Counter()
    selected = []
    for fault in found:
        counts[fault.pointer] += fault.code != "required"
        if counts[fault.pointer] <= most:
            selected.append(fault)
    return tuple(selected)


def _of_listed(space: Space) -> Iterator[Fault]:
    """Yield faults of places that have an enum or const but no type."""
    base = space.examples[0]
    for place in places(space.schema, space.document):
        if place.keyword not in ("enum", "const") or "type" in place.schema:
            continue
        for pointer in expand(base, place.pointer):
            for label, value in _OTHERS:
                wrong = replaced(base, pointer, value)
                codes = [(violation.code, violation.pointer) for violation in space.judge.violations(wrong)]
                if codes == [(place.keyword, pointer)]:
                    yield Fault(wrong, place.keyword, pointer, place.schema_pointer, label, base)


def _is_other_type(space: Space, fault: Fault) -> bool:
    """Whether the fault's value is of a type that its place never allows."""
    shapes = space.builder.shapes(space.schemas_at(fault.base, fault.pointer))
    allowed = {name for shape in shapes for name in _types_of(shape)}
    return not _types(read(fault.value, fault.pointer)) & allowed


def _types_of(shape: Shape) -> set[str]:
    return {name for value in shape.enum for name in _types(value)} if shape.enum is not None else set(shape.types)


def _types(value: Any) -> set[str]:
    """Return the JSON types of a value: two for a whole number."""
    if isinstance(value, bool):
        return {"boolean"}
    if is_number(value):
        return {"number", "integer"} if value == int(value) else {"number"}
    return {{type(None): "null", str: "string", list: "array"}.get(type(value), "object")}


def wrong_type_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield one case for each fault, and two with objects that lack all documented members."""
    for fault in wrong_types(operation=factory.operation):
        yield wrong_type_case(factory, fault)
    batch_id = factory.id()
    whole = factory.batch(batch_id)
    rows: tuple[tuple[str, Any], ...] = (
        ("no member at all", {}),
        ("the answer in a member of an object", {"data": whole}),
    )
    if factory.values.entity.required:
        for what, value in rows:
            yield _case(what, value, batch_id, "")


def wrong_type_case(factory: CaseFactory, fault: Fault) -> Case:
    """Return the case of a 200 with this fault."""
    batch_id = factory.id()
    echo = factory.values.entity.echo
    value = fault.value if echo is None or echo == fault.pointer else factory.values.with_id(fault.value, batch_id)
    name = ".".join(split(fault.pointer))
    what = f"{name} is missing" if fault.code == "required" else f"{name} is of another type: {fault.label}"
    return _case(what, value, batch_id, fault.pointer)


def _case(what: str, value: Any, batch_id: str, pointer: str) -> Case:
    step = CallStep(batch_id, InvalidSuccess(what, pointer), (json_body(value),))
    return Case(f"a 200 with {what}", (CLAUSE, "client.auth.not-in-errors"), (step,))
