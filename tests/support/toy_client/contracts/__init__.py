"""Customer contracts: unrelated to the suite's folder of the same name."""

TERM_MONTHS = 12
