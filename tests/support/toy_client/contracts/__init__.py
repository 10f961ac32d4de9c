"""The contracts with customers: nothing to do with the suite's folder of that name."""

TERM_MONTHS = 12
