"""Selects files by globs, folders and file names; a leading ``!`` excludes."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from batch_conformance.contract import contract_root

#: Suffixes of the files that are read from a folder.
SUFFIXES = (".har", ".json", ".yaml", ".yml")


class NoSuchFiles(ValueError):
    """Raised for a pattern that names no file. The message is one line for the user."""


def sample_folder() -> Path:
    """Return the folder of the sample recordings."""
    return contract_root() / "suites" / "recorded" / "samples"


def find_files(patterns: Sequence[str], folder: Path) -> list[Path]:
    """Return the files that match ``patterns``, relative to ``folder``, each once, sorted.

    ``**`` matches nested folders, a folder stands for the recordings in it, and a leading ``!`` excludes
    matches. Raises :class:`NoSuchFiles` for a pattern that matches nothing.
    """
    found: dict[Path, Path] = {}
    for pattern in patterns:
        if not pattern.startswith("!"):
            files = _expand(pattern, folder)
            if not files:
                raise NoSuchFiles(f"{pattern!r} matches no file in {folder} (--batch-recorded)")
            found.update((file.resolve(), file) for file in files)
    for pattern in patterns:
        if pattern.startswith("!"):
            for file in _expand(pattern[1:], folder):
                found.pop(file.resolve(), None)
    if not found:
        raise NoSuchFiles(f"{' '.join(patterns)!r} leaves no file to judge (--batch-recorded)")
    return sorted(found.values())


def _expand(pattern: str, folder: Path) -> list[Path]:
    named = folder / pattern
    if named.is_file():  # its name may contain glob characters
        return [named]
    if named.is_dir():
        return [file for file in sorted(named.rglob("*")) if file.suffix.lower() in SUFFIXES and file.is_file()]
    matches = glob.glob(pattern, root_dir=folder, recursive=True)
    return [file for file in (folder / match for match in matches) if file.is_file()]


def format_name(file: Path, folder: Path) -> str:
    """Return a file's name for display, relative to ``folder`` if it is inside."""
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
