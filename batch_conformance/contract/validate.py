"""JSON Schema validation with format checking that is really on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from batch_conformance.contract.load import load_contract
from batch_conformance.contract.rfc3339 import parse_date_time


@dataclass(frozen=True)
class SchemaViolation:
    """One place where a value breaks its schema."""

    path: tuple[str | int, ...]
    message: str
    expected: str
    actual: Any


def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())

    @checker.checks("date-time")
    def is_date_time(value: object) -> bool:
        return not isinstance(value, str) or not isinstance(parse_date_time(value), str)

    return checker


@cache
def _validator(name: str) -> Draft202012Validator:
    schemas = load_contract().schemas
    registry: Registry[Any] = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()]
    )
    return Draft202012Validator(schemas[name], registry=registry, format_checker=_format_checker())


def schema_violations(name: str, value: object) -> Iterator[SchemaViolation]:
    """Judge ``value`` by ``schemas/<name>.schema.json``; yields what is wrong, nothing when it conforms."""
    errors = _validator(name).iter_errors(value)
    for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path]):
        yield SchemaViolation(
            path=tuple(error.absolute_path),
            message=error.message,
            expected=f"{error.validator}: {error.validator_value}",
            actual=error.instance,
        )
