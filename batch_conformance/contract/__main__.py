"""Command that prints the contract as one OpenAPI document.

Usage: ``python -m batch_conformance.contract [--overlay FILE …] [--yaml]``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from batch_conformance.contract.current import load_with_overlays
from batch_conformance.contract.document import ContractError
from batch_conformance.contract.text_format import yaml_text

_WRONG_USAGE = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the contract; return the exit status: 4 for wrong usage or an overlay that cannot be applied."""
    parser = argparse.ArgumentParser(
        prog="python -m batch_conformance.contract", description="Print the contract as one OpenAPI document."
    )
    parser.add_argument(
        "--overlay",
        "--batch-overlay",
        metavar="FILE",
        action="append",
        default=[],
        type=Path,
        help="apply an overlay; repeatable",
    )
    parser.add_argument("--yaml", action="store_true", help="print YAML (default: JSON)")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        return _WRONG_USAGE if stop.code else 0
    try:
        contract = load_with_overlays(options.overlay)
    except ContractError as error:
        sys.stderr.write(f"error: {error}\n")
        return _WRONG_USAGE
    content = contract.document.content
    text = yaml_text(content) if options.yaml else json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    sys.stdout.buffer.write(text.encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
