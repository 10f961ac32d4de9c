"""Does not get as far as hello."""

import sys

sys.exit("Error: cannot find module 'sync'")
