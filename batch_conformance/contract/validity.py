"""Validation of a document as OpenAPI 3.1, as far as the suite reads it, with its schemas.

This covers what a run depends on, without the dependencies of openapi-spec-validator, which only the tests
use.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from batch_conformance.contract.document import NO_POINTER, RuleCheck, at_pointer, pointer, references
from batch_conformance.contract.ecma_regex import UnsupportedPattern, compile_pattern
from batch_conformance.contract.openapi_shape import METHODS, OPENAPI_SHAPE
from batch_conformance.contract.rule_list import wrong_form
from batch_conformance.contract.unused_keywords import meant_by, unused_keywords

_TEMPLATE = re.compile(r"\{([^{}/]+)\}")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Dialect of OpenAPI 3.1: the same with a few more keywords (4.8.24.1).
_OPENAPI_DIALECT = "https://spec.openapis.org/oas/3.1/dialect/base"
#: Places of schemas of headers and parameters.
_FIELD = re.compile(r"/(headers|parameters)/")
_NOT_SUPPORTED = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$id")
#: The largest lower bounds of which values can be made.
_MOST = {"minItems": 20_000, "minProperties": 5_000, "minLength": 1_000_000}
_OWN_WORDS = frozenset({"x-filter", "x-member"})
_KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def problems(document: Any, check_rule: RuleCheck | None = None) -> Iterator[str]:
    """Yield the problems of a document, one line each: JSON pointer and problem."""
    found = best_match(_shape().iter_errors(document))
    if found is not None:
        # Everything below relies on the shape.
        yield _format_error(found, "")
        return
    for reference in dict.fromkeys(references(document)):
        wrong = _reference_problem(document, reference)
        if wrong:
            yield f"the reference {reference!r} {wrong}"
            return
    yield from _parameters(document)
    yield from _security(document)
    ids = Counter(operation["operationId"] for _, operation in _operations(document) if "operationId" in operation)
    yield from (f"the operationId {name!r} stands {count} times" for name, count in ids.items() if count > 1)
    dialect = document.get("jsonSchemaDialect", _DIALECT)
    if dialect not in (_DIALECT, _OPENAPI_DIALECT):
        yield f"/jsonSchemaDialect: is {dialect!r}; schemas are read as JSON Schema 2020-12 ({_DIALECT})"
    for place, schema in schema_places(document):
        yield from _schema(place, schema, check_rule)
        if _FIELD.search(place) and _has_rules(schema):
            yield f"{place}: has x-validations; rules are for bodies, say it in keywords of the schema"
    if not any(operation for _, operation in _operations(document)):
        yield "/paths: no operation is left to judge"


def _has_rules(value: Any) -> bool:
    if isinstance(value, dict):
        return "x-validations" in value or any(map(_has_rules, value.values()))
    return isinstance(value, list) and any(map(_has_rules, value))


def _reference_problem(document: dict[str, Any], reference: str) -> str | None:
    """Return the problem of a reference, followed to its end; None if it is valid."""
    seen: set[str] = set()
    while reference not in seen:
        seen.add(reference)
        try:
            value = at_pointer(document, reference)
        except KeyError:
            return "leads nowhere" if reference[:2] == "#/" else NO_POINTER
        if not (isinstance(value, dict) and isinstance(value.get("$ref"), str)):
            return None
        reference = value["$ref"]
    return "leads back to itself"


@cache
def _shape() -> Draft202012Validator:
    return Draft202012Validator(OPENAPI_SHAPE)


@cache
def _meta() -> Draft202012Validator:
    checker = FormatChecker(formats=())

    @checker.checks("regex")
    def is_pattern(value: object) -> bool:
        return not isinstance(value, str) or not _wrong_pattern(value)

    return Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=checker)


def _wrong_pattern(value: str) -> str:
    """Return why a pattern cannot be used; empty if it can."""
    try:
        compile_pattern(value)
    except UnsupportedPattern as error:
        return str(error)
    return ""


def _format_error(error: Any, place: str) -> str:
    where = place + pointer(*error.absolute_path)
    message = _clearer_message(error) or " ".join(error.message.split())
    if len(message) > 160:
        message = message[:159] + "…"
    return f"{where or '/'}: {message}"


def _clearer_message(error: Any) -> str:
    """Return a clearer message for some errors; empty where the validator's own is good enough."""
    path, schema = list(error.absolute_path), error.schema
    if error.validator == "additionalProperties" and isinstance(schema, dict):
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        unknown = (name for name in error.instance if name not in known)
        name = next((one for one in unknown if not any(re.search(pattern, one) for pattern in patterns)), "")
        if path[-1:] == ["responses"]:
            return f"{name!r} is no status: write three digits, a range such as 4XX, or default"
        meant = meant_by(name, frozenset(known))
        return f"{name!r} is no field here" + (f"; write {meant}" if meant else "")
    if path == ["openapi"]:
        return f"is {error.instance!r}; documents of OpenAPI 3.1 are read"
    if path[-1:] == ["type"] and error.validator == "anyOf" and isinstance(error.instance, str):
        return f"{error.instance!r} is no type: write array, boolean, integer, null, number, object or string"
    return ""


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield "/paths" + pointer(path, method), item[method]


