"""Layering: the packages are those of ARCHITECTURE.md, imports point down only, heavy imports stay in their layers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "batch_conformance"
#: Modules outside the layers: the base of the suites, and the command that copies the package.
TOP = ("__main__", "suite", "vendor")
#: Modules that are started as programs: nothing imports them, so they may import everything.
PROGRAMS = ("__main__", "client_driver")
_ROW = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \|", re.MULTILINE)
_LONGEST = 400


@dataclass(frozen=True)
class Import:
    """One import, at the top level, within a function, or under TYPE_CHECKING."""

    file: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def imports_in(source: str, file: Path) -> Iterator[Import]:
    """Return all imports of a module, relative ones resolved; ``from a import b`` counts as ``a.b``."""
    inside = file.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            if node.level:
                base = [*inside[: len(inside) - node.level], *base]
            for alias in node.names:
                yield Import(file, node.lineno, ".".join([*base, alias.name]))


def modules(folder: Path) -> list[Path]:
    """Return the modules below a folder."""
    return sorted(file for file in folder.rglob("*.py") if not {"toy_client", ".cache"} & set(file.parts))


def layers(text: str) -> dict[str, int]:
    """Return the layers of ARCHITECTURE.md with their heights; layers in one row have the same height."""
    rows = [re.findall(r"\w+", row) for row in _ROW.findall(text)]
    return {name: height for height, row in enumerate(reversed(rows)) for name in row}


def upward(found: Import, heights: dict[str, int]) -> bool:
    """Whether an import within the package points to a higher layer or to a peer."""
    parts = found.module.split(".")
    if parts[0] != "batch_conformance":
        return False
    own = found.file.relative_to(PACKAGE).with_suffix("").parts[0]
    if found.file.stem in PROGRAMS:
        return False
    other = next((part for part in parts[1:2] if part in heights or part in TOP), None)
    if own in TOP or own == "__init__" or other is None or other == own:
        return other in TOP and other != own
    return heights.get(other, len(heights)) >= heights[own]


@cache
def all_imports() -> list[Import]:
    """Return the imports of the package; not read at collection, since every worker collects all tests."""
    return [found for file in modules(PACKAGE) for found in imports_in(file.read_text("utf-8"), file)]


HEIGHTS = layers((ROOT / "ARCHITECTURE.md").read_text("utf-8"))


def test_the_table_names_every_layer() -> None:
    """No layer is missing, and none is listed that does not exist."""
    packages = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}
    assert set(HEIGHTS) == packages | {"operations"}
    alone = {file.stem for file in PACKAGE.glob("*.py")} - {"__init__"}
    assert alone == set(TOP)
    assert HEIGHTS["contract"] == 0
    assert HEIGHTS["server_runner"] == HEIGHTS["client_runner"] == HEIGHTS["recorded"]


def test_imports_point_down_only() -> None:
    """Imports between peers are not allowed either."""
    assert [str(found) for found in all_imports() if upward(found, HEIGHTS)] == []


def test_an_import_that_points_up_is_seen() -> None:
    """It may be at any place and in any form."""
    sources = {
        "checks/x.py": "from batch_conformance.server_runner import transport",
        "http/x.py": "def f():\n    import batch_conformance.checks.finding",
        "client_runner/x.py": "from batch_conformance.server_runner.transport import Transport",
        "server_runner/x.py": "from batch_conformance import report",
        "contract/x.py": "from ..http import model",
        "recorded/x.py": "from .. import client_runner",
        "report/x.py": "from batch_conformance.suite import clauses_of",
    }
    for name, source in sources.items():
        (found,) = imports_in(source, PACKAGE / name)
        assert upward(found, HEIGHTS), name
    for name, source in {"server_runner/x.py": "from ..checks import y", "checks/x.py": "from . import y"}.items():
        (found,) = imports_in(source, PACKAGE / name)
        assert not upward(found, HEIGHTS), name


def test_the_client_side_imports_no_server_dependencies() -> None:
    """A client's repository installs only the extra for clients."""
    code = (
        "import sys, pkgutil, importlib\n"
        "for name in ('client_runner', 'checks', 'report', 'generate', 'recorded', 'testing'):\n"
        "    package = importlib.import_module(f'batch_conformance.{name}')\n"
        "    for row in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if not row.name.endswith('__main__'):\n"
        "            importlib.import_module(row.name)\n"
        "import batch_conformance.reference.client\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"schemathesis", "uvicorn"} & set(ended.stdout.split())
    named = {
        found.module.partition(".")[0]
        for found in all_imports()
        if found.file.is_relative_to(PACKAGE / "client_runner")
    }
    assert not {"schemathesis", "uvicorn", "httpcore"} & named


@pytest.mark.parametrize("folder", ["batch_conformance", "suites", "tests"])
def test_nothing_imports_private_parts_of_pytest(folder: str) -> None:
    """Private imports would break every run of an environment when pytest changes."""
    files = [*modules(ROOT / folder), ROOT / "conftest.py"]
    found = [one for file in files for one in imports_in(file.read_text("utf-8"), file)]
    assert [str(one) for one in found if one.module.partition(".")[0] == "_pytest"] == []


def test_only_the_plugin_imports_pytest() -> None:
    """Running checks must be possible without pytest."""
    knows = {
        found.file.relative_to(PACKAGE).parts[0]
        for found in all_imports()
        if found.module.partition(".")[0] in ("pytest", "xdist", "pluggy")
    }
    assert knows <= {"plugin", "testing", "suite.py"}


@pytest.mark.parametrize("folder", ["batch_conformance", "suites", "tests"])
def test_modules_are_short(folder: str) -> None:
    """One idea a module."""
    lengths = {
        file.relative_to(ROOT).as_posix(): file.read_text("utf-8").count("\n") for file in modules(ROOT / folder)
    }
    assert {name: length for name, length in lengths.items() if length > _LONGEST} == {}
