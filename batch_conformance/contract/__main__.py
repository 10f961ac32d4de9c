"""``python -m batch_conformance.contract [--overlay FILE …] [--yaml]``: the contract as one OpenAPI document.

With ``--clauses``: the table of clauses for the README, as Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from batch_conformance.contract.current import load_with_overlays
from batch_conformance.contract.load import load_contract
from batch_conformance.contract.overlay import OverlayError
from batch_conformance.contract.text_format import yaml_text

_WRONG_USAGE = 4


def clause_table() -> Iterator[str]:
    """The lines of the table: id, level and promise of every clause."""
    yield "| clause | level | promise |"
    yield "| --- | --- | --- |"
    for clause in load_contract().clauses.values():
        yield f"| `{clause.id}` | {clause.level} | {clause.promise} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was asked for; returns the exit status: 4 for an overlay that cannot be applied."""
    parser = argparse.ArgumentParser(
        prog="python -m batch_conformance.contract", description="Print the contract as one OpenAPI document."
    )
    parser.add_argument(
        "--overlay",
        metavar="FILE",
        action="append",
        default=[],
        type=Path,
        help="apply an overlay; repeatable",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--yaml", action="store_true", help="print YAML (default: JSON)")
    form.add_argument(
        "--clauses", action="store_true", help="print the table of clauses instead, as Markdown"
    )
    try:
        told = parser.parse_args(arguments)
    except SystemExit as stop:
        return _WRONG_USAGE if stop.code else 0
    if told.clauses:
        sys.stdout.write("\n".join(clause_table()) + "\n")
        return 0
    try:
        content = load_with_overlays(told.overlay).document.content
    except OverlayError as error:
        sys.stderr.write(f"error: {error}\n")
        return _WRONG_USAGE
    text = yaml_text(content) if told.yaml else json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    sys.stdout.buffer.write(text.encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
