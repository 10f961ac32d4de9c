"""The operations' own parts, found by the folders below ``operations/``: lower layers name none of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

_ROOT = "batch_conformance.operations"


def parts(name: str) -> Iterator[ModuleType]:
    """The modules called ``name`` of all operations that have one, imported, in the order of their folders' names."""
    for module in _modules(name):
        yield import_module(module)


def part_of(operation: str, name: str) -> ModuleType | None:
    """The module called ``name`` of one operation, by the suite's name for it; None where there is none."""
    found = (module for module in parts(name) if getattr(module, "OPERATION", None) == operation)
    return next(found, None)


@cache
def _modules(name: str) -> tuple[str, ...]:
    # By path: neither a checkout nor a wheel nor a vendored folder keeps them zipped.
    folder = Path(__file__).resolve().parents[1] / "operations"
    found = sorted(folder.glob(f"*/{name}.py"))
    return tuple(f"{_ROOT}.{file.parent.name}.{name}" for file in found)
