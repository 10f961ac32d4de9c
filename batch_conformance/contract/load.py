"""Loads ``contracts/`` and ``schemas/``, from a checkout or from inside the wheel."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Side = Literal["server", "client"]
Level = Literal["must", "should"]

#: Statuses of a batch in the order of progress; the last two are final (docs, sdk).
STATUSES = ("PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED")
FINAL_STATUSES = frozenset({"COMPLETED", "FAILED"})
COUNTS = ("total_generations", "success_count", "failed_count", "pending_count")
#: Statuses that Get Batch may answer with (page; 429 from docs).
DOCUMENTED_STATUSES = frozenset({200, 401, 404, 429, 500})


@dataclass(frozen=True)
class Clause:
    """One numbered promise of ``contracts/clauses.yaml``.

    ``kinds`` are the kinds of error (driver protocol) that the clause accepts, by the name of the situation.
    """

    id: str
    level: Level
    promise: str
    source: str
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def side(self) -> Side:
        """Who makes the promise: the first part of the id."""
        return "server" if self.id.startswith("server.") else "client"

    @property
    def theme(self) -> str:
        """The second part of the id, e.g. ``auth`` in ``server.auth.empty-key``."""
        return self.id.split(".")[1]


@dataclass(frozen=True)
class Contract:
    """The contract as loaded: everything a run is judged by."""

    version: str
    sha256: str
    clauses: Mapping[str, Clause]
    schemas: Mapping[str, dict[str, Any]]
    fragment: Mapping[str, Any]
    servers: Mapping[str, str]

    def of_side(self, side: Side) -> list[Clause]:
        """The clauses of one side, in the order of the file."""
        return [clause for clause in self.clauses.values() if clause.side == side]


def contract_root() -> Path:
    """The folder that holds ``contracts/`` and ``schemas/``: the package in a wheel, else the checkout."""
    package = Path(__file__).resolve().parent.parent
    return package if (package / "contracts").is_dir() else package.parent


@cache
def load_contract() -> Contract:
    """Read the contract's files, once a process.

    Raises ``FileNotFoundError`` when the installation lacks them.
    """
    root = contract_root()
    # Decisions too: a clause means what the decision it names says.
    texts = [*(root / "contracts").glob("*.yaml"), *(root / "contracts").glob("*.md")]
    files = sorted([*texts, *(root / "schemas").glob("*.json")])
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    listed = _yaml(root / "contracts" / "clauses.yaml")
    fragment = _yaml(root / "contracts" / "batch.openapi.yaml")
    return Contract(
        version=listed["version"],
        sha256=digest.hexdigest(),
        clauses={row["id"]: _clause(row) for side in ("server", "client") for row in listed[side]},
        schemas={
            file.name.removesuffix(".schema.json"): json.loads(file.read_text("utf-8"))
            for file in sorted((root / "schemas").glob("*.schema.json"))
        },
        fragment=fragment,
        servers={server["x-name"]: server["url"] for server in fragment["servers"]},
    )


def _clause(row: Mapping[str, Any]) -> Clause:
    """A row as a clause, the ``{name}`` in its promise replaced by the kinds of that name."""
    kinds = {str(name): tuple(listed) for name, listed in row.get("kinds", {}).items()}
    promise = re.sub(r"\{(\w+)\}", lambda match: either(kinds[match[1]]), row["promise"])
    return Clause(row["id"], row["level"], promise, row["source"], kinds)


def either(words: Sequence[str]) -> str:
    """The words as a choice: ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _yaml(file: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(file.read_text("utf-8"), Loader=loader)
