"""Argument parser for commands that do not run pytest: wrong usage is one line and status 4."""

from __future__ import annotations

import argparse
from typing import NoReturn

from batch_conformance.cli import PROGRAM, Misuse


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Wrong usage, in one line."""
        raise Misuse(f"{self.prog.removeprefix(PROGRAM).strip()}: {message}")


def parser_of(command: str, description: str) -> argparse.ArgumentParser:
    """A parser for the arguments of one command. It raises :class:`Misuse`, and never shortens options."""
    return _Parser(prog=f"{PROGRAM} {command}", description=description, allow_abbrev=False)
