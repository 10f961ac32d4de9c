"""Single-fault mutants: servers and clients that break one clause each, and legal variations that break none."""
