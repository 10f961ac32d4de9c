"""The tables of a database: nothing to do with the suite's folder of that name."""

TABLES = ("customers", "invoices")
