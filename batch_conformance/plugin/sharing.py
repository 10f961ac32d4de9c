"""Sharing of one run among xdist workers: the first that needs a verdict makes it, the others read its report."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from batch_conformance.plugin.subjects import Kind

_INPUT = "batch_conformance_shared"
_TYPED = "batch_conformance_typed"
_SELECTED, _REACHED, _WRONG = ".selected.json", ".reached", "wrong-usage.txt"


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def shared_folder(config: pytest.Config) -> Path:
    """Return the folder in which the processes of this pytest run share their reports; it holds redacted text only."""
    if is_worker(config):
        folder = config.workerinput.get(_INPUT)  # type: ignore[attr-defined]
        if folder is None:
            # Only workers collect, so the controller did not load the folder's conftest.py.
            raise pytest.UsageError(
                "under pytest-xdist, name the folder of the suite on the command line or in testpaths"
            )
        return Path(folder)
    folder = getattr(config, "_batch_conformance_shared", None)
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="batch-conformance-"))
        config._batch_conformance_shared = folder  # type: ignore[attr-defined]
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    return Path(folder)


def share_with_worker(node: Any) -> None:
    """Pass the folder to a worker before it starts. Called in every run with xdist, so it does nothing else."""
    node.workerinput[_INPUT] = str(shared_folder(node.config))
    node.workerinput[_TYPED] = typed_options(node.config)


def typed_options(config: pytest.Config) -> list[str]:
    """Return the ``--batch-…`` options typed for this run, without values; not those of ``addopts`` or the ini file."""
    if is_worker(config):
        return list(config.workerinput.get(_TYPED, ()))  # type: ignore[attr-defined]
    names = (argument.partition("=")[0] for argument in config.invocation_params.args)
    return [name for name in names if name.startswith("--batch-")]


def note_selection(config: pytest.Config, selected: Mapping[Kind, Collection[str]]) -> None:
    """Record the selected clauses of each subject, for all processes of this run."""
    for kind, clauses in selected.items():
        path = shared_folder(config) / f"{kind}{_SELECTED}"
        # All workers select the same. Written atomically, so that none reads half of it.
        written = path.with_name(f"{path.name}.{os.getpid()}")
        written.write_text(json.dumps(sorted(clauses)), "utf-8")
        written.replace(path)


def selection(config: pytest.Config) -> dict[Kind, set[str]]:
    """Return the clauses of each subject that were selected here or in a worker."""
    folder = getattr(config, "_batch_conformance_shared", None)
    paths = folder.glob(f"*{_SELECTED}") if folder is not None else ()
    # By file name rather than by kind, which would import ``subjects`` in every pytest run.
    return {path.name.removesuffix(_SELECTED): set(json.loads(path.read_text("utf-8"))) for path in paths}


def note_reached(config: pytest.Config, kind: Kind, clause: str) -> None:
    """Record that the test of a clause ran."""
    (shared_folder(config) / f"{kind}.{clause}{_REACHED}").touch()


def reached(config: pytest.Config, kind: Kind) -> set[str]:
    """Return the clauses whose tests ran, here or in a worker."""
    paths = shared_folder(config).glob(f"{kind}.*{_REACHED}")
    return {path.name.removeprefix(f"{kind}.").removesuffix(_REACHED) for path in paths}


def note_wrong_usage(config: pytest.Config, problem: str) -> None:
    """Record wrong usage that a worker found, for the controller to report."""
    (shared_folder(config) / _WRONG).write_text(problem, "utf-8")


def wrong_usage(config: pytest.Config) -> str:
    """Return the wrong usage that workers found, in one line; empty if there was none."""
    folder = getattr(config, "_batch_conformance_shared", None)
    path = folder / _WRONG if folder is not None else None
    return path.read_text("utf-8") if path is not None and path.exists() else ""
