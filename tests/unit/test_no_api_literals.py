"""Code outside of ``operations/`` and the hand-written mutants names no path, key header, member or value of the API.

These names are derived from the contract. Docstrings and comments may contain them. ``api_literals.txt`` beside this
file lists the modules that still do: it may shrink, and a module that needs no entry must not have one.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from batch_conformance.contract import base_contract
from batch_conformance.contract.entity import Entity, entity_of
from batch_conformance.contract.pointers import split
from batch_conformance.contract.statuses import error_body

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "batch_conformance"
#: The only places that may name them: operations, and servers and clients with faults.
FREE = ("operations/", "mutants/server/", "mutants/client/")
ALLOWED = Path(__file__).with_name("api_literals.txt")


def _members(entity: Entity | None) -> set[str]:
    pointers = [place.pointer for place in entity.places] if entity else []
    return {part for pointer in pointers for part in split(pointer) if part != "*"}


def _telling(name: str) -> bool:
    """Whether a name is unambiguous: it consists of several words."""
    return re.search(r"[a-z][A-Z]|_", name) is not None


def forbidden() -> dict[str, re.Pattern[str]]:
    """Return the forbidden texts by kind: names anywhere, statuses only as a whole literal."""
    contract, get = base_contract(), entity_of("get")
    fixed = {operation.path.partition("/{")[0] for operation in contract.operations.values()}
    keys = {key.name for operation in contract.operations.values() for key in operation.keys}
    names = {name for name in _members(get) | _members(error_body("get")) if _telling(name)}
    outer = {split(place.pointer)[0] for place in get.places if place.pointer.count("/") > 1}
    alone = {name for name in outer if not _telling(name)}
    return {
        "a path": re.compile("|".join(rf"{re.escape(one)}(?![\w.])" for one in sorted(fixed, reverse=True))),
        "the key's header": re.compile("|".join(map(re.escape, sorted(keys))), re.IGNORECASE),
        "a member": re.compile(rf"(?<![\w.-])(?:{'|'.join(sorted(names))})\b|^(?:{'|'.join(sorted(alone))})[.]?$"),
        "a status": re.compile(rf"^(?:{'|'.join(sorted(get.lifecycle.values))})$|_({'|'.join(get.lifecycle.values)})"),
    }


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Return the string literals of a module with their lines, without docstrings."""
    tree = ast.parse(source)
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in notes:
            if isinstance(node.value, str):
                yield node.lineno, node.value
            elif isinstance(node.value, bytes):
                yield node.lineno, node.value.decode("latin-1")


def found_in(source: str) -> list[str]:
    """Return the forbidden names in a module, one line each."""
    patterns = forbidden()
    return [
        f"line {line}: {what}: {text[:60]!r}"
        for line, text in texts(source)
        for what, pattern in patterns.items()
        if pattern.search(text)
    ]


def offenders() -> dict[str, list[str]]:
    """Return the modules that contain forbidden names, by their paths in the package."""
    rows = {file.relative_to(PACKAGE).as_posix(): file for file in sorted(PACKAGE.rglob("*.py"))}
    judged = {name: found_in(file.read_text("utf-8")) for name, file in rows.items() if not name.startswith(FREE)}
    return {name: found for name, found in judged.items() if found}


def allowed() -> dict[str, int]:
    """Return the number of literals that each listed module may have."""
    rows = (line.split() for line in ALLOWED.read_text("utf-8").splitlines() if line and line[0] != "#")
    return {row[0]: int(row[1]) for row in rows}


def test_the_forbidden_names_are_those_of_the_contract() -> None:
    """Each kind is found in a sample, and ordinary words are not."""
    sample = 'a = ["/v2/batch/x", "X-Api-Key", "webhookUrl", "metrics", "COMPLETED", "statusCode", b"x-api-key"]'
    kinds = Counter(row.split(": ")[1] for row in found_in(sample))
    assert kinds == {"a path": 1, "the key's header": 2, "a member": 3, "a status": 1}
    words = '["failed", "the metrics of a run", "id", "status", "message", "client.decode.created_at"]'
    harmless = f'"""created_at"""\nb = {words}'
    assert found_in(harmless) == []


def test_only_listed_modules_name_the_api() -> None:
    """No module has more than the list allows."""
    free = allowed()
    more = {name: rows for name, rows in offenders().items() if len(rows) > free.get(name, 0)}
    assert not more, "\n".join(f"{name}: {row}" for name, rows in more.items() for row in rows)


def test_the_list_shrinks() -> None:
    """The list has no module without forbidden names."""
    now = offenders()
    assert set(allowed()) <= set(now), f"clean by now: {sorted(set(allowed()) - set(now))}"
