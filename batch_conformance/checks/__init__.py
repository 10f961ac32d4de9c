"""Pure functions: exchanges or outcomes in, findings out, clause by clause. Judges never send."""
