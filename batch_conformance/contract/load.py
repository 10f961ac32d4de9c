"""Loading of the files in ``contracts/`` and ``schemas/``, from a checkout or from inside the wheel.

For operations and bodies, which overlays may change, use :mod:`batch_conformance.contract.current`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from batch_conformance.contract.document import ContractError, bundle, read_file
from batch_conformance.contract.reading import OPERATION_IDS, written_operations
from batch_conformance.contract.root import contract_root

Side = Literal["server", "client"]
Level = Literal["must", "should"]
_LEVELS = get_args(Level)
_GROUPS = ("all", "by-id")
_CLAUSE_TEXTS = ("id", "level", "promise", "source")


@dataclass(frozen=True)
class Clause:
    """One numbered promise of ``contracts/clauses.yaml``.

    ``kinds`` are the kinds of error (driver protocol) that the clause accepts, by the name of the situation.
    ``covers`` lists the places and rules of the contract that it covers. A ``derived`` clause is in no file.
    ``operations`` are those that it holds for.
    """

    id: str
    level: Level
    promise: str
    source: str
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    covers: tuple[str, ...] = ()
    derived: bool = False
    operations: tuple[str, ...] = ("get",)

    @property
    def side(self) -> Side:
        """The side that makes the promise: the first part of the id."""
        return "server" if self.id.startswith("server.") else "client"

    @property
    def theme(self) -> str:
        """The second part of the id, e.g. ``auth`` in ``server.auth.empty-key``."""
        return self.id.split(".")[1]


@dataclass(frozen=True)
class ContractFiles:
    """The contract's files without overlays: clauses, schemas by file name, the bundled OpenAPI document."""

    version: str
    sha256: str
    clauses: Mapping[str, Clause]
    schemas: Mapping[str, dict[str, Any]]
    fragment: Mapping[str, Any]

    def of_side(self, side: Side) -> list[Clause]:
        """Return the clauses of one side, in the order of the file."""
        return [clause for clause in self.clauses.values() if clause.side == side]


@cache
def load_contract() -> ContractFiles:
    """Read the contract's files, once per process.

    Raises ``FileNotFoundError`` if the installation lacks them, ``ContractError`` for an unreadable file.
    """
    root = contract_root()
    # Decisions are included, since clauses refer to them.
    texts = [*(root / "contracts").glob("*.yaml"), *(root / "contracts").glob("*.md")]
    files = sorted([*texts, *(root / "schemas").glob("*.json")])
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    listed = _clause_rows(root / "contracts" / "clauses.yaml")
    fragment = bundle(root / "contracts" / "openapi.yaml")
    return ContractFiles(
        version=listed["version"],
        sha256=digest.hexdigest(),
        clauses={row["id"]: _clause(row, fragment) for side in ("server", "client") for row in listed[side]},
        schemas={
            file.name.removesuffix(".schema.json"): read_file(file)
            for file in sorted((root / "schemas").glob("*.schema.json"))
        },
        fragment=fragment,
    )


def _clause_rows(file: Path) -> Any:
    """Read the list of clauses. Raises :class:`ContractError` for a file or clause that cannot be used."""
    name = f"{file.parent.name}/{file.name}"
    # Not read_file, which takes ten times as long to find repeated names.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        listed = yaml.load(file.read_text("utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ContractError(f"{name}: cannot be read ({why}); correct it there") from None
    if not isinstance(listed, dict) or not {"version", "server", "client"} <= listed.keys():
        raise ContractError(f"{name}: needs version, server and client; correct it there")
    for row in (*(listed["server"] or ()), *(listed["client"] or ())):
        if not isinstance(row, dict) or not all(isinstance(row.get(one), str) for one in _CLAUSE_TEXTS):
            raise ContractError(f"{name}: a clause needs {', '.join(_CLAUSE_TEXTS)}, each a text; {row!r} lacks one")
        if row["level"] not in _LEVELS:
            wanted = either(_LEVELS)
            raise ContractError(f"{name}: {row['id']} has the level {row['level']!r}; make it {wanted}")
        given = row.get("operations", [])
        if given not in _GROUPS and not (isinstance(given, list) and set(given) <= set(OPERATION_IDS)):
            wanted = either((*_GROUPS, f"a list of {', '.join(OPERATION_IDS)}"))
            raise ContractError(f"{name}: {row['id']} has the operations {given!r}; make it {wanted}")
    return listed


def _clause(row: Mapping[str, Any], fragment: Mapping[str, Any]) -> Clause:
    """Return a row as a clause, with each ``{name}`` in its promise replaced by the kinds of that name."""
    kinds = {str(name): tuple(listed) for name, listed in row.get("kinds", {}).items()}
    promise = re.sub(r"\{(\w+)\}", lambda match: either(kinds[match[1]]), row["promise"])
    given = row.get("operations", ("get",))
    operations = _all_operations(fragment, by_id=given == "by-id") if isinstance(given, str) else tuple(given)
    covers = tuple(row.get("covers", ()))
    return Clause(row["id"], row["level"], promise, row["source"], kinds, covers, operations=operations)


def _all_operations(fragment: Mapping[str, Any], *, by_id: bool) -> tuple[str, ...]:
    """Return the names of all operations that the suite tests, or of those whose path names a batch."""
    paths = {row.get("operationId"): path for path, _, row in written_operations(fragment)}
    # The list may have a path with parameters of another kind.
    return tuple(
        name for name, own in OPERATION_IDS.items() if not by_id or (name != "list" and "{" in paths.get(own, ""))
    )


def either(words: Sequence[str]) -> str:
    """Join words as a choice: ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
