"""Import of all modules of a package, so that the mutants in each are registered."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def modules_of(package: ModuleType) -> list[ModuleType]:
    """Import the modules of a package, in the order of their names."""
    return [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
