"""Values and their faults as text, for the messages of findings."""

from __future__ import annotations

import json

from batch_conformance.checks.finding import MISSING
from batch_conformance.contract.pointers import MISSING as NOWHERE
from batch_conformance.contract.pointers import split

_LONGEST = 200
_QUOTED = 60


def shown(value: object) -> str:
    """Format a JSON value as JSON, shortened."""
    if value is MISSING or value is NOWHERE:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def wrong(expected: str, value: object, name: str = "") -> str:
    """Describe a wrong value: "expected a string, got null"."""
    return (f"{name}: " if name else "") + f"expected {expected}, got {named(value)}"


def named(value: object) -> str:
    """Describe a value: "the number 7", "an array"."""
    if value is MISSING or value is NOWHERE:
        return "nothing: it is absent"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"the number {shown(value)}"
    if isinstance(value, str):
        text = shown(value)
        return f"the string {text}" if len(text) <= _QUOTED else f"a string of {len(value):,} characters"
    return "an array" if isinstance(value, list) else "an object"


def counted(count: int, thing: str, things: str = "") -> str:
    """Return a count with its noun: "1 batch", "2 batches"; ``things`` is the plural if it is not regular."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def dotted(pointer: str) -> str:
    """Format a JSON pointer as a dotted path: ``metrics.success_count``."""
    return ".".join(split(pointer))
