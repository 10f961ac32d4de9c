"""``python -m batch_conformance``: the command ``batch-conformance``, e.g. if its script is not on the path."""

from __future__ import annotations

import sys

from batch_conformance.cli import main

if __name__ == "__main__":
    sys.exit(main())
