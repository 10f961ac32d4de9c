"""Exits before it answers hello."""

import sys

sys.exit("Error: cannot find module 'sync'")
