"""Exact arithmetic and comparison of JSON numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

#: Numbers with larger exponents are not divided exactly: it would take too long.
_DIGITS = 5000


def is_number(value: object) -> bool:
    """Whether a value is a JSON number: neither a boolean nor NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def exact(value: Any) -> Decimal:
    """Return a number as an exact decimal; of a float, the one that its ``repr`` (its literal) writes."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def is_integer(value: object) -> bool:
    """Whether a value is a JSON number without a fraction: ``5.0`` and ``1e400`` are."""
    if not is_number(value):
        return False
    if isinstance(value, int):
        return True
    number = exact(value)
    # Only literals beyond the range of floats become infinite, and those are integers.
    return number.is_infinite() or number == number.to_integral_value()


def is_multiple(value: Any, of: Any) -> bool:
    """Whether a number is an integer multiple of another, in decimal: 0.3 is a multiple of 0.1."""
    number, step = exact(value), exact(of)
    if number.is_infinite() or abs(number.adjusted()) > _DIGITS:
        return True
    return (Fraction(number) / Fraction(step)).denominator == 1


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON Schema: 5 equals 5.0, ``true`` does not equal 1."""
    if is_number(one) and is_number(other):
        return exact(one) == exact(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)
