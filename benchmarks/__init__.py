"""Benchmarks: ``python -m benchmarks`` from the repository's root writes ``benchmarks/RESULTS.md``."""
