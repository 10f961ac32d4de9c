"""Overlays for tests: written, applied, or in effect within a block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from batch_conformance.contract import Contract, contract_in_use, load_with_overlays

BATCH = "$.components.schemas.Batch"
GET = "$.paths['/v2/batch/{id}'].get"
LIST = "$.paths['/v2/batch'].get"


def overlay(*actions: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return an overlay with these actions."""
    info = {"title": "A change", "version": "1"}
    return {"overlay": "1.0.0", "info": info, "actions": list(actions), **members}


def update(target: str, value: Any) -> dict[str, Any]:
    """Return an update action."""
    return {"target": target, "update": value}


def remove(target: str) -> dict[str, Any]:
    """Return a remove action."""
    return {"target": target, "remove": True}


def written(folder: Path, *actions: dict[str, Any], name: str = "overlay.json") -> Path:
    """Write an overlay with these actions and return its file."""
    file = folder / name
    file.write_text(json.dumps(overlay(*actions)), "utf-8")
    return file


def overlaid(folder: Path, *actions: dict[str, Any]) -> Contract:
    """Return the contract with these actions applied. Raises ``OverlayError``."""
    return load_with_overlays([written(folder, *actions)])


@contextmanager
def using(folder: Path, *actions: dict[str, Any]) -> Iterator[Contract]:
    """Make the contract with these actions the current one within the context."""
    with contract_in_use(overlaid(folder, *actions)) as contract:
        yield contract
