"""Keywords validated differently from ``jsonschema``: exact numbers, ECMA-262 patterns, precise errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from batch_conformance.contract.ecma_regex import compile_pattern
from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.numbers import exact, is_integer, is_multiple, is_number, same
from batch_conformance.contract.references import Document, Schema, resolve

Errors = Iterator[ValidationError]
_RULED_OUT = ("type", "const", "enum", "false")


class Jump(str):
    """A step of a schema path that follows a reference: the pointer of its target."""

    __slots__ = ()


def validator_class(document: Document) -> Any:
    """Return a validator factory for the schemas of one document: follows references, checks formats."""

    def follow(validator: Any, reference: str, instance: Any, _schema: Any) -> Errors:
        target, pointer = resolve(reference, document)
        yield from validator.descend(instance, target, schema_path=Jump(pointer))

    def unevaluated_properties(validator: Any, inner: Schema, instance: Any, schema: Any) -> Errors:
        if not isinstance(instance, dict):
            return
        known = _evaluated(validator, instance, schema, document)
        for name in instance:
            if name not in known:
                yield from _refused_member(validator, name, inner, instance, "unevaluatedProperties")

    def unevaluated_items(validator: Any, inner: Schema, instance: Any, schema: Any) -> Errors:
        if not isinstance(instance, list):
            return
        known = _evaluated_items(validator, instance, schema, document)
        for at, item in enumerate(instance):
            if at not in known:
                yield from _refused_member(validator, at, inner, instance, "unevaluatedItems", item)

    overrides = {
        "$ref": follow,
        "required": _required,
        "dependentRequired": _dependent_required,
        "additionalProperties": _additional_properties,
        "patternProperties": _pattern_properties,
        "properties": _properties,
        "prefixItems": _prefix_items,
        "propertyNames": _property_names,
        "unevaluatedProperties": unevaluated_properties,
        "unevaluatedItems": unevaluated_items,
        "pattern": _pattern,
        "enum": _enum,
        "const": _const,
        "uniqueItems": _unique,
        "multipleOf": _multiple,
        "minimum": _bound(lambda value, bound: value >= bound),
        "maximum": _bound(lambda value, bound: value <= bound),
        "exclusiveMinimum": _bound(lambda value, bound: value > bound),
        "exclusiveMaximum": _bound(lambda value, bound: value < bound),
        "anyOf": _any_of,
        "oneOf": _one_of,
    }
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "number": lambda _, value: is_number(value),
            "integer": lambda _, value: is_integer(value),
        }
    )
    kind: Any = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, overrides, type_checker=types
    )
    checker = _format_checker()

    def build(schema: Schema) -> Any:
        return kind(schema, format_checker=checker)

    return build


def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, one in FORMATS.items():
        checker.checks(name)(one.accepts)
    return checker


def _required(_validator: Any, names: list[str], instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield ValidationError("missing", path=(name,))


def _dependent_required(_validator: Any, rows: dict[str, list[str]], instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name, names in rows.items():
            for other in names if name in instance else ():
                if other not in instance:
                    yield ValidationError("missing", path=(other,), schema_path=(name,))


def _extra_names(instance: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    patterns = [compile_pattern(pattern) for pattern in schema.get("patternProperties", ())]
    known = schema.get("properties", {})
    return [name for name in instance if name not in known and not any(p.search(name) for p in patterns)]


def _additional_properties(validator: Any, inner: Schema, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name in _extra_names(instance, schema):
            yield from _refused_member(validator, name, inner, instance, "additionalProperties")


def _refused_member(
    validator: Any, name: str | int, inner: Schema, instance: Any, code: str, item: Any = None
) -> Errors:
    value = instance[name] if item is None else item
    if inner is False:
        # With the member as the instance, so that messages show its value.
        yield ValidationError("not allowed", path=(name,), validator=code, validator_value=False, instance=value)
    else:
        yield from validator.descend(value, inner, path=name)


def _inside(validator: Any, value: Any, inner: Schema, path: str | int, schema_path: str | int) -> Errors:
    """Validate a part of a value; for a forbidden part, report its path, which ``jsonschema`` does not."""
    if inner is False:
        yield ValidationError(
            "not allowed", path=(path,), schema_path=(schema_path,), validator="false", instance=value
        )
    else:
        yield from validator.descend(value, inner, path=path, schema_path=schema_path)


def _properties(validator: Any, rows: dict[str, Schema], instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name, inner in rows.items():
            if name in instance:
                yield from _inside(validator, instance[name], inner, name, name)


def _prefix_items(validator: Any, rows: list[Schema], instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, list):
        for at, (item, inner) in enumerate(zip(instance, rows, strict=False)):
            yield from _inside(validator, item, inner, at, at)


def _pattern_properties(validator: Any, rows: dict[str, Schema], instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for pattern, inner in rows.items():
            compiled = compile_pattern(pattern)
            for name, value in instance.items():
                if compiled.search(name):
                    yield from _inside(validator, value, inner, name, pattern)


def _property_names(validator: Any, inner: Schema, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        judge = validator.evolve(schema=inner)
        for name in instance:
            if not judge.is_valid(name):
                yield ValidationError("bad name", path=(name,), instance=name)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield ValidationError("no match")


def _enum(_validator: Any, values: list[Any], instance: Any, _schema: Any) -> Errors:
    if not any(same(value, instance) for value in values):
        yield ValidationError("not listed")


def _const(_validator: Any, value: Any, instance: Any, _schema: Any) -> Errors:
    if not same(value, instance):
        yield ValidationError("another value")


def _unique(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Errors:
    if (
        wanted
        and isinstance(instance, list)
        and any(same(one, other) for at, one in enumerate(instance) for other in instance[:at])
    ):
        yield ValidationError("twice")


def _multiple(_validator: Any, step: Any, instance: Any, _schema: Any) -> Errors:
    if is_number(instance) and not is_multiple(instance, step):
        yield ValidationError("no multiple")


def _bound(holds: Any) -> Any:
    def check(_validator: Any, bound: Any, instance: Any, _schema: Any) -> Errors:
        if is_number(instance) and not holds(exact(instance), exact(bound)):
            yield ValidationError("out of bounds")

    return check


def _any_of(validator: Any, branches: list[Schema], instance: Any, _schema: Any) -> Errors:
    failures = []
    for at, branch in enumerate(branches):
        errors = list(validator.descend(instance, branch, schema_path=at))
        if not errors:
            return
        failures.append(errors)
    yield from _branch_errors(failures)


def _one_of(validator: Any, branches: list[Schema], instance: Any, _schema: Any) -> Errors:
    failures, valid = [], 0
    for at, branch in enumerate(branches):
        errors = list(validator.descend(instance, branch, schema_path=at))
        failures.append(errors)
        valid += not errors
    if valid > 1:
        yield ValidationError("several")
    elif not valid:
        yield from _branch_errors(failures)


def _branch_errors(failures: list[list[ValidationError]]) -> Errors:
    """Yield the errors of the one branch that the value is meant for, else those of all branches, else a single one."""
    candidates = [errors for errors in failures if not any(_rules_out(error) for error in errors)]
    if len(candidates) > 1:
        mismatches = [{error.path[0] for error in errors if _rules_out(error, 1)} for errors in candidates]
        # Pick the branch whose constant members match where those of every other branch do not.
        candidates = [
            errors
            for errors, own in zip(candidates, mismatches, strict=True)
            if not own and all(other for other in mismatches if other is not own)
        ]
    if len(candidates) == 1:
        yield from candidates[0]
    else:
        yield from _common(failures) or [ValidationError("no branch")]


def _common(failures: list[list[ValidationError]]) -> list[ValidationError]:
    """Return the errors that all branches have by one schema that they refer to."""
    found = [{key: error for error in errors if (key := _referred(error))} for errors in failures]
    return [error for key, error in found[0].items() if all(key in others for others in found)] if found else []


def _referred(error: ValidationError) -> tuple[Any, ...]:
    """Return what identifies an error below a reference, whatever branch the reference is in; else nothing."""
    parts = list(error.relative_schema_path)
    jumps = [at for at, part in enumerate(parts) if isinstance(part, Jump)]
    return (tuple(error.relative_path), *parts[jumps[-1] :]) if jumps and error.relative_path else ()


def _rules_out(error: ValidationError, depth: int = 0) -> bool:
    codes = _RULED_OUT if depth == 0 else ("const", "enum")
    return len(error.path) == depth and (error.validator in codes or (error.validator is None and depth == 0))


def _evaluated(validator: Any, instance: dict[str, Any], schema: Any, document: Document) -> set[str]:
    """Return the members evaluated by a schema and its in-place subschemas (2020-12, 11.3)."""
    if not isinstance(schema, dict):
        return set()
    known = set(schema.get("properties", {})) & set(instance)
    for pattern in schema.get("patternProperties", ()):
        known |= {name for name in instance if compile_pattern(pattern).search(name)}
    if "additionalProperties" in schema:
        known |= set(instance)
    for inner in _applied(validator, instance, schema, document):
        known |= _evaluated(validator, instance, inner, document)
        if isinstance(inner, dict) and "unevaluatedProperties" in inner:
            known |= set(instance)
    return known


def _evaluated_items(validator: Any, instance: list[Any], schema: Any, document: Document) -> set[int]:
    if not isinstance(schema, dict):
        return set()
    every = set(range(len(instance)))
    known = set(range(min(len(schema.get("prefixItems", ())), len(instance))))
    if "items" in schema:
        return every
    if "contains" in schema:
        judge = validator.evolve(schema=schema["contains"])
        known |= {at for at, item in enumerate(instance) if judge.is_valid(item)}
    for inner in _applied(validator, instance, schema, document):
        known |= _evaluated_items(validator, instance, inner, document)
        if isinstance(inner, dict) and "unevaluatedItems" in inner:
            return every
    return known


def _applied(validator: Any, instance: Any, schema: dict[str, Any], document: Document) -> Iterator[Schema]:
    """Yield the in-place subschemas that a value is valid by, whose annotations count."""

    def fits(inner: Schema) -> bool:
        return bool(validator.evolve(schema=inner).is_valid(instance))

    if "$ref" in schema:
        yield resolve(schema["$ref"], document)[0]
    yield from (inner for inner in schema.get("allOf", ()))
    for key in ("anyOf", "oneOf"):
        yield from (inner for inner in schema.get(key, ()) if fits(inner))
    if "if" in schema:
        held = fits(schema["if"])
        if held:
            yield schema["if"]
        if (branch := "then" if held else "else") in schema:
            yield schema[branch]
    for name, inner in schema.get("dependentSchemas", {}).items():
        if isinstance(instance, dict) and name in instance:
            yield inner
