"""Reports for accounting: nothing to do with the suite's folder of that name."""

CURRENCY = "EUR"
