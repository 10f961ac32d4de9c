"""Test suites of the client repo: nothing to do with the suite's folder of that name."""
