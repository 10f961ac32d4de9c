"""Reads its input but never answers hello."""

import sys

for _ in sys.stdin:
    pass
