"""Location of the contract's files."""

from __future__ import annotations

from pathlib import Path


def contract_root() -> Path:
    """Return the folder with ``contracts/`` and ``schemas/``: the package in a wheel, else the checkout."""
    package = Path(__file__).resolve().parent.parent
    return package if (package / "contracts").is_dir() else package.parent
