"""Accounting reports: unrelated to the suite's folder of the same name."""

CURRENCY = "EUR"