def _parameters(document: dict[str, Any]) -> Iterator[str]:
    for path, item in document["paths"].items():
        template = Counter(_TEMPLATE.findall(path))
        twice = [(name, n) for name, n in template.items() if n > 1]
        yield from (f"/paths{pointer(path)}: {{{name}}} stands in the path {n} times" for name, n in twice)
        shared = item.get("parameters", [])
        for method in METHODS:
            if method not in item:
                continue
            own = [_resolved(document, row) for row in item[method].get("parameters", [])]
            rows = [*(_resolved(document, row) for row in shared), *own]
            if not all(isinstance(row, dict) and {"name", "in"} <= row.keys() for row in rows):
                yield f"{pointer('paths', path, method)}/parameters: a reference leads to what is no parameter"
                continue
            names = {row["name"] for row in rows if row["in"] == "path"}
            where = "/paths" + pointer(path, method)
            for row in own:
                for name in row.keys() - _OWN_WORDS:
                    if name.startswith("x-") and (meant := meant_by(name, _OWN_WORDS)):
                        yield f"{where}/parameters: {row['name']!r} has {name}, which says nothing; write {meant}"
            for name in sorted(template.keys() - names):
                yield f"{where}: the path has {{{name}}}, and no parameter of that name is in it"
            for name in sorted(names - template.keys()):
                yield f"{where}: the parameter {name!r} is in the path, which has no {{{name}}}"
            named = Counter((row["in"], row["name"]) for row in own)
            yield from (f"{where}: two parameters {name!r} in {place}" for (place, name), n in named.items() if n > 1)


def _security(document: dict[str, Any]) -> Iterator[str]:
    schemes = document.get("components", {}).get("securitySchemes", {})
    requirements = [("/security", document.get("security", []))]
    requirements += [(f"{place}/security", operation.get("security", [])) for place, operation in _operations(document)]
    for place, rows in requirements:
        for name in sorted({name for row in rows for name in row} - schemes.keys()):
            yield f"{place}: there is no security scheme {name!r}"


def _resolved(document: dict[str, Any], value: Any) -> Any:
    """Follow references to a value; circular ones were refused before."""
    while isinstance(value, dict) and isinstance(value.get("$ref"), str):
        value = at_pointer(document, value["$ref"])
    return value


def schema_places(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every top-level schema of the document with its JSON pointer."""
    components = document.get("components", {})
    for name, schema in components.get("schemas", {}).items():
        yield "/components/schemas" + pointer(name), schema
    for kind in ("parameters", "headers", "responses"):
        for name, holder in components.get(kind, {}).items():
            yield from _schemas_below(holder, f"/components/{kind}" + pointer(name))
    yield from _schemas_below(document["paths"], "/paths")


def _schemas_below(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "schema":
                yield f"{place}/schema", item
            elif name not in ("example", "examples", "value") and not name.startswith("x-"):
                yield from _schemas_below(item, place + pointer(name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _schemas_below(item, f"{place}/{at}")


def _schema(place: str, schema: Any, check_rule: RuleCheck | None) -> Iterator[str]:
    error = best_match(_meta().iter_errors(schema))
    if error is not None:
        wrong = _wrong_pattern(error.instance) if error.validator == "format" else ""
        yield f"{place}{pointer(*error.absolute_path)}: {wrong}" if wrong else _format_error(error, place)
        return
    yield from unused_keywords(place, schema)
    yield from _extensions(place, schema, check_rule)


def _extensions(place: str, value: Any, check_rule: RuleCheck | None) -> Iterator[str]:
    """Yield the problems of rules, lifecycles and unsupported keywords anywhere in a schema."""
    if isinstance(value, dict):
        if "x-validations" in value:
            yield from _rules(f"{place}/x-validations", value["x-validations"], check_rule)
        for name in _NOT_SUPPORTED:
            if isinstance(value.get(name), str):
                yield f"{place}: {name} is not supported; refer to a schema by its pointer, #/components/schemas/NAME"
        for name, most in _MOST.items():
            if isinstance(value.get(name), int) and value[name] > most:
                yield f"{place}/{name}: values are made and sent, of at most {most:,}; {value[name]:,} is more"
        if "x-lifecycle" in value:
            yield from _lifecycle(f"{place}/x-lifecycle", value["x-lifecycle"])
        for name, item in value.items():
            if name not in ("enum", "const", "default", "examples", "example") and not name.startswith("x-"):
                yield from _extensions(place + pointer(name), item, check_rule)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _extensions(f"{place}/{at}", item, check_rule)


def _rules(place: str, rules: Any, check_rule: RuleCheck | None) -> Iterator[str]:
    if not isinstance(rules, list):
        yield f"{place}: is not an array of rules"
        return
    for at, rule in enumerate(rules):
        if not isinstance(rule, dict) or not isinstance(rule.get("rule"), str):
            yield f"{place}/{at}: has no 'rule' as text"
        elif wrong_form(rule):
            yield f"{place}/{at}: {wrong_form(rule)}"
        elif check_rule is not None:
            wrong = check_rule(rule)
            if wrong:
                yield f"{place}/{at}: {' '.join(wrong.split())}"


def _lifecycle(place: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict) or value.keys() - {"order", "final", "frozen"}:
        yield f"{place}: is not an object with 'order', 'final' and 'frozen'"
        return
    order, final, frozen = (value.get(name, []) for name in ("order", "final", "frozen"))
    if not isinstance(order, list) or not isinstance(final, list):
        yield f"{place}: 'order' and 'final' are arrays of statuses"
        return
    if not isinstance(frozen, list) or not all(isinstance(one, str) and one[:1] == "/" for one in frozen):
        yield f"{place}/frozen: is not an array of JSON pointers"
        return
    flat = [status for group in order for status in (group if isinstance(group, list) else [group])]
    if not all(isinstance(status, str) for status in [*flat, *final]):
        yield f"{place}: a status is text"
        return
    for status, count in Counter(flat).items():
        if count > 1:
            yield f"{place}/order: {status!r} stands {count} times"
