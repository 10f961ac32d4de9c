"""Usage checks: options need their subject in the run, and vendored or installed suites need a named subject."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from batch_conformance.plugin.subjects import KINDS, Kind

if TYPE_CHECKING:
    import pytest

#: Options about the subject of a kind; the first one names the subject.
SUBJECT_OPTIONS: dict[Kind, tuple[str, ...]] = {
    "server": (
        "target",
        "id",
        "api-key-env",
        "other-key-env",
        "revoked-key-env",
        "stage",
        "rate",
        "allow-production",
    ),
    "client": ("client", "transport"),
    "recorded": ("recorded",),
}
_SUITES: dict[Kind, str] = {"server": "a server", "client": "a client", "recorded": "recorded traffic"}
_NAMES: dict[Kind, str] = {
    "server": "--batch-target T, or --batch-target embedded for the reference server",
    "client": "--batch-client C, or --batch-client embedded for the reference client",
    "recorded": "--batch-recorded GLOB",
}
_PROJECT = re.compile(r'^name = "sync-batch-conformance"', re.MULTILINE)


def unused_options_problem(typed: Collection[str], selected: Collection[Kind]) -> str:
    """Return an error for typed options whose subject is not in the run; empty if there are none."""
    for kind, options in SUBJECT_OPTIONS.items():
        unused = [f"--batch-{name}" for name in options if f"--batch-{name}" in typed]
        if unused and kind not in selected:
            judged = ", ".join(_SUITES[one] for one in KINDS if one in selected) or "nothing"
            return (
                f"{' and '.join(unused)} {'does' if len(unused) == 1 else 'do'} not apply to this run, which tests "
                f"{judged}: remove {'it' if len(unused) == 1 else 'them'}, or add suites/{kind}"
            )
    return ""


def unnamed_subject_problem(config: pytest.Config, items: Iterable[tuple[pytest.Item, Kind]]) -> str:
    """Return an error for an installed or vendored suite without a named subject; empty if all have one."""
    for kind, folder in sorted({(kind, item.path.parent) for item, kind in items}):
        option = "batch_" + SUBJECT_OPTIONS[kind][0]
        named = config.getoption(option, None) is not None or bool(config.getini(option))
        if not named and not in_checkout(folder, config.invocation_params.dir):
            return f"no subject was named for {_place(folder)}: add {_NAMES[kind]}"
    return ""


def _place(folder: Path) -> str:
    return "/".join(folder.parts[-2:])


def in_checkout(folder: Path, start: Path) -> bool:
    """Whether suites belong to a checkout of this project, where the embedded subject is the default.

    False for an installed package, a vendored folder, a submodule, and a subtree of the repository that pytest was
    started in.
    """
    root = next((one for one in _above(folder.resolve()) if one.name == "suites"), folder.resolve()).parent
    project = root / "pyproject.toml"
    if not project.is_file() or not _PROJECT.search(project.read_text("utf-8", "replace")):
        return False
    if start.resolve().is_relative_to(root):
        return True
    git = root / ".git"
    if git.is_file():
        return "/modules/" not in git.read_text("utf-8", "replace")
    above = root.parents
    return git.is_dir() or not (start.resolve() in above or any((one / ".git").exists() for one in above))


def _above(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents
