"""Database tables: unrelated to the suite's folder of the same name."""

TABLES = ("customers", "invoices")
