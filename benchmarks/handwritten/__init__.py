"""A handwritten test suite that the benchmarks compare with; no part of the tests of this suite."""
