"""Argument parser for commands that do not run pytest: wrong usage ends with one line and status 4."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from batch_conformance.cli import PROGRAM, Misuse


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise :class:`Misuse` with one line."""
        raise Misuse(f"{self.prog.removeprefix(PROGRAM).strip()}: {message}")


def add_overlays(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Add ``--overlay FILE``, repeatable, also under the name that it has for pytest."""
    names = ("--overlay", "--batch-overlay")
    text = f"{purpose}; repeatable"
    parser.add_argument(*names, dest="overlay", metavar="FILE", type=Path, action="append", default=[], help=text)


def parser_of(command: str, description: str) -> argparse.ArgumentParser:
    """Return a parser for the arguments of one command. It raises :class:`Misuse`, and accepts no abbreviations."""
    return _Parser(prog=f"{PROGRAM} {command}", description=description, allow_abbrev=False)
