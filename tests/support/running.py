"""Runs of pytest as users start them: in a process and a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import forking

ROOT = Path(__file__).parents[2]
SERVER, CLIENT = str(ROOT / "suites" / "server"), str(ROOT / "suites" / "client")
#: Variables of the outer run that would change an inner one.
_FOREIGN = ("PYTEST_", "GITHUB_", "SYNC_", "CI", "COLUMNS", "COV_")


@dataclass(frozen=True)
class CompletedRun:
    """A run that has ended."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def text(self) -> str:
        """The whole output."""
        return self.out + self.err

    def report(self, place: str = "reports/latest") -> dict[str, Any]:
        """Return the report in a folder."""
        read: dict[str, Any] = json.loads((self.folder / place / "conformance.json").read_text("utf-8"))
        return read

    def verdicts(self, place: str = "reports/latest") -> dict[str, str]:
        """Return the verdicts by clause."""
        return {clause["id"]: clause["verdict"] for clause in self.report(place)["clauses"]}


def command(*arguments: str) -> list[str]:
    """Return the command line of a run."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a run, without variables of the outer run."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return own | variables


def run(folder: Path, *arguments: str, **variables: str) -> CompletedRun:
    """Run pytest in a folder, with additional environment variables."""
    return run_module("pytest", folder, "-p", "no:cacheprovider", *arguments, **variables)


def run_module(module: str, folder: Path, *arguments: str, **variables: str) -> CompletedRun:
    """Run a module as ``python -m`` does, in a folder, with additional environment variables."""
    env = environment(**variables)
    if forking.is_possible(env):
        ended = forking.run_module(module, arguments, folder, env, timeout=300)
    else:
        ended = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    return CompletedRun(ended.returncode, ended.stdout, ended.stderr, folder)
