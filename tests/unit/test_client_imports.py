"""Imports of a client run: neither Schemathesis nor the CEL runtime, as long as no rule applies to clients."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_judging_the_embedded_client_imports_no_schemathesis_and_no_cel() -> None:
    """The contract has rules, but none for clients."""
    code = (
        "import sys\n"
        "from batch_conformance.client_runner.open import open_client\n"
        "from batch_conformance.client_runner.session import judge_client\n"
        "client = open_client('embedded', size=5)\n"
        "run = judge_client(client, profile='quick', selected={'client.decode.fields', 'client.reject.wrong-types'})\n"
        "client.close()\n"
        "print(run.verdict, *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    verdict, *imported = ended.stdout.split()
    assert verdict in ("pass", "partial")
    assert not {"schemathesis", "cel_expr_python", "uvicorn"} & set(imported)
