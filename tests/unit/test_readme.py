"""The README says what is: its clause table, its options, and the command that CI runs."""

from __future__ import annotations

import re
from pathlib import Path

from batch_conformance.contract.__main__ import clause_table
from batch_conformance.plugin.options import OPTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_clause_table_is_the_generated_one() -> None:
    """Made with ``python -m batch_conformance.contract --clauses``."""
    between = README.partition("<!-- clauses -->\n")[2].partition("\n<!-- end of clauses -->")[0]
    assert between.strip().splitlines() == list(clause_table())


def test_every_option_is_in_the_table_and_every_row_is_an_option() -> None:
    """An option that nobody finds is not there."""
    told = set(re.findall(r"^\| `--batch-([a-z-]+)", README, flags=re.MULTILINE))
    assert told == {name for name, *_ in OPTIONS}


def test_ci_runs_the_command_of_the_readme() -> None:
    """Word for word, so that what a newcomer runs is what is known to work."""
    commands = re.findall(r"^python3 -m venv .*$", README, flags=re.MULTILINE)
    assert len(commands) == 2
    assert (ROOT / ".ci" / "run").read_text("utf-8").rstrip().splitlines()[-1] == commands[1]
