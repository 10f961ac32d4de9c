"""Discovery of the modules of single operations below ``operations/``, so that lower layers name none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

_ROOT = "batch_conformance.operations"


def parts(name: str) -> Iterator[ModuleType]:
    """Import and yield the modules called ``name`` of all operations, in the order of their folder names."""
    for module in _modules(name):
        yield import_module(module)


def part_of(operation: str, name: str) -> ModuleType | None:
    """Return the module called ``name`` of one operation; None where there is none."""
    found = (module for module in parts(name) if getattr(module, "OPERATION", None) == operation)
    return next(found, None)


@cache
def _modules(name: str) -> tuple[str, ...]:
    # Found by path: checkouts, wheels and vendored folders are never zipped.
    folder = Path(__file__).resolve().parents[1] / "operations"
    found = sorted(folder.glob(f"*/{name}.py"))
    return tuple(f"{_ROOT}.{file.parent.name}.{name}" for file in found)
