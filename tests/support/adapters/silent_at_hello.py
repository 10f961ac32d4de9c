"""Reads on and on, and never says hello."""

import sys

for _ in sys.stdin:
    pass
