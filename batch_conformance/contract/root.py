"""Where the contract's files are."""

from __future__ import annotations

from pathlib import Path


def contract_root() -> Path:
    """The folder that holds ``contracts/`` and ``schemas/``: the package in a wheel, else the checkout."""
    package = Path(__file__).resolve().parent.parent
    return package if (package / "contracts").is_dir() else package.parent
