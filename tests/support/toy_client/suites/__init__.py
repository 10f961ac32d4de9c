"""Test suites of the client repository: unrelated to the suite's folder of the same name."""
