"""JSON Schema validation with format checking enabled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from batch_conformance.contract.current import base_contract, current_contract
from batch_conformance.contract.load import load_contract
from batch_conformance.contract.operation import Contract
from batch_conformance.contract.rfc3339 import parse_date_time


@dataclass(frozen=True)
class SchemaViolation:
    """One violation of a schema by a value."""

    path: tuple[str | int, ...]
    message: str
    expected: str
    actual: Any


@cache
def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())

    @checker.checks("date-time")
    def is_date_time(value: object) -> bool:
        return not isinstance(value, str) or not isinstance(parse_date_time(value), str)

    return checker


#: Base URI for references within the document.
_DOCUMENT = "contract.json"


def _in_contract(name: str) -> str | None:
    """Return the component name of a contract schema's file; None for the suite's own formats."""
    named = name.capitalize()
    return named if named in base_contract().schemas else None


@lru_cache(maxsize=64)
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load_contract().schemas[name], format_checker=_format_checker())


@lru_cache(maxsize=256)
def _validator_at(contract: _Identity, pointer: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource(_DOCUMENT, DRAFT202012.create_resource(contract.content))
    schema = {"$ref": f"{_DOCUMENT}#{quote(pointer, safe='/~!$&()*+,;=:@')}"}
    return Draft202012Validator(schema, registry=registry, format_checker=_format_checker())


class _Identity:
    """A contract's document as a cache key, by identity."""

    def __init__(self, contract: Contract) -> None:
        self.content = contract.document.content

    def __hash__(self) -> int:
        return id(self.content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.content is self.content


def violations_at(pointer: str, value: object, contract: Contract | None = None) -> Iterator[SchemaViolation]:
    """Validate a value by the schema at a JSON pointer of a contract, by default the current one."""
    identity = _Identity(contract or current_contract())
    yield from _violations(_validator_at(identity, pointer), value)


def schema_violations(name: str, value: object) -> Iterator[SchemaViolation]:
    """Validate a value by a schema name, e.g. ``batch``; yield the violations.

    Bodies are validated by the current contract, the suite's own formats by ``schemas/<name>.schema.json``.
    """
    named = _in_contract(name)
    if named is not None:
        yield from violations_at(f"/components/schemas/{named}", value)
    else:
        yield from _violations(_validator(name), value)


def _violations(validator: Draft202012Validator, value: object) -> Iterator[SchemaViolation]:
    errors = validator.iter_errors(value)
    for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path]):
        yield SchemaViolation(
            path=tuple(error.absolute_path),
            message=error.message,
            expected=f"{error.validator}: {error.validator_value}",
            actual=error.instance,
        )
