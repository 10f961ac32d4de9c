"""The README is up to date: options, verdicts, exit statuses, and the command that CI runs."""

from __future__ import annotations

import re
from pathlib import Path

from batch_conformance.plugin.options import FIRST
from batch_conformance.report.labels import WORDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_options_are_those_that_help_shows() -> None:
    """``docs/reference.md`` has all options."""
    assert set(re.findall(r"^\| `--batch-([a-z-]+)", README, flags=re.MULTILINE)) == FIRST


def test_the_verdicts_are_those_of_the_reports() -> None:
    """With the labels of terminal and HTML; a pass is not explained."""
    words = {word.label for name, word in WORDS.items() if name != "pass"}
    assert set(re.findall(r"^\| \*\*(.+?)\*\* \|", README, flags=re.MULTILINE)) == words


def test_ci_runs_the_command_of_the_readme() -> None:
    """Literally, so that the command for newcomers is known to work."""
    commands = re.findall(r"^python3 -m venv .*$", README, flags=re.MULTILINE)
    assert len(commands) == 2
    assert (ROOT / ".ci" / "run").read_text("utf-8").rstrip().splitlines()[-1] == commands[1]
