"""Numbers as JSON writes them: exact, whatever a float makes of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

#: Beyond this many digits nobody computes exactly.
_DIGITS = 5000


def is_number(value: object) -> bool:
    """Whether a value is a JSON number. ``true`` is none, NaN is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def exact(value: Any) -> Decimal:
    """A number to its last digit. A float that keeps how it was written (its ``repr``) is read from that."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def is_integer(value: object) -> bool:
    """Whether a value is a JSON number without a fraction: ``5.0`` and ``1e400`` are."""
    if not is_number(value):
        return False
    if isinstance(value, int):
        return True
    number = exact(value)
    # What only a literal beyond all floats becomes; such a literal has no digit after the point.
    return number.is_infinite() or number == number.to_integral_value()


def is_multiple(value: Any, of: Any) -> bool:
    """Whether a number is a whole multiple of another, in decimal: 0.3 is a multiple of 0.1."""
    number, step = exact(value), exact(of)
    if number.is_infinite() or abs(number.adjusted()) > _DIGITS:
        return True
    return (Fraction(number) / Fraction(step)).denominator == 1


def same(one: Any, other: Any) -> bool:
    """Equality as JSON Schema has it: 5 is 5.0, but never ``true`` 1."""
    if is_number(one) and is_number(other):
        return exact(one) == exact(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)
